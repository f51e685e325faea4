namespace NE.Model.Networks.Layers

open System.Runtime.CompilerServices
open System.Runtime.Intrinsics
open Microsoft.FSharp.NativeInterop
open NE.Model.Networks.Simd

/// Transformed tiles that lie side by side in an image: the float of place 4 * row + column of a tile's 4 x 4, of a channel, is at
/// Address[place * Pitch + tile * Channels + channel].
[<Struct; NoEquality; NoComparison>]
type internal TileLine = {
    Address: nativeptr<float32>
    Pitch: int
    Tiles: int
    Channels: int
}

/// A row of an image that the gradient by the input goes to, two pixels of it per tile and two more that the next tile shares.
[<Struct; NoEquality; NoComparison>]
type internal GradientRow = {
    Address: nativeptr<float32>
    /// Pixels of the row.
    Columns: int
    /// Which of a tile's four rows it is, 0 to 3.
    Row: int
    /// Whether the tiles above have put their share there.
    Adds: bool
    /// The same row of activations: the sum is kept where they are positive and 0 elsewhere. Null to keep all.
    Activation: nativeptr<float32>
}

/// The transforms of F(2 x 2, 3 x 3), Lavin and Gray 2016, section 4.1: Y = A^T [(G g G^T) * (B^T d B)] A for a tile d of 4 x 4 pixels, which is two
/// further from the next one, and its 2 x 2 results Y. Here are B^T d B and A^T M A, and what the derivatives by g and d take: A dY A^T and B dV B^T.
/// Each is of the channels of one vector, from `channel` on, and of a line of tiles. Pixels beyond an image's edges are 0.
type internal IWinogradTiles =
    /// A row of B^T d B, 0 to 3, from the rows p and q of the image that it is made of: p + sign * q along the columns, times B.
    abstract Input:
        into: inref<TileLine> *
        row: int *
        p: nativeptr<float32> *
        q: nativeptr<float32> *
        sign: nativeptr<float32> *
        columns: int *
        channel: int ->
            unit

    /// A dY A^T from two rows of the gradient by the results.
    abstract Delta: into: inref<TileLine> * p: nativeptr<float32> * q: nativeptr<float32> * columns: int * channel: int -> unit

    /// A^T M A + biases, and max(., 0) if `relu`, into two rows of results; the second one may be null.
    abstract Output:
        from: inref<TileLine> *
        biases: nativeptr<float32> *
        relu: bool *
        p: nativeptr<float32> *
        q: nativeptr<float32> *
        columns: int *
        channel: int ->
            unit

    /// What the tiles add to a row of the gradient by the input: that row of B dV B^T, in which neighbouring tiles share two columns. `sign`: 1 for
    /// row 0, -1 for row 3.
    abstract InputGradient: from: inref<TileLine> * row: inref<GradientRow> * sign: nativeptr<float32> * channel: int -> unit

