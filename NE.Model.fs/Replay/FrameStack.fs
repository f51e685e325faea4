namespace NE.Model.Replay

open System

/// The observation of a pixel task as DrQ-v2 makes it: uint8, channels first, the frame of a reset as often as a stack has frames. Mutable,
/// owned by one environment; a push makes no garbage.
[<Sealed>]
type FrameStack(shape: PixelShape) =
    let frames: byte[] = Array.zeroCreate shape.ObservationBytes
    let newestAt = shape.ObservationBytes - shape.FrameBytes

    /// Makes room for a newest frame.
    let shift () =
        Buffer.BlockCopy(frames, shape.FrameBytes, frames, 0, newestAt)

    /// Height x width x 3 as renderers write it, to 3 x height x width as networks read it.
    let write (image: ReadOnlySpan<byte>) =
        if image.Length <> shape.FrameBytes then
            invalidArg
                (nameof image)
                $"A frame of {shape.Height} x {shape.Width} pixels has {shape.FrameBytes} bytes, but {image.Length} were given."

        let pixels = shape.Height * shape.Width
        let target = Span(frames, newestAt, shape.FrameBytes)

        for channel in 0..2 do
            let plane = target.Slice(channel * pixels, pixels)

            for i in 0 .. pixels - 1 do
                plane[i] <- image[3 * i + channel]

    /// The sizes.
    member _.Shape = shape

    /// The observation [Channels x Height x Width], until the next change.
    member _.Observation = ReadOnlySpan<byte> frames

    /// The newest frame [3 x Height x Width]: all that a replay row has to store.
    member _.Newest = ReadOnlySpan(frames, newestAt, shape.FrameBytes)

    /// The first frame of an episode [Height x Width x 3].
    member _.Begin(image: ReadOnlySpan<byte>) : unit =
        write image

        for i in 0 .. shape.Stack - 2 do
            Buffer.BlockCopy(frames, newestAt, frames, i * shape.FrameBytes, shape.FrameBytes)

    /// The frame after a step [Height x Width x 3].
    member _.Push(image: ReadOnlySpan<byte>) : unit =
        shift ()
        write image

    /// A step that led to no new picture: the newest frame once more.
    member _.Repeat() : unit =
        // What is shifted away from the end stays there, too.
        shift ()

    /// Continues with an observation that `Observation` was.
    member _.Restore(observation: ReadOnlySpan<byte>) : unit =
        if observation.Length <> frames.Length then
            invalidArg (nameof observation) $"An observation of this shape has {frames.Length} bytes, but {observation.Length} were given."

        observation.CopyTo(Span frames)
