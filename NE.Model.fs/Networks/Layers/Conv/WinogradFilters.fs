/// The transforms of filters for F(2 x 2, 3 x 3): see IWinogradTiles. A plane is a float per weight of a pixel of the filters, or of a place of the
/// transformed ones; planes lie one after another.
module internal NE.Model.Networks.Layers.WinogradFilters

open System.Runtime.Intrinsics
open Microsoft.FSharp.NativeInterop
open NE.Model.Networks.ElementwiseKernels

/// Places of a transformed filter.
[<Literal>]
let Places = 16

let private half = Vector256.Create 0.5f

/// G of three planes, `step` floats apart, into four.
let inline private spread (from: nativeptr<float32>) (step: int) (into: nativeptr<float32>) (pitch: int) : unit =
    let first, middle, last = load from 0, load from step, load from (2 * step)
    let outer = first + last
    store into 0 first
    store into pitch (half * (outer + middle))
    store into (2 * pitch) (half * (outer - middle))
    store into (3 * pitch) last

/// G^T of four planes, `step` floats apart, into three.
let inline private gather (from: nativeptr<float32>) (step: int) (into: nativeptr<float32>) (pitch: int) : unit =
    let second, third = load from step, load from (2 * step)
    let middle = half * (second + third)
    store into 0 (load from 0 + middle)
    store into pitch (half * (second - third))
    store into (2 * pitch) (middle + load from (3 * step))

/// G g G^T of 9 planes of `count` floats, a multiple of 8, into 16.
let transform (filters: nativeptr<float32>) (count: int) (into: nativeptr<float32>) : unit =
    let between = NativePtr.stackalloc<float32>(12 * LaneCount)
    let mutable i = 0

    while i < count do
        for column in 0..2 do
            spread (NativePtr.add filters (column * count + i)) (3 * count) (NativePtr.add between (column * LaneCount)) (3 * LaneCount)

        for row in 0..3 do
            spread (NativePtr.add between (3 * row * LaneCount)) LaneCount (NativePtr.add into (4 * row * count + i)) count

        i <- i + LaneCount

/// G^T S G, the gradient by the filters from that by the transformed ones: of 16 planes of `count` floats, a multiple of 8, into 9.
let gradient (sums: nativeptr<float32>) (count: int) (into: nativeptr<float32>) : unit =
    let between = NativePtr.stackalloc<float32>(12 * LaneCount)
    let mutable i = 0

    while i < count do
        for column in 0..3 do
            gather (NativePtr.add sums (column * count + i)) (4 * count) (NativePtr.add between (column * LaneCount)) (4 * LaneCount)

        for row in 0..2 do
            gather (NativePtr.add between (4 * row * LaneCount)) LaneCount (NativePtr.add into (3 * row * count + i)) count

        i <- i + LaneCount
