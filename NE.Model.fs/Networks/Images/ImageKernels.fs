/// From bytes as renderers and replay keep them to floats as networks read them, on the host.
module internal NE.Model.Networks.Images.ImageKernels

open System
open System.Runtime.CompilerServices
open System.Runtime.Intrinsics
open System.Runtime.Intrinsics.X86
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

        let a, b =
            Vector256.ConvertToSingle(a.AsInt32()), Vector256.ConvertToSingle(b.AsInt32())

        Vector256.Store(a / scale - half, NativePtr.add target i)
        Vector256.Store(b / scale - half, NativePtr.add target (i + 8))
        i <- i + 16

    while i < count do
        NativePtr.set target i (float32 (NativePtr.get source i) / 255.0f - 0.5f)
        i <- i + 1

/// The pixels from .. upTo - 1 of a line of a plane, moved by so many pixels to the left: what is missing at an edge is the pixel there. In `target`
/// the line's pixels are `channels` bytes apart.
[<MethodImpl(MethodImplOptions.NoInlining)>]
let private interleave (line: nativeptr<byte>) (width: int) (moved: int) (target: nativeptr<byte>) (channels: int) (from: int) (upTo: int) =
    for x in from .. upTo - 1 do
        let pixel = NativePtr.get line (Math.Clamp(x + moved, 0, width - 1))
        NativePtr.set target (x * channels) pixel

/// The same for the same line of four planes, which lie `plane` bytes apart, as far as it goes in sixteens: what follows is left. All pixels lie
/// inside the line. Returns where it stopped.
[<MethodImpl(MethodImplOptions.NoInlining)>]
let private interleaveFour
    (line: nativeptr<byte>)
    (plane: int)
    (moved: int)
    (target: nativeptr<byte>)
    (channels: int)
    (from: int)
    (upTo: int)
    =
    let inline load i x =
        Vector128.Load(NativePtr.add line (i * plane + x + moved))

    let four = NativePtr.stackalloc<uint32> 16

    let inline put i (low: Vector128<byte>) (high: Vector128<byte>) =
        let into = NativePtr.add four i
        Vector128.Store((Sse2.UnpackLow(low.AsUInt16(), high.AsUInt16())).AsUInt32(), into)
        Vector128.Store((Sse2.UnpackHigh(low.AsUInt16(), high.AsUInt16())).AsUInt32(), NativePtr.add into 4)

    let mutable x = from

    while x + 16 <= upTo do
        let a, b, c, d = load 0 x, load 1 x, load 2 x, load 3 x
        put 0 (Sse2.UnpackLow(a, b)) (Sse2.UnpackLow(c, d))
        put 8 (Sse2.UnpackHigh(a, b)) (Sse2.UnpackHigh(c, d))
        let into = NativePtr.toNativeInt target + nativeint (x * channels)

        for i in 0..15 do
            NativePtr.write (NativePtr.ofNativeInt<uint32>(into + nativeint (i * channels))) (NativePtr.get four i)

        x <- x + 16

    x

/// An image's bytes [channels x height x width] to floats by pixels.
let write (pixels: nativeptr<byte>) (shape: ImageShape) (shift: ImageShift) (target: nativeptr<float32>) : unit =
    let height, width, channels = shape.Height, shape.Width, shape.Channels
    let moved, plane = shift.Right - ImageShift.Padding, height * width
    // The pixels that come from inside a line.
    let first, past = Math.Clamp(-moved, 0, width), Math.Clamp(width - moved, 0, width)
    // A line of pixels waits in the first-level cache.
    let waiting = NativePtr.stackalloc<byte>(width * channels)

    for y in 0 .. height - 1 do
        let line = NativePtr.add pixels (source y shift.Down height * width)
        let mutable channel = 0

        while channel < channels do
            let together = if Sse2.IsSupported && channel + 4 <= channels then 4 else 1
            let from, into = NativePtr.add line (channel * plane), NativePtr.add waiting channel

            let stopped =
                if together = 4 then
                    interleaveFour from plane moved into channels first past
                else
                    first

            for i in 0 .. together - 1 do
                let from, into = NativePtr.add from (i * plane), NativePtr.add into i
                interleave from width moved into channels 0 first
                interleave from width moved into channels stopped width

            channel <- channel + together

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
