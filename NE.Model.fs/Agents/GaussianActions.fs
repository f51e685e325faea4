namespace NE.Model.Agents

open System
open NE.Model
open NE.Model.Networks

/// The actions that a squashed Gaussian policy draws for a batch, their log-probabilities, and the gradient by the network's outputs. On the
/// host, whatever the engine: the noise is drawn there, and a batch has few components.
[<Sealed>]
type GaussianActions(rows: int, components: int, maxAction: float32, form: LogDeviation) =
    let count = rows * components

    let outputs =
        Array.zeroCreate<float32>(count * SquashedGaussian.OutputsPerComponent)

    let actions = Array.zeroCreate<float32> count

    let padded () =
        Array.zeroCreate<float32>(
            (count + SquashedGaussian.LaneCount - 1) / SquashedGaussian.LaneCount
            * SquashedGaussian.LaneCount
        )

    let means, logDeviations, logDensities = padded (), padded (), padded ()
    // sigma eps, tanh(u), and the derivative of log sigma by the output, of the last Sample.
    let scaledNoise, squashed = padded (), padded ()
    let slopes = Array.zeroCreate<float32> count

    let logProbabilities, weighted =
        Array.zeroCreate<float32> rows, Array.zeroCreate<float32> rows

    /// log pi(a|s) [rows] of the last Sample.
    member _.LogProbabilities: float32[] = logProbabilities

    /// Writes weight * log pi(a|s) [rows x 1].
    member _.WriteLogProbabilities(weight: float32, destination: IMatrix) : unit =
        for row in 0 .. rows - 1 do
            weighted[row] <- weight * logProbabilities[row]

        destination.Write(ReadOnlySpan weighted)

    /// Their mean: minus the entropy of the policy, estimated on the batch.
    member _.MeanLogProbability: float =
        let mutable sum = 0.0

        for value in logProbabilities do
            sum <- sum + float value

        sum / float rows

    /// From a network's outputs [rows x 2 components] to actions [rows x components] drawn from them. Takes a normal for every component, row
    /// by row. Components from `live` on, which the task does not have, must have outputs of 0: their action is 0, and log pi is of the others.
    member _.Sample(source: IMatrix, live: int, draws: Draws, action: IMatrix) : unit =
        source.Read(Span outputs)
        draws.FillNormal(Span(scaledNoise, 0, count), 1.0f)

        for i in 0 .. count - 1 do
            means[i] <- outputs[2 * i]

            let struct (logDeviation, slope) =
                SquashedGaussian.logDeviation form outputs[2 * i + 1]

            logDeviations[i] <- logDeviation
            slopes[i] <- slope

        if live < components then
            for row in 0 .. rows - 1 do
                Array.fill scaledNoise (row * components + live) (components - live) 0.0f

        SquashedGaussian.sample means logDeviations scaledNoise squashed logDensities

        for row in 0 .. rows - 1 do
            let mutable sum = 0.0f

            for i in row * components .. row * components + live - 1 do
                sum <- sum + logDensities[i]

            logProbabilities[row] <- sum

        for i in 0 .. count - 1 do
            actions[i] <- maxAction * squashed[i]

        action.Write(ReadOnlySpan actions)

    /// The gradient by the outputs of the last Sample of L = weight * (sum of log pi) + f(actions), given that of f by the actions
    /// [rows x components]. With t = tanh(u), and eps held: da/du = a_max (1 - t^2), dlog pi/du = 2 t, dlog pi/dlog sigma = 2 t sigma eps - 1.
    /// From log sigma on it goes to the output that made it.
    member _.Backward(actionGradient: IMatrix, weight: float32, live: int, outputGradient: IMatrix) : unit =
        actionGradient.Read(Span actions)

        for i in 0 .. count - 1 do
            let t = squashed[i]

            if i % components < live then
                let byU = actions[i] * maxAction * (1.0f - t * t) + weight * 2.0f * t
                outputs[2 * i] <- byU

                outputs[2 * i + 1] <-
                    if slopes[i] = 0.0f then
                        0.0f
                    else
                        slopes[i] * (byU * scaledNoise[i] - weight)
            else
                outputs[2 * i] <- 0.0f
                outputs[2 * i + 1] <- 0.0f

        outputGradient.Write(ReadOnlySpan outputs)
