namespace NE.Model.Agents

open System
open NE.Model
open NE.Model.Replay

/// Working memory for computations on a fixed number of rows of the replay memory.
[<AbstractClass>]
type Batch(rows: int) =
    member _.Rows = rows
    /// Which rows, to be filled by the caller before Gather.
    member val RowNumbers: int64[] = Array.zeroCreate rows
    /// Reads the transitions named by RowNumbers.
    abstract Gather: source: ITransitionSource -> unit

    /// Reads transitions drawn uniformly from the window.
    member this.GatherUniform(source: ITransitionSource, window: Window, draws: Draws) : unit =
        AgeOrder.sampleUniform window draws (Span this.RowNumbers)
        this.Gather source
