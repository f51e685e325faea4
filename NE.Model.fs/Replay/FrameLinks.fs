namespace NE.Model.Replay

open System

/// Where a row's frame lies in its episode. Stored with the row, so that every stack can be rebuilt from frames that are stored once.
[<Struct>]
type FrameLink = {
    /// Steps of the episode that led to this frame. 0 is the frame of the reset, a row without a transition.
    Position: int
    /// Rows from this one back to the row of the frame before, in the same episode; 0 at position 0.
    Back: int
}

/// Where the links of stored rows are read from.
type IFrameLinks =
    /// The link of a stored row.
    abstract Link: row: int64 -> FrameLink

/// Makes the links while the rows of several environments are appended in any order. Its state is the last row and position per
/// environment: -1 where no episode was begun.
[<Sealed>]
type FrameLinker(rows: int64[], positions: int[]) =
    do
        if rows.Length <> positions.Length then
            invalidArg (nameof positions) $"Expected a position for each of {rows.Length} environments, found {positions.Length}."

    let rows = Array.copy rows
    let positions = Array.copy positions

    /// No episode has begun.
    new(environments: int) = FrameLinker(Array.create environments -1L, Array.create environments -1)

    /// Last row per environment.
    member _.Rows = Array.copy rows
    /// Position of that row per environment.
    member _.Positions = Array.copy positions

    /// The row that an environment's episode begins with.
    member _.Begin(environment: int, row: int64) : FrameLink =
        rows[environment] <- row
        positions[environment] <- 0
        { Position = 0; Back = 0 }

    /// The row of an environment's next step.
    member _.Next(environment: int, row: int64) : FrameLink =
        if positions[environment] < 0 then
            invalidOp $"Environment {environment} has no episode that row {row} could continue: store the frame of its reset first."

        let link = {
            Position = positions[environment] + 1
            Back = int (row - rows[environment])
        }

        rows[environment] <- row
        positions[environment] <- link.Position
        link

/// Which rows hold the frames of a transition.
[<RequireQualifiedAccess>]
module FrameLinks =

    /// Rows that an n-step transition reaches back to, itself included, for stacks of this many frames.
    let chainLength (stack: int) (steps: int) = steps + stack

    /// For the transition of `steps` steps that ends with `row`: chain[i] is the row of the frame i steps earlier, or of the episode's first
    /// frame where there is none (the frame of a reset stands for those before it). Then the next observation's frames are
    /// chain[stack - 1 .. 0], oldest first, and the observation's chain[steps + stack - 1 .. steps]; the action is that of
    /// chain[steps - 1], and the rewards are those of chain[steps - 1 .. 0].
    ///
    /// False when there is no such transition: fewer steps lead to the row, or a frame of it is older than the window. The chain's length
    /// is `chainLength`.
    let chain (links: IFrameLinks) (window: Window) (steps: int) (row: int64) (chain: Span<int64>) : bool =
        if row < window.First || row >= window.Head then
            false
        else
            let mutable link = links.Link row
            let mutable at = row
            let mutable found = link.Position >= steps
            let mutable i = 1
            chain[0] <- row

            while found && i < chain.Length do
                if link.Position > 0 then
                    at <- at - int64 link.Back

                    if at < window.First then
                        found <- false
                    else
                        link <- links.Link at

                chain[i] <- at
                i <- i + 1

            found
