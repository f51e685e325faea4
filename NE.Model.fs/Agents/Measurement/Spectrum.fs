namespace NE.Model.Agents

open System
open System.Runtime.Intrinsics
open Microsoft.FSharp.NativeInterop

/// Singular values of matrices of activations, as square roots of the eigenvalues of their Gram matrix: in float64, with Householder's
/// reduction to tridiagonal form and implicit QR steps (Golub and Van Loan, Matrix Computations, 8.3). Ours, because the metrics may
/// take 2 % of the learner's time: MathNet.Numerics, with which the tests compare, needs 115 ms for a layer of 256 x 256. Every sum has
/// one order, so neither threads nor the width of vectors change a bit. Owned by one thread; memory grows to the largest matrix seen.
[<Sealed>]
type Spectrum() =
    // Lanes of a Vector512<float>, which .NET makes of narrower vectors where the processor has no wider ones.
    let lanes = 8

    let mutable samples: float[] = [||]
    let mutable matrix: float[] = [||]
    let mutable vectors: float[][] = [||]

    let padded count = (count + lanes - 1) / lanes * lanes

    let prepare depth side =
        let stride = padded side

        if samples.Length < padded depth * stride then
            samples <- Array.zeroCreate (padded depth * stride)

        if matrix.Length < side * stride then
            matrix <- Array.zeroCreate (side * stride)

        if vectors.Length = 0 || vectors[0].Length < stride then
            vectors <- Array.init 5 (fun _ -> Array.zeroCreate stride)

        Array.Clear samples
        Array.Clear matrix

        for vector in vectors do
            Array.Clear vector

        stride

    /// The lower triangle of X^T X for X of depth x side in `samples`, then both triangles.
    let gram depth side stride =
        use x = fixed samples
        use g = fixed matrix

        for first in 0..lanes .. depth - 1 do
            let row k = NativePtr.add x ((first + k) * stride)

            let r0, r1, r2, r3, r4, r5, r6, r7 =
                row 0, row 1, row 2, row 3, row 4, row 5, row 6, row 7

            for i in 0 .. side - 1 do
                let b0 = Vector512.Create(NativePtr.get r0 i)
                let b1 = Vector512.Create(NativePtr.get r1 i)
                let b2 = Vector512.Create(NativePtr.get r2 i)
                let b3 = Vector512.Create(NativePtr.get r3 i)
                let b4 = Vector512.Create(NativePtr.get r4 i)
                let b5 = Vector512.Create(NativePtr.get r5 i)
                let b6 = Vector512.Create(NativePtr.get r6 i)
                let b7 = Vector512.Create(NativePtr.get r7 i)
                let destination = NativePtr.add g (i * stride)
                let mutable j = 0

                while j <= i do
                    let mutable sum = Vector512.Load(NativePtr.add destination j)
                    sum <- Vector512.FusedMultiplyAdd(b0, Vector512.Load(NativePtr.add r0 j), sum)
                    sum <- Vector512.FusedMultiplyAdd(b1, Vector512.Load(NativePtr.add r1 j), sum)
                    sum <- Vector512.FusedMultiplyAdd(b2, Vector512.Load(NativePtr.add r2 j), sum)
                    sum <- Vector512.FusedMultiplyAdd(b3, Vector512.Load(NativePtr.add r3 j), sum)
                    sum <- Vector512.FusedMultiplyAdd(b4, Vector512.Load(NativePtr.add r4 j), sum)
                    sum <- Vector512.FusedMultiplyAdd(b5, Vector512.Load(NativePtr.add r5 j), sum)
                    sum <- Vector512.FusedMultiplyAdd(b6, Vector512.Load(NativePtr.add r6 j), sum)
                    sum <- Vector512.FusedMultiplyAdd(b7, Vector512.Load(NativePtr.add r7 j), sum)
                    Vector512.Store(sum, NativePtr.add destination j)
                    j <- j + lanes

        for i in 0 .. side - 1 do
            for j in 0 .. i - 1 do
                NativePtr.set g (j * stride + i) (NativePtr.get g (i * stride + j))

    /// A <- A - v w^T - w v^T on the leading `count` rows and columns, and p <- A u, in one walk over the matrix. Rows go in pairs and
    /// columns in vectors, so there must be a row more than `count`, and u must be 0 from `count` on; what A has there is not used.
    let updateAndMultiply count stride (v: float[]) (w: float[]) (u: float[]) (p: float[]) =
        use a = fixed matrix
        use v = fixed v
        use w = fixed w
        use u = fixed u
        use p = fixed p
        let mutable i = 0

        while i < count do
            let upper = NativePtr.add a (i * stride)
            let lower = NativePtr.add upper stride
            let v0 = Vector512.Create(-(NativePtr.get v i))
            let w0 = Vector512.Create(-(NativePtr.get w i))
            let v1 = Vector512.Create(-(NativePtr.get v (i + 1)))
            let w1 = Vector512.Create(-(NativePtr.get w (i + 1)))
            let mutable sum0 = Vector512<float>.Zero
            let mutable sum1 = Vector512<float>.Zero
            let mutable j = 0

            while j < count do
                let vj, wj, uj =
                    Vector512.Load(NativePtr.add v j), Vector512.Load(NativePtr.add w j), Vector512.Load(NativePtr.add u j)

                let a0 =
                    Vector512.FusedMultiplyAdd(w0, vj, Vector512.FusedMultiplyAdd(v0, wj, Vector512.Load(NativePtr.add upper j)))

                let a1 =
                    Vector512.FusedMultiplyAdd(w1, vj, Vector512.FusedMultiplyAdd(v1, wj, Vector512.Load(NativePtr.add lower j)))

                Vector512.Store(a0, NativePtr.add upper j)
                Vector512.Store(a1, NativePtr.add lower j)
                sum0 <- Vector512.FusedMultiplyAdd(a0, uj, sum0)
                sum1 <- Vector512.FusedMultiplyAdd(a1, uj, sum1)
                j <- j + lanes

            let mutable total0 = 0.0
            let mutable total1 = 0.0

            for lane in 0 .. lanes - 1 do
                total0 <- total0 + sum0.GetElement lane
                total1 <- total1 + sum1.GetElement lane

            NativePtr.set p i total0
            NativePtr.set p (i + 1) total1
            i <- i + 2

    /// Reduces `matrix` to a tridiagonal one of the same eigenvalues, from the last row up: its diagonal, and the entries beside it.
    let tridiagonal side stride =
        let diagonal, beside = Array.zeroCreate<float> side, Array.zeroCreate<float> side
        // The reflection that is still to be applied, the next one, and its product with the matrix.
        let mutable v, w, u, p = vectors[0], vectors[1], vectors[2], vectors[3]
        let row = vectors[4]

        for last in side - 1 .. -1 .. 1 do
            // The last row of the leading matrix, with the reflection before applied.
            for j in 0..last do
                row[j] <- matrix[last * stride + j] - v[last] * w[j] - w[last] * v[j]

            diagonal[last] <- row[last]
            let end' = row[last - 1]
            let mutable rest = 0.0

            for j in 0 .. last - 2 do
                rest <- rest + row[j] * row[j]

            Array.Clear u

            if rest = 0.0 then
                beside[last - 1] <- end'
                updateAndMultiply last stride v w u p
                Array.Clear v
                Array.Clear w
            else
                // u = x - alpha e, with the sign that cancels nothing; I - beta u u^T maps x to alpha e.
                let alpha = -Math.CopySign(sqrt (rest + end' * end'), end')
                beside[last - 1] <- alpha
                Array.blit row 0 u 0 last
                u[last - 1] <- end' - alpha
                let beta = 2.0 / (rest + u[last - 1] * u[last - 1])
                updateAndMultiply last stride v w u p
                // w = beta p - (beta^2 / 2) (p . u) u
                let mutable product = 0.0

                for j in 0 .. last - 1 do
                    product <- product + p[j] * u[j]

                let share = beta * beta / 2.0 * product
                Array.Clear w

                for j in 0 .. last - 1 do
                    w[j] <- beta * p[j] - share * u[j]

                let free = v
                v <- u
                u <- free

        diagonal[0] <- matrix[0]
        struct (diagonal, beside)

    /// The eigenvalues of a tridiagonal matrix, into `d`; false when they are no numbers.
    let eigenvalues (d: float[]) (e: float[]) =
        let mutable scale = 0.0

        for k in 0 .. d.Length - 1 do
            scale <- max scale (abs d[k] + abs e[k])

        // Entries that are nothing beside the largest eigenvalue.
        let negligible = Double.Epsilon + scale * 2.220446049250313e-16
        let mutable high = d.Length - 1
        let mutable stepsLeft = 60 * d.Length

        while high > 0 && stepsLeft > 0 && Double.IsFinite scale do
            if abs e[high - 1] <= negligible then
                high <- high - 1
            else
                let mutable low = high - 1

                while low > 0 && abs e[low - 1] > negligible do
                    low <- low - 1

                // One QR step on [low, high], shifted by the eigenvalue of the last 2 x 2 block that is nearer to its end (Wilkinson).
                let half = (d[high - 1] - d[high]) / 2.0
                let last = e[high - 1]

                let shift =
                    d[high]
                    - last * last / (half + Math.CopySign(sqrt (half * half + last * last), half))

                let mutable x = d[low] - shift
                let mutable z = e[low]

                for k in low .. high - 1 do
                    let r = sqrt (x * x + z * z)
                    let c, s = if r = 0.0 then 1.0, 0.0 else x / r, z / r

                    if k > low then
                        e[k - 1] <- r

                    let a, b, q = d[k], e[k], d[k + 1]
                    let cross = 2.0 * c * s * b
                    d[k] <- c * c * a + cross + s * s * q
                    d[k + 1] <- s * s * a - cross + c * c * q
                    e[k] <- c * s * (q - a) + (c * c - s * s) * b
                    x <- e[k]

                    if k < high - 1 then
                        z <- s * e[k + 1]
                        e[k + 1] <- c * e[k + 1]

                stepsLeft <- stepsLeft - 1

        stepsLeft > 0 && Double.IsFinite scale

    /// The min(rows, columns) singular values of a row-major matrix, largest first. Squares below `min(rows, columns)` rounding errors of
    /// the largest are noise and count as 0. All NaN when the matrix has entries that are no numbers.
    member _.SingularValues(rows: int, columns: int, values: ReadOnlySpan<float32>) : float[] =
        if rows < 1 || columns < 1 || values.Length < rows * columns then
            invalidArg (nameof values) $"A {rows} x {columns} matrix was expected, found {values.Length} values."

        // X^T X and X X^T have the same eigenvalues but for zeros; the smaller one is computed.
        let side, depth = min rows columns, max rows columns
        let stride = prepare depth side

        for row in 0 .. rows - 1 do
            for column in 0 .. columns - 1 do
                let at =
                    if columns <= rows then
                        row * stride + column
                    else
                        column * stride + row

                samples[at] <- float values[row * columns + column]

        gram depth side stride
        let struct (diagonal, beside) = tridiagonal side stride

        if eigenvalues diagonal beside then
            Array.sortInPlace diagonal
            Array.Reverse diagonal
            let noise = diagonal[0] * float side * 2.220446049250313e-16

            diagonal
            |> Array.map (fun square -> if square <= noise then 0.0 else sqrt square)
        else
            Array.create side nan
