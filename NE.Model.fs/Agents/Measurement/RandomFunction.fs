namespace NE.Model.Agents

open System
open NE.Model

/// Functions of a network's inputs that no network has learned: what the plasticity probe asks for. Matrices are row-major.
[<RequireQualifiedAccess>]
module internal RandomFunction =

    /// Below this an input or a value does not vary.
    [<Literal>]
    let private Still = 1e-6

    let private column (columns: int) (values: float32[]) (index: int) =
        Array.init (values.Length / columns) (fun row -> float values[row * columns + index])

    /// Mean and deviation over a sample.
    let private moments (sample: float[]) =
        let mean = Array.average sample
        struct (mean, sqrt (sample |> Array.averageBy (fun value -> (value - mean) * (value - mean))))

    /// The deviation over the rows of each column.
    let deviations (columns: int) (values: float32[]) : float[] =
        Array.init columns (fun index ->
            let struct (_, deviation) = moments (column columns values index)
            deviation)

    /// sin(w z + phase) of the normalised inputs z, for each output, w ~ N(0, frequency^2 / inputs that vary); its mean over the rows is 0 and its
    /// deviation 1. Rows x outputs. Every input has its w whether it varies or not, so that one that begins to vary changes no other's.
    let draw (frequency: float) (draws: Draws) (inputs: float32[]) (columns: int) (outputs: int) : float[] =
        let varying =
            Array.init columns id
            |> Array.choose (fun index ->
                let sample = column columns inputs index
                let struct (mean, deviation) = moments sample

                if deviation > Still then
                    Some(index, sample |> Array.map (fun value -> (value - mean) / deviation))
                else
                    None)

        let indices, normalised = Array.unzip varying

        let rows = inputs.Length / columns
        let values = Array.zeroCreate<float>(rows * outputs)
        let all = Array.zeroCreate<float32> columns

        for output in 0 .. outputs - 1 do
            draws.FillNormal(Span all, float32 (frequency / sqrt (float (max 1 normalised.Length))))
            let weights = indices |> Array.map (fun index -> all[index])
            let phase = 2.0 * Math.PI * draws.NextDouble()

            let angle row =
                Array.fold2 (fun sum (weight: float32) (z: float[]) -> sum + float weight * z[row]) phase weights normalised

            let waves = Array.init rows (angle >> sin)
            let struct (mean, deviation) = moments waves

            waves
            |> Array.iteri (fun row wave -> values[row * outputs + output] <- (wave - mean) / max deviation Still)

        values
