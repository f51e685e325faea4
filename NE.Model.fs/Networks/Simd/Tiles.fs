namespace NE.Model.Networks.Simd

open System.Runtime.CompilerServices
open Microsoft.FSharp.NativeInterop

/// How the sums of a matrix product become its result.
[<Struct; NoEquality; NoComparison>]
type internal Finish = {
    /// Where the sums start, one float per column; null for 0.
    Bias: nativeptr<float32>
    /// Whether negative results become 0.
    Relu: bool
    /// Activations, a matrix like the result: it is kept where they are positive and 0 elsewhere. Null to keep all.
    Activation: nativeptr<float32>
    /// Floats between the rows of the activations.
    ActivationStride: int
}

/// The micro-kernels: a tile of the result C = A B, some rows by two vectors, held in registers over the whole depth.
///
/// A's element (row, k) is at a[row * aRow + k * aDepth], B's rows are bStride floats apart. Every element of C is one chain of fused
/// multiply-adds in the order of k, from the bias or 0: its bits depend neither on the vector's width nor on the tile it falls into.
///
/// Not to be inlined, and no other hint: inlined into their callers the sums no longer fit the registers, and with
/// AggressiveOptimization the compiler does without what it learned of the running program.
[<Sealed; AbstractClass>]
type internal Tiles<'V, 'Ops when 'Ops: struct and 'Ops :> IVectorOperations<'V>>() =
    static member inline Advance(p: nativeptr<float32>, bytes: nativeint) =
        NativePtr.ofNativeInt<float32>(NativePtr.toNativeInt p + bytes)

    /// Two vectors of a finished row.
    [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
    static member Put(v0: 'V, v1: 'V, c: nativeptr<float32>, finish: inref<Finish>, row: int, column: int) =
        let mutable v0 = v0
        let mutable v1 = v1

        if finish.Relu then
            v0 <- 'Ops.Relu v0
            v1 <- 'Ops.Relu v1

        if NativePtr.toNativeInt finish.Activation <> 0n then
            let active =
                NativePtr.add finish.Activation (row * finish.ActivationStride + column)

            v0 <- 'Ops.Where('Ops.Load active, v0)
            v1 <- 'Ops.Where('Ops.Load(NativePtr.add active 'Ops.Count), v1)

        'Ops.Store(v0, c)
        'Ops.Store(v1, NativePtr.add c 'Ops.Count)

    /// Eight rows: sixteen sums, for processors with 32 vector registers.
    [<MethodImpl(MethodImplOptions.NoInlining)>]
    static member Eight
        (
            a: nativeptr<float32>,
            aRow: int,
            aDepth: int,
            b: nativeptr<float32>,
            bStride: int,
            c: nativeptr<float32>,
            cStride: int,
            depth: int,
            row: int,
            column: int,
            finish: inref<Finish>
        ) : unit =
        let mutable s00 = 'Ops.Zero
        let mutable s01 = 'Ops.Zero

        if NativePtr.toNativeInt finish.Bias <> 0n then
            s00 <- 'Ops.Load(NativePtr.add finish.Bias column)
            s01 <- 'Ops.Load(NativePtr.add finish.Bias (column + 'Ops.Count))

        let mutable s10, s20, s30, s40, s50, s60, s70 = s00, s00, s00, s00, s00, s00, s00
        let mutable s11, s21, s31, s41, s51, s61, s71 = s01, s01, s01, s01, s01, s01, s01
        let r = nativeint aRow * 4n
        let r2 = r + r
        let step = nativeint aDepth * 4n
        let down = nativeint bStride * 4n
        // Three addresses reach eight rows with what an instruction can add to an address.
        let mutable a0 = a
        let mutable a3 = Tiles<'V, 'Ops>.Advance(a, r2 + r)
        let mutable a6 = Tiles<'V, 'Ops>.Advance(a3, r2 + r)
        let mutable b = b
        let mutable k = depth

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
            let x = 'Ops.Broadcast a6
            s60 <- 'Ops.MultiplyAdd(x, b0, s60)
            s61 <- 'Ops.MultiplyAdd(x, b1, s61)
            let x = 'Ops.Broadcast(Tiles<'V, 'Ops>.Advance(a6, r))
            s70 <- 'Ops.MultiplyAdd(x, b0, s70)
            s71 <- 'Ops.MultiplyAdd(x, b1, s71)
            a0 <- Tiles<'V, 'Ops>.Advance(a0, step)
            a3 <- Tiles<'V, 'Ops>.Advance(a3, step)
            a6 <- Tiles<'V, 'Ops>.Advance(a6, step)
            b <- Tiles<'V, 'Ops>.Advance(b, down)
            k <- k - 1

        let c1 = NativePtr.add c cStride
        let c2 = NativePtr.add c1 cStride
        let c3 = NativePtr.add c2 cStride
        let c4 = NativePtr.add c3 cStride
        let c5 = NativePtr.add c4 cStride
        let c6 = NativePtr.add c5 cStride
        Tiles<'V, 'Ops>.Put(s00, s01, c, &finish, row, column)
        Tiles<'V, 'Ops>.Put(s10, s11, c1, &finish, row + 1, column)
        Tiles<'V, 'Ops>.Put(s20, s21, c2, &finish, row + 2, column)
        Tiles<'V, 'Ops>.Put(s30, s31, c3, &finish, row + 3, column)
        Tiles<'V, 'Ops>.Put(s40, s41, c4, &finish, row + 4, column)
        Tiles<'V, 'Ops>.Put(s50, s51, c5, &finish, row + 5, column)
        Tiles<'V, 'Ops>.Put(s60, s61, c6, &finish, row + 6, column)
        Tiles<'V, 'Ops>.Put(s70, s71, NativePtr.add c6 cStride, &finish, row + 7, column)

    /// Four rows: eight sums, just enough to keep two multiply-add units with a latency of four cycles busy.
    [<MethodImpl(MethodImplOptions.NoInlining)>]
    static member Four
        (
            a: nativeptr<float32>,
            aRow: int,
            aDepth: int,
            b: nativeptr<float32>,
            bStride: int,
            c: nativeptr<float32>,
            cStride: int,
            depth: int,
            row: int,
            column: int,
            finish: inref<Finish>
        ) : unit =
        let mutable s00 = 'Ops.Zero
        let mutable s01 = 'Ops.Zero

        if NativePtr.toNativeInt finish.Bias <> 0n then
            s00 <- 'Ops.Load(NativePtr.add finish.Bias column)
            s01 <- 'Ops.Load(NativePtr.add finish.Bias (column + 'Ops.Count))

        let mutable s10, s20, s30 = s00, s00, s00
        let mutable s11, s21, s31 = s01, s01, s01
        let r = nativeint aRow * 4n
        let r2 = r + r
        let step = nativeint aDepth * 4n
        let down = nativeint bStride * 4n
        let mutable a0 = a
        let mutable a3 = Tiles<'V, 'Ops>.Advance(a, r2 + r)
        let mutable b = b
        let mutable k = depth

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
            a0 <- Tiles<'V, 'Ops>.Advance(a0, step)
            a3 <- Tiles<'V, 'Ops>.Advance(a3, step)
            b <- Tiles<'V, 'Ops>.Advance(b, down)
            k <- k - 1

        let c1 = NativePtr.add c cStride
        let c2 = NativePtr.add c1 cStride
        Tiles<'V, 'Ops>.Put(s00, s01, c, &finish, row, column)
        Tiles<'V, 'Ops>.Put(s10, s11, c1, &finish, row + 1, column)
        Tiles<'V, 'Ops>.Put(s20, s21, c2, &finish, row + 2, column)
        Tiles<'V, 'Ops>.Put(s30, s31, NativePtr.add c2 cStride, &finish, row + 3, column)

    /// One row, for what is left.
    [<MethodImpl(MethodImplOptions.NoInlining)>]
    static member One
        (
            a: nativeptr<float32>,
            aDepth: int,
            b: nativeptr<float32>,
            bStride: int,
            c: nativeptr<float32>,
            depth: int,
            row: int,
            column: int,
            finish: inref<Finish>
        ) : unit =
        let mutable s0 = 'Ops.Zero
        let mutable s1 = 'Ops.Zero

        if NativePtr.toNativeInt finish.Bias <> 0n then
            s0 <- 'Ops.Load(NativePtr.add finish.Bias column)
            s1 <- 'Ops.Load(NativePtr.add finish.Bias (column + 'Ops.Count))

        let step = nativeint aDepth * 4n
        let down = nativeint bStride * 4n
        let mutable a = a
        let mutable b = b
        let mutable k = depth

        while k > 0 do
            let x = 'Ops.Broadcast a
            s0 <- 'Ops.MultiplyAdd(x, 'Ops.Load b, s0)
            s1 <- 'Ops.MultiplyAdd(x, 'Ops.Load(NativePtr.add b 'Ops.Count), s1)
            a <- Tiles<'V, 'Ops>.Advance(a, step)
            b <- Tiles<'V, 'Ops>.Advance(b, down)
            k <- k - 1

        Tiles<'V, 'Ops>.Put(s0, s1, c, &finish, row, column)
