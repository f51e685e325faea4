namespace NE.Model.Agents

open System
open NE.Model
open NE.Model.Replay

/// Working memory for computations on a fixed number of rows of the replay memory.
[<AbstractClass>]
type Batch(rows: int) =
    /// Draws of one row after which it is given up that the window has a transition at all.
    let patience = 1_000_000

    member _.Rows = rows
    /// Which rows, to be filled by the caller before Gather.
    member val RowNumbers: int64[] = Array.zeroCreate rows
    /// Reads the transitions named by RowNumbers.
    abstract Gather: source: ITransitionSource -> unit
    /// Whether a row of the window stands for a transition that can be gathered.
    abstract Holds: source: ITransitionSource * window: Window * row: int64 -> bool
    default _.Holds(_, _, _) = true

    /// Draws RowNumbers from the window, a row that stands for no transition anew. Raises InvalidOperationException for a window without any.
    member this.Draw(chosen: BatchSource, source: ITransitionSource, window: Window, draws: Draws) : unit =
        AgeOrder.sample chosen rows window draws (Span this.RowNumbers)

        for i in 0 .. rows - 1 do
            let mutable tries = 0

            while not (this.Holds(source, window, this.RowNumbers[i])) do
                tries <- tries + 1

                if tries > patience then
                    invalidOp
                        $"None of the {window.Size} rows of the replay window ends a transition that is wholly stored: are the episodes shorter than pixels.returnSteps?"

                AgeOrder.sample chosen rows window draws (Span(this.RowNumbers, i, 1))

    /// Reads transitions drawn uniformly from the window.
    member this.GatherUniform(source: ITransitionSource, window: Window, draws: Draws) : unit =
        this.Draw(Whole, source, window, draws)
        this.Gather source
