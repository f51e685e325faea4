namespace NE.Benchmarks

open System
open NE.Model
open NE.Model.Replay

/// A replay memory of frames without sense, with uniform actions and rewards, in episodes of a Control Suite task at two repeats.
[<RequireQualifiedAccess>]
module PixelReplay =
    [<Literal>]
    let private EpisodeSteps = 500

    /// Rows of so many episodes.
    let create (shape: PixelShape) (actions: int) (episodes: int) : HeldRows =
        let form = TransitionRows.create (ObservationForm.Pixels shape) actions
        let draws = Draws.Of(3L, Purpose.Exploration)
        let rows = Array.zeroCreate<float32>(episodes * (EpisodeSteps + 1) * form.RowFloats)

        let linker =
            form.CreateLinker(HeldRows([||], form.RowFloats), { First = 0L; Head = 0L }, 1)

        let bytes = Array.zeroCreate<byte> shape.FrameBytes
        let action = Array.zeroCreate<float32> actions
        let mutable count = 0

        let link first upTo =
            for number in first .. upTo - 1 do
                linker.Link(Span(rows, number * form.RowFloats, form.RowFloats), int64 number)

        for _ in 1..episodes do
            let frames = FrameStack shape

            let observation =
                Array.zeroCreate<float32>(PackedBytes.floats shape.ObservationBytes)

            let next = Array.zeroCreate<float32> observation.Length

            let show (into: float32[]) =
                frames.Observation.CopyTo(PackedBytes.write shape.ObservationBytes (Span into))

            let draw () =
                for i in 0 .. bytes.Length - 1 do
                    bytes[i] <- byte (draws.NextUInt32())

            draw ()
            frames.Begin(ReadOnlySpan bytes)

            for step in 0 .. EpisodeSteps - 1 do
                show observation
                draw ()
                frames.Push(ReadOnlySpan bytes)
                show next
                draws.FillUniform(Span action, 1.0f)

                let taken =
                    form.Write(
                        Span(rows, count * form.RowFloats, rows.Length - count * form.RowFloats),
                        0,
                        step,
                        ReadOnlySpan observation,
                        ReadOnlySpan action,
                        draws.NextSingle(),
                        1.0f,
                        ReadOnlySpan next
                    )

                link count (count + taken)
                count <- count + taken

        HeldRows(rows, form.RowFloats)
