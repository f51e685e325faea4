namespace NE.Model.Networks.Simd

open System.Runtime.CompilerServices
open Microsoft.FSharp.NativeInterop

/// A piece of a product's depth, by what has to be added to the addresses of A and B, in floats.
[<Struct>]
type internal Run = { A: int; B: int }

/// A product C = A B whose depth is made of runs of equal length: a convolution's, where a row of A is what a filter sees of an image, in one
/// piece per line of pixels. A's element (row, k) of a run is at a[run.A + row * ARow + k * ADepth], B's row k at b[run.B + k * BDepth]; the
/// rows of C are CRow floats apart.
[<Struct; NoEquality; NoComparison>]
type internal RunProduct = {
    ARow: int
    ADepth: int
    BDepth: int
    Runs: nativeptr<Run>
    /// Number of runs; 0 for a product that is 0.
    Count: int
    /// Length of a run.
    Depth: int
    CRow: int
    /// Whether the sums start from what is in C. Finish.Bias is null then.
    Adds: bool
    Finish: Finish
}

/// Rows in tiles of six and, behind them, of five.
[<RequireQualifiedAccess>]
module internal SixesAndFives =

    /// How many fives, where both come out even, as they do from 20 rows on.
    let fives (rows: int) : int voption =
        let count = (6 - rows % 6) % 6
        if 5 * count <= rows then ValueSome count else ValueNone

