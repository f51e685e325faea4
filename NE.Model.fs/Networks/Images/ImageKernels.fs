/// From bytes as renderers and replay keep them to floats as networks read them, on the host.
module internal NE.Model.Networks.Images.ImageKernels

open System
open System.Runtime.CompilerServices
open System.Runtime.Intrinsics
open Microsoft.FSharp.NativeInterop
open NE.Model.Networks

/// Raises ArgumentException unless there are as many bytes as the images have, and a shift for none or for each.
let check (shape: ImageShape) (rows: int) (pixels: ReadOnlySpan<byte>) (shifts: ReadOnlySpan<ImageShift>) : unit =
    if pixels.Length <> rows * shape.Size then
        invalidArg (nameof pixels) $"{rows} images of {shape.Size} bytes are needed, {pixels.Length} bytes were given."

    if shifts.Length <> 0 && shifts.Length <> rows then
        invalidArg (nameof shifts) $"There are {rows} images, but {shifts.Length} shifts."

    for shift in shifts do
        let most = 2 * ImageShift.Padding

        if min shift.Down shift.Right < 0 || max shift.Down shift.Right > most then
            invalidArg (nameof shifts) $"A shift is 0 to {most}; ({shift.Down}, {shift.Right}) was given."

/// The line or column of an image that becomes this one of the shifted image: the nearest at an edge. `shift`: Down or Right.
let source (place: int) (shift: int) (size: int) : int =
    Math.Clamp(place + shift - ImageShift.Padding, 0, size - 1)

/// target[i] = source[i] / 255 - 0.5. The same bits in vectors and alone: both divide.
[<MethodImpl(MethodImplOptions.NoInlining)>]
let private normalise (source: nativeptr<byte>) (target: nativeptr<float32>) (count: int) : unit =
    let scale, half = Vector256.Create 255.0f, Vector256.Create 0.5f
    let mutable i = 0

    while i + 16 <= count do
        let struct (low, high) = Vector128.Widen(Vector128.Load(NativePtr.add source i))
        let struct (a, b) = Vector256.Widen(Vector256.Create(low, high))
        let a, b = Vector256.ConvertToSingle(a.AsInt32()), Vector256.ConvertToSingle(b.AsInt32())
        Vector256.Store(a / scale - half, NativePtr.add target i)
        Vector256.Store(b / scale - half, NativePtr.add target (i + 8))
        i <- i + 16

    while i < count do
        NativePtr.set target i (float32 (NativePtr.get source i) / 255.0f - 0.5f)
        i <- i + 1

/// One line of a plane, moved by so many pixels to the left: what is missing at an edge is the pixel there. Its pixels in `target` are `channels`
/// bytes apart.
[<MethodImpl(MethodImplOptions.NoInlining)>]
let private interleave (line: nativeptr<byte>) (width: int) (moved: int) (target: nativeptr<byte>) (channels: int) : unit =
    let last = width - 1
    let first, past = Math.Clamp(-moved, 0, width), Math.Clamp(width - moved, 0, width)
    let mutable into = target

    for _ in 0 .. first - 1 do
        NativePtr.write into (NativePtr.read line)
        into <- NativePtr.add into channels

    for x in first .. past - 1 do
        NativePtr.write into (NativePtr.get line (x + moved))
        into <- NativePtr.add into channels

    for _ in past..last do
        NativePtr.write into (NativePtr.get line last)
        into <- NativePtr.add into channels

/// An image's bytes [channels x height x width] to floats by pixels.
let write (pixels: nativeptr<byte>) (shape: ImageShape) (shift: ImageShift) (target: nativeptr<float32>) : unit =
    let height, width, channels = shape.Height, shape.Width, shape.Channels
    // A line of pixels waits in the first-level cache.
    let waiting = NativePtr.stackalloc<byte>(width * channels)

    for y in 0 .. height - 1 do
        let from = source y shift.Down height

        for channel in 0 .. channels - 1 do
            let line = NativePtr.add pixels ((channel * height + from) * width)
            interleave line width (shift.Right - ImageShift.Padding) (NativePtr.add waiting channel) channels

        normalise waiting (NativePtr.add target (y * width * channels)) (width * channels)

/// The shift that leaves an image where it is.
let unmoved: ImageShift = {
    Down = ImageShift.Padding
    Right = ImageShift.Padding
}

/// The shift of an image, of shifts for all or for none.
let shiftOf (shifts: nativeptr<ImageShift>) (row: int) : ImageShift =
    if NativePtr.toNativeInt shifts = 0n then
        unmoved
    else
        NativePtr.get shifts row
