namespace NE.Model.Agents.Plasticity

open System
open NE.Model.Networks

/// How far an event moves a network's outputs (docs/algorithm.md 1.6).
[<RequireQualifiedAccess>]
module internal OutputShift =

    /// The outputs of every stack of the pass's last Forward.
    let outputs (pass: IPass) : float32[][] =
        Array.init pass.Stacks (fun stack ->
            let matrix = pass.Output stack
            let values = Array.zeroCreate<float32>(matrix.Rows * matrix.Columns)
            matrix.Read(Span values)
            values)

    /// max |change| / standard deviation over the batch, the largest of the stacks.
    let between (before: float32[][]) (after: float32[][]) : float =
        let one (x: float32[]) (y: float32[]) =
            let mean = x |> Array.averageBy float
            let deviation = sqrt (x |> Array.averageBy (fun v -> (float v - mean) ** 2.0))

            let change =
                Seq.zip x y |> Seq.map (fun (a, b) -> abs (float b - float a)) |> Seq.max

            if change = 0.0 then 0.0 else change / max deviation 1e-12

        Array.map2 one before after |> Array.max
