namespace NE.Model.Replay

open System

/// Rebuilds the observations of pixel transitions from rows that hold one frame each. One reader, within the window that it was handed. Makes no
/// garbage.
[<Sealed>]
type PixelReader(source: ITransitionSource, layout: PixelRows) =
    let shape = layout.Shape
    let mutable chain: int64[] = [||]

    /// Room for the rows of a transition.
    let room (steps: int) =
        ArgumentOutOfRangeException.ThrowIfLessThan(steps, 1, nameof steps)
        let length = FrameLinks.chainLength shape.Stack steps

        if chain.Length < length then
            chain <- Array.zeroCreate length

        length

    /// Copies the frames of rows given newest first into an observation, oldest first.
    let stack from (observation: Span<byte>) =
        for i in 0 .. shape.Stack - 1 do
            (layout.ReadFrame(source.Row chain[from + i])).CopyTo(observation.Slice((shape.Stack - 1 - i) * shape.FrameBytes))

    /// Whether a transition of n steps ends with this row and all its frames are in the window. Only such rows may be gathered.
    member this.IsTransition(window: Window, steps: int, row: int64) : bool =
        let length = room steps
        FrameLinks.chain this window steps row (Span(chain, 0, length))

    /// The transition of n steps that ends with a row for which IsTransition holds, as DrQ-v2 makes it. Writes the observation in which the action
    /// was taken, [ObservationBytes]; the first action, [ActionSize]; the observation after the last step, [ObservationBytes]. Returns the
    /// discounted sum of the rewards, and what the value of the next observation counts: gamma^n, or 0 where the task ended. Raises
    /// ArgumentException for a row that ends no such transition.
    member this.Gather
        (window: Window, steps: int, row: int64, discount: float, observation: Span<byte>, action: Span<float32>, next: Span<byte>)
        : struct (float32 * float32) =
        if not (this.IsTransition(window, steps, row)) then
            invalidArg
                (nameof row)
                $"Row {row} ends no transition of {steps} steps in the window [{window.First}, {window.Head}): ask IsTransition first."

        stack steps observation
        stack 0 next
        (layout.ReadAction(source.Row chain[steps - 1])).CopyTo action
        let mutable sum = 0.0
        let mutable factor = 1.0

        for i = steps - 1 downto 0 do
            sum <- sum + factor * float (layout.ReadReward(source.Row chain[i]))
            factor <- factor * discount

        struct (float32 sum, float32 (factor * float (layout.ReadNotDone(source.Row row))))

    interface IFrameLinks with
        member _.Link row = layout.ReadLink(source.Row row)

/// The layout that goes with a form of observations.
[<RequireQualifiedAccess>]
module TransitionRows =
    let create (observation: ObservationForm) (actionSize: int) : ITransitionRows =
        match observation with
        | ObservationForm.Vector size ->
            VectorRows {
                ObservationSize = size
                ActionSize = actionSize
            }
        | ObservationForm.Pixels shape -> PixelRows(shape, actionSize)
