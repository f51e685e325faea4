/// Random orthogonal matrices (Saxe et al. 2014).
[<RequireQualifiedAccess>]
module NE.Model.Networks.Orthogonal

open System
open System.Runtime.InteropServices
open System.Runtime.Intrinsics
open NE.Model

type private V = Vector256<float>

/// Sums in one order, whatever the processor's vectors are.
let private dot (x: float[]) (y: float[]) : float =
    let x4 = MemoryMarshal.Cast<float, V>(Span x)
    let y4 = MemoryMarshal.Cast<float, V>(Span y)
    let mutable sum = V.Zero

    for i in 0 .. x4.Length - 1 do
        sum <- Vector256.FusedMultiplyAdd(x4[i], y4[i], sum)

    let mutable total = (sum[0] + sum[2]) + (sum[1] + sum[3])

    for i in 4 * x4.Length .. x.Length - 1 do
        total <- total + x[i] * y[i]

    total

/// y = y - factor x.
let private subtract (factor: float) (x: float[]) (y: float[]) : unit =
    let x4 = MemoryMarshal.Cast<float, V>(Span x)
    let y4 = MemoryMarshal.Cast<float, V>(Span y)
    let factors = Vector256.Create -factor

    for i in 0 .. x4.Length - 1 do
        y4[i] <- Vector256.FusedMultiplyAdd(factors, x4[i], y4[i])

    for i in 4 * x4.Length .. x.Length - 1 do
        y[i] <- y[i] - factor * x[i]

/// So many orthonormal vectors, at most as many as they have components, uniformly random: normals through the modified Gram-Schmidt process,
/// whose R has a positive diagonal, in double precision.
let private vectors (count: int) (length: int) (draws: Draws) : float[][] =
    let normals = Array.zeroCreate<float32> length

    let made =
        Array.init count (fun _ ->
            draws.FillNormal(Span normals, 1.0f)
            Array.map float normals)

    for i in 0 .. count - 1 do
        for j in 0 .. i - 1 do
            subtract (dot made[j] made[i]) made[j] made[i]

        let scale = 1.0 / sqrt (dot made[i] made[i])

        for k in 0 .. length - 1 do
            made[i].[k] <- scale * made[i].[k]

    made

/// Fills a matrix [rows x columns], row-major, with gain times one whose rows are orthonormal, or whose columns are where there are more rows.
let fill (gain: float) (rows: int) (columns: int) (matrix: Span<float32>) (draws: Draws) : unit =
    let isWide = rows <= columns
    let made = vectors (min rows columns) (max rows columns) draws

    for row in 0 .. rows - 1 do
        for column in 0 .. columns - 1 do
            let value = if isWide then made[row].[column] else made[column].[row]
            matrix[row * columns + column] <- float32 (gain * value)
