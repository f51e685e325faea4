namespace NE.Model.Networks.Simd

/// The rows of all stacks of a pass in blocks: the parts of a job. A block begins at a multiple of `Unit`.
[<Sealed>]
type internal RowBlocks(stacks: int, rows: int, lanes: int) =
    // One block of a stack for a single lane. Several lanes get four blocks each, so that one that is late leaves something to take.
    let height =
        if lanes = 1 then
            rows
        else
            (stacks * rows / (4 * lanes) + RowBlocks.Unit - 1) / RowBlocks.Unit
            * RowBlocks.Unit
            |> max RowBlocks.Unit

    let perStack = (rows + height - 1) / height
    /// Rows that are always in one block.
    static member Unit = 8
    /// Number of blocks.
    member _.Count = stacks * perStack
    /// First block of a lane.
    member this.First(lane: int, lanes: int) = this.Count * lane / lanes
    member _.Stack block = block / perStack
    /// First row of a block.
    member _.From block = block % perStack * height

    /// The row after the last one of a block.
    member _.UpTo block =
        min rows ((block % perStack + 1) * height)
