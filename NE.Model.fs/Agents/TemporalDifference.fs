namespace NE.Model.Agents

open System
open NE.Model.Networks

/// What the losses of critics are made of, over any engine. Columns are rows x 1.
[<RequireQualifiedAccess>]
module TemporalDifference =
    /// target = reward + discount * notDone * min over the values, which `least` holds afterwards.
    let target
        (engine: IEngine)
        (values: IMatrix[])
        (reward: IMatrix)
        (notDone: IMatrix)
        (discount: float32)
        (least: IMatrix)
        (target: IMatrix)
        : unit =
        engine.Copy(values[0], least)

        for i in 1 .. values.Length - 1 do
            engine.Minimum(least, values[i])

        engine.Copy(reward, target)
        engine.AddProduct(target, discount, notDone, least)

    /// loss = the sum over the values of mean (value - target)^2; gradient = 2 / rows * (value - target) for every value.
    let squaredError (engine: IEngine) (values: IMatrix[]) (target: IMatrix) (gradients: IMatrix[]) (loss: ISum) : unit =
        loss.Clear()

        for i in 0 .. values.Length - 1 do
            engine.Copy(values[i], gradients[i])
            engine.Add(gradients[i], -1.0f, target)
            loss.AddMeanSquare gradients[i]
            engine.Scale(gradients[i], 2.0f / float32 target.Rows)

    /// mean (value - target)^2 of each, on the host: the terms of the loss.
    let meanSquares (values: IMatrix[]) (target: IMatrix) : float[] =
        let read (matrix: IMatrix) =
            let entries = Array.zeroCreate<float32> matrix.Rows
            matrix.Read(Span entries)
            entries

        let target = read target

        values
        |> Array.map (fun value ->
            Array.fold2 (fun sum q y -> sum + (float q - float y) ** 2.0) 0.0 (read value) target
            / float target.Length)
