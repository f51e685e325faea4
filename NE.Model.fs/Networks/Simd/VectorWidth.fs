namespace NE.Model.Networks.Simd

open System.Runtime.CompilerServices
open System.Runtime.Intrinsics
open Microsoft.FSharp.NativeInterop

/// Bits of the vectors that the kernels compute with. The results are the same bits for every width.
type VectorWidth =
    | Bits128 = 128
    | Bits256 = 256
    | Bits512 = 512

[<RequireQualifiedAccess>]
module VectorWidth =
    /// The widest vectors that this processor has.
    let best () =
        if Vector512.IsHardwareAccelerated then
            VectorWidth.Bits512
        elif Vector256.IsHardwareAccelerated then
            VectorWidth.Bits256
        else
            VectorWidth.Bits128

/// What a matrix kernel needs of a vector 'V. A kernel is written once and compiled once for every width: both type arguments are
/// structs, so the just-in-time compiler makes a body of its own for each and inlines these members.
type internal IVectorOperations<'V> =
    /// Floats in a vector.
    static abstract Count: int
    static abstract Zero: 'V
    static abstract Load: nativeptr<float32> -> 'V
    static abstract Store: 'V * nativeptr<float32> -> unit
    /// The float at the address, in every lane.
    static abstract Broadcast: nativeptr<float32> -> 'V
    static abstract Add: 'V * 'V -> 'V
    static abstract Subtract: 'V * 'V -> 'V
    /// a * b + c, rounded once.
    static abstract MultiplyAdd: a: 'V * b: 'V * c: 'V -> 'V
    /// max(v, 0); a NaN stays.
    static abstract Relu: 'V -> 'V
    /// v where the activation is positive, else 0.
    static abstract Where: activation: 'V * v: 'V -> 'V

[<Struct>]
type internal Operations512 =
    interface IVectorOperations<Vector512<float32>> with
        static member Count = 16
        static member Zero = Vector512<float32>.Zero

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member Load p = Vector512.Load p

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member Store(v, p) = Vector512.Store(v, p)

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member Broadcast p = Vector512.Create(NativePtr.read p)

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member Add(a, b) = Vector512.Add(a, b)

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member Subtract(a, b) = Vector512.Subtract(a, b)

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member MultiplyAdd(a, b, c) = Vector512.FusedMultiplyAdd(a, b, c)

        // The native maximum returns its second argument when one is NaN.
        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member Relu v =
            Vector512.MaxNative(Vector512<float32>.Zero, v)

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member Where(activation, v) =
            Vector512.BitwiseAnd(Vector512.GreaterThan(activation, Vector512<float32>.Zero), v)

[<Struct>]
type internal Operations256 =
    interface IVectorOperations<Vector256<float32>> with
        static member Count = 8
        static member Zero = Vector256<float32>.Zero

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member Load p = Vector256.Load p

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member Store(v, p) = Vector256.Store(v, p)

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member Broadcast p = Vector256.Create(NativePtr.read p)

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member Add(a, b) = Vector256.Add(a, b)

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member Subtract(a, b) = Vector256.Subtract(a, b)

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member MultiplyAdd(a, b, c) = Vector256.FusedMultiplyAdd(a, b, c)

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member Relu v =
            Vector256.MaxNative(Vector256<float32>.Zero, v)

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member Where(activation, v) =
            Vector256.BitwiseAnd(Vector256.GreaterThan(activation, Vector256<float32>.Zero), v)

[<Struct>]
type internal Operations128 =
    interface IVectorOperations<Vector128<float32>> with
        static member Count = 4
        static member Zero = Vector128<float32>.Zero

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member Load p = Vector128.Load p

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member Store(v, p) = Vector128.Store(v, p)

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member Broadcast p = Vector128.Create(NativePtr.read p)

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member Add(a, b) = Vector128.Add(a, b)

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member Subtract(a, b) = Vector128.Subtract(a, b)

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member MultiplyAdd(a, b, c) = Vector128.FusedMultiplyAdd(a, b, c)

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member Relu v =
            Vector128.MaxNative(Vector128<float32>.Zero, v)

        [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
        static member Where(activation, v) =
            Vector128.BitwiseAnd(Vector128.GreaterThan(activation, Vector128<float32>.Zero), v)
