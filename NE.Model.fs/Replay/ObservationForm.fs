namespace NE.Model.Replay

open System
open System.Runtime.InteropServices

/// Bytes in a memory of float32s, four to a float.
[<RequireQualifiedAccess>]
module PackedBytes =
    /// Float32s that so many bytes take.
    let floats (bytes: int) = (bytes + 3) / sizeof<float32>

    /// The first so many bytes of a memory, to be read.
    let read (count: int) (memory: ReadOnlySpan<float32>) : ReadOnlySpan<byte> =
        MemoryMarshal.AsBytes(memory).Slice(0, count)

    /// The first so many bytes of a memory, to be written.
    let write (count: int) (memory: Span<float32>) : Span<byte> =
        MemoryMarshal.AsBytes(memory).Slice(0, count)

/// Sizes of a pixel observation: the last few colour frames, oldest first, on the channel axis.
[<Struct>]
type PixelShape = {
    /// Pixels from top to bottom.
    Height: int
    /// Pixels from left to right.
    Width: int
    /// Frames of an observation.
    Stack: int
} with

    /// Bytes of one frame [3 x Height x Width].
    member this.FrameBytes = 3 * this.Height * this.Width
    /// Channels of an observation.
    member this.Channels = 3 * this.Stack
    /// Bytes of an observation [Channels x Height x Width].
    member this.ObservationBytes = this.Stack * this.FrameBytes

/// What an agent sees of an environment at once. Either form has one memory of float32s, so that an observation travels and is stored alike:
/// numbers as they are, and the bytes of pictures four to a float.
[<RequireQualifiedAccess>]
type ObservationForm =
    /// So many numbers.
    | Vector of size: int
    /// The last few frames, uint8 [Channels x Height x Width], oldest first.
    | Pixels of shape: PixelShape

    /// Float32s of the memory of one observation.
    member this.Floats =
        match this with
        | Vector size -> size
        | Pixels shape -> PackedBytes.floats shape.ObservationBytes
