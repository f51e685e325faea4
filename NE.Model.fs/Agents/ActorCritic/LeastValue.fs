namespace NE.Model.Agents

open System
open NE.Model.Networks

/// min_i Q_i(s, a) of a batch as actors are taught with it, and the gradient by the actions. On the host.
[<Sealed>]
type LeastValue(rows: int) =
    let values = Array.init 2 (fun _ -> Array.zeroCreate<float32> rows)
    let gradient = Array.zeroCreate<float32> rows

    /// After a forward pass of both critics: from -mean min_i Q_i back to what the pass was made for. -1 / rows goes where a critic has the
    /// smaller value (the first one where they are equal), 0 elsewhere.
    member _.Backward(critics: IPass) : unit =
        for critic in 0..1 do
            critics.Output(critic).Read(Span values[critic])

        for critic in 0..1 do
            for row in 0 .. rows - 1 do
                let isLeast = values[1].[row] < values[0].[row] = (critic = 1)
                gradient[row] <- if isLeast then -1.0f / float32 rows else 0.0f

            critics.OutputGradient(critic).Write(ReadOnlySpan gradient)

        critics.Backward()

    /// mean min_i Q_i of the last Backward.
    member _.Mean: float =
        let mutable sum = 0.0

        for row in 0 .. rows - 1 do
            sum <- sum + float (MathF.Min(values[0].[row], values[1].[row]))

        sum / float rows
