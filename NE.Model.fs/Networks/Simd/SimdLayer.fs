namespace NE.Model.Networks.Simd

open System
open Microsoft.FSharp.NativeInterop
open NE.Model
open NE.Model.Networks

/// What one layer of a pass hands to the next, and what it gets back.
[<NoEquality; NoComparison>]
type internal SimdFeatures = {
    /// rows x features.
    Values: SimdMatrix
    /// What the next layer multiplies the values of a row with as it reads them, and what it then adds; null after most layers.
    Gains: nativeptr<float32>
    Shifts: nativeptr<float32>
    /// Whether no value is negative, so that the gradient has to be 0 where a value is. The next layer sees to that as it writes.
    IsRectified: bool
    /// The gradient by the values, from the column `First` on; none in a pass without.
    Gradient: SimdMatrix voption
    First: int
} with

    /// Values that are read as they are, with the gradient of all of them.
    static member Of(values: SimdMatrix, gradient: SimdMatrix voption) : SimdFeatures = {
        Values = values
        Gains = NativePtr.nullPtr
        Shifts = NativePtr.nullPtr
        IsRectified = false
        Gradient = gradient
        First = 0
    }

/// One layer of one stack in a pass, with its buffers. Rows from .. upTo - 1 go through all layers, there and back, without waiting for others;
/// what sums over all rows is computed panel by panel.
type internal ISimdLayer =
    abstract Output: SimdFeatures
    /// Puts out max(., 0) from now on, if it can while it writes anyway: a ReLU after it has nothing left to do then.
    abstract TryRectify: unit -> bool
    /// What has to be done before the rows of a forward pass are shared out.
    abstract BeginForward: unit -> unit
    /// From the layer before to Output.
    abstract Forward: from: int * upTo: int -> unit
    /// What has to be done before the rows of a backward pass are shared out.
    abstract BeginBackward: unit -> unit
    /// From the gradient by Output, which it may change, to that by the input. Where the pass has live rows, these are places of theirs.
    abstract Backward: from: int * upTo: int -> unit
    /// The gradients of the parameters of one panel's neurons, after Backward of all rows.
    abstract Gradient: panel: Panel -> unit

/// What an engine computes with: vectors of one width, the matrix products on them, and how it does convolutions.
[<NoEquality; NoComparison>]
type internal SimdProducts = {
    Width: VectorWidth
    Panels: IPanelProduct
    Runs: IRunMultiplier
    Convolutions: ConvolutionKind
} with

    static member At(width: VectorWidth, convolutions: ConvolutionKind) : SimdProducts = {
        Width = width
        Panels = PanelProduct.create width
        Runs = RunMultiplier.create width
        Convolutions = convolutions
    }

/// What the layers of a pass have in common. They own what they make through it. `live`: of every stack, if Backward leaves out rows.
[<Sealed>]
type internal SimdPassing(block: SimdBlock, rows: int, backward: Backward, products: SimdProducts, live: LiveRows[]) =
    let owned = ResizeArray<IDisposable>()

    let own (item: 'T :> IDisposable) =
        owned.Add item
        item

    let scratch = own (new Scratch())

    member _.Block = block
    member _.Rows = rows
    member _.Product = products.Panels
    member _.RunMultiplier = products.Runs
    member _.Width = products.Width
    member _.Convolutions = products.Convolutions
    member _.Scratch = scratch
    member _.HasGradient = backward <> NoGradient

    /// The rows that Backward goes through, whose gradients do not lie where their activations do; none where it goes through all of them.
    member _.Live(stack: int) : LiveRows voption =
        if live.Length > 0 then ValueSome live[stack] else ValueNone

    /// All parameters.
    member _.Weights = (block.Memory Field.Weights).Address

    /// Their gradients; null where the pass computes none.
    member val Gradients =
        if backward.HasParameters then
            (block.Memory Field.Gradients).Address
        else
            NativePtr.nullPtr

    member _.Own(item: 'T :> IDisposable) = own item

    /// Zeroed floats.
    member _.Memory(count: int) =
        (own (new AlignedMemory(count))).Address

    /// A table of runs.
    member this.Runs(runs: Run[]) : nativeptr<Run> =
        // A run is as large as two floats.
        let table =
            NativePtr.ofNativeInt<Run>(NativePtr.toNativeInt (this.Memory(2 * runs.Length)))

        runs |> Array.iteri (NativePtr.set table)
        table

    /// A matrix of the pass's rows.
    member _.Matrix(columns: int) = own (SimdMatrix.Create(rows, columns))

    /// The same, where the pass computes a gradient.
    member this.Gradient(columns: int) : SimdMatrix voption =
        if this.HasGradient then
            ValueSome(this.Matrix columns)
        else
            ValueNone

    interface IDisposable with
        member _.Dispose() =
            for item in owned do
                item.Dispose()