/// The micro-kernels of such products: tiles of six, five or one row by two vectors, held in registers over all runs. Twelve sums leave room for
/// their operands among 16 registers and are enough for the multiply-add units of a processor with 32; and six and five make up any number of
/// rows from 20 on. What Tiles says of bits and hints holds here, too.
[<Sealed; AbstractClass>]
type internal RunTiles<'V, 'Ops when 'Ops: struct and 'Ops :> IVectorOperations<'V>>() =
    /// Six rows.
    [<MethodImpl(MethodImplOptions.NoInlining)>]
    static member Six
        (t: inref<RunProduct>, a: nativeptr<float32>, b: nativeptr<float32>, c: nativeptr<float32>, row: int, column: int)
        : unit =
        let mutable s00 = 'Ops.Zero
        let mutable s01 = 'Ops.Zero

        if NativePtr.toNativeInt t.Finish.Bias <> 0n then
            s00 <- 'Ops.Load(NativePtr.add t.Finish.Bias column)
            s01 <- 'Ops.Load(NativePtr.add t.Finish.Bias (column + 'Ops.Count))

        let mutable s10, s20, s30, s40, s50 = s00, s00, s00, s00, s00
        let mutable s11, s21, s31, s41, s51 = s01, s01, s01, s01, s01

        let c1 = NativePtr.add c t.CRow
        let c2 = NativePtr.add c1 t.CRow
        let c3 = NativePtr.add c2 t.CRow
        let c4 = NativePtr.add c3 t.CRow
        let c5 = NativePtr.add c4 t.CRow

        if t.Adds then
            s00 <- 'Ops.Load c
            s01 <- 'Ops.Load(NativePtr.add c 'Ops.Count)
            s10 <- 'Ops.Load c1
            s11 <- 'Ops.Load(NativePtr.add c1 'Ops.Count)
            s20 <- 'Ops.Load c2
            s21 <- 'Ops.Load(NativePtr.add c2 'Ops.Count)
            s30 <- 'Ops.Load c3
            s31 <- 'Ops.Load(NativePtr.add c3 'Ops.Count)
            s40 <- 'Ops.Load c4
            s41 <- 'Ops.Load(NativePtr.add c4 'Ops.Count)
            s50 <- 'Ops.Load c5
            s51 <- 'Ops.Load(NativePtr.add c5 'Ops.Count)

        let r = nativeint t.ARow * 4n
        let r2 = r + r
        let step = nativeint t.ADepth * 4n
        let down = nativeint t.BDepth * 4n
        let mutable run = t.Runs
        let mutable left = t.Count

        while left > 0 do
            let mutable a0 = NativePtr.add a (NativePtr.read run).A
            let mutable a3 = Tiles<'V, 'Ops>.Advance(a0, r2 + r)
            let mutable b = NativePtr.add b (NativePtr.read run).B
            let mutable k = t.Depth

            while k > 0 do
                let b0 = 'Ops.Load b
                let b1 = 'Ops.Load(NativePtr.add b 'Ops.Count)
                let x = 'Ops.Broadcast a0
                s00 <- 'Ops.MultiplyAdd(x, b0, s00)
                s01 <- 'Ops.MultiplyAdd(x, b1, s01)
                let x = 'Ops.Broadcast(Tiles<'V, 'Ops>.Advance(a0, r))
                s10 <- 'Ops.MultiplyAdd(x, b0, s10)
                s11 <- 'Ops.MultiplyAdd(x, b1, s11)
                let x = 'Ops.Broadcast(Tiles<'V, 'Ops>.Advance(a0, r2))
                s20 <- 'Ops.MultiplyAdd(x, b0, s20)
                s21 <- 'Ops.MultiplyAdd(x, b1, s21)
                let x = 'Ops.Broadcast a3
                s30 <- 'Ops.MultiplyAdd(x, b0, s30)
                s31 <- 'Ops.MultiplyAdd(x, b1, s31)
                let x = 'Ops.Broadcast(Tiles<'V, 'Ops>.Advance(a3, r))
                s40 <- 'Ops.MultiplyAdd(x, b0, s40)
                s41 <- 'Ops.MultiplyAdd(x, b1, s41)
                let x = 'Ops.Broadcast(Tiles<'V, 'Ops>.Advance(a3, r2))
                s50 <- 'Ops.MultiplyAdd(x, b0, s50)
                s51 <- 'Ops.MultiplyAdd(x, b1, s51)
                a0 <- Tiles<'V, 'Ops>.Advance(a0, step)
                a3 <- Tiles<'V, 'Ops>.Advance(a3, step)
                b <- Tiles<'V, 'Ops>.Advance(b, down)
                k <- k - 1

            run <- NativePtr.add run 1
            left <- left - 1

        Tiles<'V, 'Ops>.Put(s00, s01, c, &t.Finish, row, column)
        Tiles<'V, 'Ops>.Put(s10, s11, c1, &t.Finish, row + 1, column)
        Tiles<'V, 'Ops>.Put(s20, s21, c2, &t.Finish, row + 2, column)
        Tiles<'V, 'Ops>.Put(s30, s31, c3, &t.Finish, row + 3, column)
        Tiles<'V, 'Ops>.Put(s40, s41, c4, &t.Finish, row + 4, column)
        Tiles<'V, 'Ops>.Put(s50, s51, c5, &t.Finish, row + 5, column)

    /// Five rows.
    [<MethodImpl(MethodImplOptions.NoInlining)>]
    static member Five
        (t: inref<RunProduct>, a: nativeptr<float32>, b: nativeptr<float32>, c: nativeptr<float32>, row: int, column: int)
        : unit =
        let mutable s00 = 'Ops.Zero
        let mutable s01 = 'Ops.Zero

        if NativePtr.toNativeInt t.Finish.Bias <> 0n then
            s00 <- 'Ops.Load(NativePtr.add t.Finish.Bias column)
            s01 <- 'Ops.Load(NativePtr.add t.Finish.Bias (column + 'Ops.Count))

        let mutable s10, s20, s30, s40 = s00, s00, s00, s00
        let mutable s11, s21, s31, s41 = s01, s01, s01, s01

        let c1 = NativePtr.add c t.CRow
        let c2 = NativePtr.add c1 t.CRow
        let c3 = NativePtr.add c2 t.CRow
        let c4 = NativePtr.add c3 t.CRow

        if t.Adds then
            s00 <- 'Ops.Load c
            s01 <- 'Ops.Load(NativePtr.add c 'Ops.Count)
            s10 <- 'Ops.Load c1
            s11 <- 'Ops.Load(NativePtr.add c1 'Ops.Count)
            s20 <- 'Ops.Load c2
            s21 <- 'Ops.Load(NativePtr.add c2 'Ops.Count)
            s30 <- 'Ops.Load c3
            s31 <- 'Ops.Load(NativePtr.add c3 'Ops.Count)
            s40 <- 'Ops.Load c4
            s41 <- 'Ops.Load(NativePtr.add c4 'Ops.Count)

        let r = nativeint t.ARow * 4n
        let r2 = r + r
        let step = nativeint t.ADepth * 4n
        let down = nativeint t.BDepth * 4n
        let mutable run = t.Runs
        let mutable left = t.Count

        while left > 0 do
            let mutable a0 = NativePtr.add a (NativePtr.read run).A
            let mutable a3 = Tiles<'V, 'Ops>.Advance(a0, r2 + r)
            let mutable b = NativePtr.add b (NativePtr.read run).B
            let mutable k = t.Depth

            while k > 0 do
                let b0 = 'Ops.Load b
                let b1 = 'Ops.Load(NativePtr.add b 'Ops.Count)
                let x = 'Ops.Broadcast a0
                s00 <- 'Ops.MultiplyAdd(x, b0, s00)
                s01 <- 'Ops.MultiplyAdd(x, b1, s01)
                let x = 'Ops.Broadcast(Tiles<'V, 'Ops>.Advance(a0, r))
                s10 <- 'Ops.MultiplyAdd(x, b0, s10)
                s11 <- 'Ops.MultiplyAdd(x, b1, s11)
                let x = 'Ops.Broadcast(Tiles<'V, 'Ops>.Advance(a0, r2))
                s20 <- 'Ops.MultiplyAdd(x, b0, s20)
                s21 <- 'Ops.MultiplyAdd(x, b1, s21)
                let x = 'Ops.Broadcast a3
                s30 <- 'Ops.MultiplyAdd(x, b0, s30)
                s31 <- 'Ops.MultiplyAdd(x, b1, s31)
                let x = 'Ops.Broadcast(Tiles<'V, 'Ops>.Advance(a3, r))
                s40 <- 'Ops.MultiplyAdd(x, b0, s40)
                s41 <- 'Ops.MultiplyAdd(x, b1, s41)
                a0 <- Tiles<'V, 'Ops>.Advance(a0, step)
                a3 <- Tiles<'V, 'Ops>.Advance(a3, step)
                b <- Tiles<'V, 'Ops>.Advance(b, down)
                k <- k - 1

            run <- NativePtr.add run 1
            left <- left - 1

        Tiles<'V, 'Ops>.Put(s00, s01, c, &t.Finish, row, column)
        Tiles<'V, 'Ops>.Put(s10, s11, c1, &t.Finish, row + 1, column)
        Tiles<'V, 'Ops>.Put(s20, s21, c2, &t.Finish, row + 2, column)
        Tiles<'V, 'Ops>.Put(s30, s31, c3, &t.Finish, row + 3, column)
        Tiles<'V, 'Ops>.Put(s40, s41, c4, &t.Finish, row + 4, column)

    /// One row, for what is left.
    [<MethodImpl(MethodImplOptions.NoInlining)>]
    static member One
        (t: inref<RunProduct>, a: nativeptr<float32>, b: nativeptr<float32>, c: nativeptr<float32>, row: int, column: int)
        : unit =
        let mutable s00 = 'Ops.Zero
        let mutable s01 = 'Ops.Zero

        if NativePtr.toNativeInt t.Finish.Bias <> 0n then
            s00 <- 'Ops.Load(NativePtr.add t.Finish.Bias column)
            s01 <- 'Ops.Load(NativePtr.add t.Finish.Bias (column + 'Ops.Count))

        if t.Adds then
            s00 <- 'Ops.Load c
            s01 <- 'Ops.Load(NativePtr.add c 'Ops.Count)

        let step = nativeint t.ADepth * 4n
        let down = nativeint t.BDepth * 4n
        let mutable run = t.Runs
        let mutable left = t.Count

        while left > 0 do
            let mutable a0 = NativePtr.add a (NativePtr.read run).A
            let mutable b = NativePtr.add b (NativePtr.read run).B
            let mutable k = t.Depth

            while k > 0 do
                let b0 = 'Ops.Load b
                let b1 = 'Ops.Load(NativePtr.add b 'Ops.Count)
                let x = 'Ops.Broadcast a0
                s00 <- 'Ops.MultiplyAdd(x, b0, s00)
                s01 <- 'Ops.MultiplyAdd(x, b1, s01)
                a0 <- Tiles<'V, 'Ops>.Advance(a0, step)
                b <- Tiles<'V, 'Ops>.Advance(b, down)
                k <- k - 1

            run <- NativePtr.add run 1
            left <- left - 1

        Tiles<'V, 'Ops>.Put(s00, s01, c, &t.Finish, row, column)