/// On vectors of one width. Every result is the same sum in the same order at every width.
[<Sealed>]
type internal WinogradTiles<'V, 'Ops when 'Ops: struct and 'Ops :> IVectorOperations<'V>>() =

    [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
    static member private Spread(x: 'V, y: 'V, o: nativeptr<float32>, pitch: int) : unit =
        'Ops.Store(x, o)
        'Ops.Store('Ops.Add(x, y), NativePtr.add o pitch)
        'Ops.Store('Ops.Subtract(x, y), NativePtr.add o (2 * pitch))
        'Ops.Store('Ops.Subtract('Ops.Zero, y), NativePtr.add o (3 * pitch))

    /// The first row of A^T M at a column.
    [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
    static member private First(m: nativeptr<float32>, pitch: int) : 'V =
        'Ops.Add('Ops.Add('Ops.Load m, 'Ops.Load(NativePtr.add m (4 * pitch))), 'Ops.Load(NativePtr.add m (8 * pitch)))

    /// The second row of A^T M at a column.
    [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
    static member private Second(m: nativeptr<float32>, pitch: int) : 'V =
        let difference =
            'Ops.Subtract('Ops.Load(NativePtr.add m (4 * pitch)), 'Ops.Load(NativePtr.add m (8 * pitch)))

        'Ops.Subtract(difference, 'Ops.Load(NativePtr.add m (12 * pitch)))

    [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
    static member private Result(v: 'V, relu: bool, y: nativeptr<float32>) : unit =
        'Ops.Store((if relu then 'Ops.Relu v else v), y)

    /// A row of B dV at a column: x + y - z for the rows in the middle, sign * x for the others.
    [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
    static member private Down(x: nativeptr<float32>, y: nativeptr<float32>, z: nativeptr<float32>, isMiddle: bool, sign: 'V) : 'V =
        if isMiddle then
            'Ops.Subtract('Ops.Add('Ops.Load x, 'Ops.Load y), 'Ops.Load z)
        else
            'Ops.MultiplyAdd(sign, 'Ops.Load x, 'Ops.Zero)

    [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
    static member private Put(v: 'V, row: inref<GradientRow>, offset: int) : unit =
        let into = NativePtr.add row.Address offset
        let mutable v = v

        if row.Adds then
            v <- 'Ops.Add('Ops.Load into, v)

        if NativePtr.toNativeInt row.Activation <> 0n then
            v <- 'Ops.Where('Ops.Load(NativePtr.add row.Activation offset), v)

        'Ops.Store(v, into)

    interface IWinogradTiles with
        [<MethodImpl(MethodImplOptions.NoInlining)>]
        member _.Input(into, row, p, q, sign, columns, channel) =
            let sign = 'Ops.Broadcast sign
            let step = into.Channels
            let mutable p = NativePtr.add p channel
            let mutable q = NativePtr.add q channel
            let mutable o = NativePtr.add into.Address (4 * row * into.Pitch + channel)
            let o1, o2, o3 = into.Pitch, 2 * into.Pitch, 3 * into.Pitch
            let mutable c0 = 'Ops.MultiplyAdd(sign, 'Ops.Load q, 'Ops.Load p)

            let mutable c1 =
                'Ops.MultiplyAdd(sign, 'Ops.Load(NativePtr.add q step), 'Ops.Load(NativePtr.add p step))

            // A last tile may lack its fourth column.
            let whole = (columns - 2) / 2

            for tile in 0 .. into.Tiles - 1 do
                p <- NativePtr.add p (2 * step)
                q <- NativePtr.add q (2 * step)
                let c2 = 'Ops.MultiplyAdd(sign, 'Ops.Load q, 'Ops.Load p)

                let c3 =
                    if tile < whole then
                        'Ops.MultiplyAdd(sign, 'Ops.Load(NativePtr.add q step), 'Ops.Load(NativePtr.add p step))
                    else
                        'Ops.Zero

                'Ops.Store('Ops.Subtract(c0, c2), o)
                'Ops.Store('Ops.Add(c1, c2), NativePtr.add o o1)
                'Ops.Store('Ops.Subtract(c2, c1), NativePtr.add o o2)
                'Ops.Store('Ops.Subtract(c1, c3), NativePtr.add o o3)
                c0 <- c2
                c1 <- c3
                o <- NativePtr.add o step

        [<MethodImpl(MethodImplOptions.NoInlining)>]
        member _.Delta(into, p, q, columns, channel) =
            let step, pitch = into.Channels, into.Pitch
            let mutable p = NativePtr.add p channel
            let mutable q = NativePtr.add q channel
            let mutable o = NativePtr.add into.Address channel
            let whole = columns / 2

            for tile in 0 .. into.Tiles - 1 do
                let a, c = 'Ops.Load p, 'Ops.Load q
                let mutable b = 'Ops.Zero
                let mutable d = 'Ops.Zero

                if tile < whole then
                    b <- 'Ops.Load(NativePtr.add p step)
                    d <- 'Ops.Load(NativePtr.add q step)

                WinogradTiles<'V, 'Ops>.Spread(a, b, o, pitch)
                WinogradTiles<'V, 'Ops>.Spread('Ops.Add(a, c), 'Ops.Add(b, d), NativePtr.add o (4 * pitch), pitch)
                WinogradTiles<'V, 'Ops>.Spread('Ops.Subtract(a, c), 'Ops.Subtract(b, d), NativePtr.add o (8 * pitch), pitch)

                WinogradTiles<'V, 'Ops>
                    .Spread('Ops.Subtract('Ops.Zero, c), 'Ops.Subtract('Ops.Zero, d), NativePtr.add o (12 * pitch), pitch)

                p <- NativePtr.add p (2 * step)
                q <- NativePtr.add q (2 * step)
                o <- NativePtr.add o step

        [<MethodImpl(MethodImplOptions.NoInlining)>]
        member _.Output(from, biases, relu, p, q, columns, channel) =
            let step, pitch = from.Channels, from.Pitch
            let bias = 'Ops.Load(NativePtr.add biases channel)
            let mutable m = NativePtr.add from.Address channel
            let hasSecond = NativePtr.toNativeInt q <> 0n
            let mutable p = NativePtr.add p channel
            let mutable q = NativePtr.add q channel
            let whole = columns / 2

            for tile in 0 .. from.Tiles - 1 do
                let m1 = NativePtr.add m pitch
                let m2 = NativePtr.add m1 pitch
                let m3 = NativePtr.add m2 pitch
                let s0 = WinogradTiles<'V, 'Ops>.First(m, pitch)
                let s1 = WinogradTiles<'V, 'Ops>.First(m1, pitch)
                let s2 = WinogradTiles<'V, 'Ops>.First(m2, pitch)
                let s3 = WinogradTiles<'V, 'Ops>.First(m3, pitch)

                WinogradTiles<'V, 'Ops>.Result('Ops.Add('Ops.Add('Ops.Add(s0, s1), s2), bias), relu, p)

                if tile < whole then
                    let v = 'Ops.Add('Ops.Subtract('Ops.Subtract(s1, s2), s3), bias)
                    WinogradTiles<'V, 'Ops>.Result(v, relu, NativePtr.add p step)

                if hasSecond then
                    let t0 = WinogradTiles<'V, 'Ops>.Second(m, pitch)
                    let t1 = WinogradTiles<'V, 'Ops>.Second(m1, pitch)
                    let t2 = WinogradTiles<'V, 'Ops>.Second(m2, pitch)
                    let t3 = WinogradTiles<'V, 'Ops>.Second(m3, pitch)
                    WinogradTiles<'V, 'Ops>.Result('Ops.Add('Ops.Add('Ops.Add(t0, t1), t2), bias), relu, q)

                    if tile < whole then
                        let v = 'Ops.Add('Ops.Subtract('Ops.Subtract(t1, t2), t3), bias)
                        WinogradTiles<'V, 'Ops>.Result(v, relu, NativePtr.add q step)

                m <- NativePtr.add m step
                p <- NativePtr.add p (2 * step)
                q <- NativePtr.add q (2 * step)

        [<MethodImpl(MethodImplOptions.NoInlining)>]
        member _.InputGradient(from, row, sign, channel) =
            let step, pitch = from.Channels, from.Pitch
            let isMiddle = row.Row = 1 || row.Row = 2
            let sign = 'Ops.Broadcast sign
            let at = NativePtr.add from.Address channel

            let mutable x = NativePtr.add at (4 * pitch * (if isMiddle then 1 else row.Row))

            let mutable y = NativePtr.add at (4 * pitch * (if row.Row = 1 then 3 else 2))
            let mutable z = NativePtr.add at (4 * pitch * (if row.Row = 1 then 2 else 0))
            let mutable offset = channel
            let mutable c2 = 'Ops.Zero
            let mutable c3 = 'Ops.Zero

            for _ in 1 .. from.Tiles do
                let v0 = WinogradTiles<'V, 'Ops>.Down(x, y, z, isMiddle, sign)

                let v1 =
                    WinogradTiles<'V, 'Ops>.Down(NativePtr.add x pitch, NativePtr.add y pitch, NativePtr.add z pitch, isMiddle, sign)

                let v2 =
                    WinogradTiles<'V, 'Ops>
                        .Down(NativePtr.add x (2 * pitch), NativePtr.add y (2 * pitch), NativePtr.add z (2 * pitch), isMiddle, sign)

                let v3 =
                    WinogradTiles<'V, 'Ops>
                        .Down(NativePtr.add x (3 * pitch), NativePtr.add y (3 * pitch), NativePtr.add z (3 * pitch), isMiddle, sign)

                WinogradTiles<'V, 'Ops>.Put('Ops.Add(c2, v0), &row, offset)

                WinogradTiles<'V, 'Ops>.Put('Ops.Add(c3, 'Ops.Subtract('Ops.Add(v1, v3), v2)), &row, offset + step)

                c2 <- 'Ops.Subtract('Ops.Add(v1, v2), v0)
                c3 <- 'Ops.Subtract('Ops.Zero, v3)
                x <- NativePtr.add x step
                y <- NativePtr.add y step
                z <- NativePtr.add z step
                offset <- offset + 2 * step

            WinogradTiles<'V, 'Ops>.Put(c2, &row, offset)

            if 2 * from.Tiles + 1 < row.Columns then
                WinogradTiles<'V, 'Ops>.Put(c3, &row, offset + step)

[<RequireQualifiedAccess>]
module internal WinogradTiles =
    /// What transforms so many channels, a multiple of 8, on vectors of at most this width, and from which channel on.
    let create (width: VectorWidth) (channels: int) : struct (IWinogradTiles * int)[] =
        let rec from channel (kinds: (int * IWinogradTiles) list) =
            match kinds with
            | (count, tiles) :: _ when channel + count <= channels -> struct (tiles, channel) :: from (channel + count) kinds
            | _ :: narrower -> from channel narrower
            | [] -> []

        [
            16, WinogradTiles<Vector512<float32>, Operations512>() :> IWinogradTiles
            8, WinogradTiles<Vector256<float32>, Operations256>()
            4, WinogradTiles<Vector128<float32>, Operations128>()
        ]
        |> List.filter (fun (count, _) -> 32 * count <= int width)
        |> from 0
        |> Array.ofList
