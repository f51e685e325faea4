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

/// Makes the links while the rows of several environments are appended in any order. Knows the last row and position per environment: -1 where
/// no episode was begun.
[<Sealed>]
type FrameLinker(environments: int) =
    let rows = Array.create environments -1L
    let positions = Array.create environments -1

    /// What no row has as the one before it: such a link leads out of every window.
    static member Nothing = Int32.MaxValue

    /// That an environment's newest row so far is this one.
    member _.Know(environment: int, row: int64, position: int) : unit =
        rows[environment] <- row
        positions[environment] <- position

    /// Whether the newest row of an environment is known.
    member _.Knows(environment: int) = rows[environment] >= 0L

    /// The link of an environment's next row. A frame whose predecessor is not the newest row that is known of the environment has lost it.
    member this.Next(environment: int, position: int, row: int64) : FrameLink =
        let back =
            if position = 0 then
                0
            elif positions[environment] = position - 1 then
                int (row - rows[environment])
            else
                FrameLinker.Nothing

        this.Know(environment, row, position)
        { Position = position; Back = back }

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
