namespace NE.Model.Agents.Pixels

open System
open NE.Model
open NE.Model.Networks
open NE.Model.Replay

/// The transitions of a batch as they come from the replay memory, on the host: both stacks of frames, the first action, the n-step reward, and what
/// the value of s' counts. Every transition is there as often as pictures are shifted: row copy * transitions + i.
[<Sealed>]
type PixelFrames(settings: PixelSettings, actionSize: int, discount: float, transitions: int, copies: int) =
    let shape = settings.Shape
    let steps = settings.ReturnSteps
    let layout = PixelRows(shape, actionSize)
    let bytes = shape.ObservationBytes
    let rows = transitions * copies

    let observations, next =
        Array.zeroCreate<byte>(rows * bytes), Array.zeroCreate<byte>(rows * bytes)

    let actions = Array.zeroCreate<float32>(rows * actionSize)

    let rewards, bootstraps =
        Array.zeroCreate<float32> rows, Array.zeroCreate<float32> rows

    // Of the source that was read last.
    let mutable reader: struct (ITransitionSource * PixelReader) voption = ValueNone

    let readerOf (source: ITransitionSource) =
        match reader with
        | ValueSome(struct (known, reader)) when obj.ReferenceEquals(known, source) -> reader
        | _ ->
            let made = PixelReader(source, layout)
            reader <- ValueSome(struct (source, made))
            made

    /// What was drawn from a window is within it.
    let anywhere: Window = { First = 0L; Head = Int64.MaxValue }

    let repeat (values: 'T[]) width =
        for copy in 1 .. copies - 1 do
            Array.blit values 0 values (copy * transitions * width) (transitions * width)

    /// uint8 [rows x channels x height x width].
    member _.Observations = observations
    /// The same of s'.
    member _.Next = next
    /// [rows x components].
    member _.Actions = actions
    /// sum over i < n of gamma^i r_i [rows].
    member _.Rewards = rewards
    /// gamma^n, or 0 where the task ended [rows].
    member _.Bootstraps = bootstraps

    member _.Holds(source: ITransitionSource, window: Window, row: int64) : bool =
        (readerOf source).IsTransition(window, steps, row)

    /// Reads the transitions that end with these rows.
    member _.Gather(source: ITransitionSource, numbers: ReadOnlySpan<int64>) : unit =
        let reader = readerOf source

        for i in 0 .. transitions - 1 do
            let struct (reward, bootstrap) =
                reader.Gather(
                    anywhere,
                    steps,
                    numbers[i],
                    discount,
                    Span(observations, i * bytes, bytes),
                    Span(actions, i * actionSize, actionSize),
                    Span(next, i * bytes, bytes)
                )

            rewards[i] <- reward
            bootstraps[i] <- bootstrap

        repeat observations bytes
        repeat next bytes
        repeat actions actionSize
        repeat rewards 1
        repeat bootstraps 1
