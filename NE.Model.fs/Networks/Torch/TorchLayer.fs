namespace NE.Model.Networks.Torch

open System
open NE.Model.Networks

/// Gains and shifts of a LayerNorm, or their gradients.
[<Struct; NoEquality; NoComparison>]
type internal TorchNorm = {
    Gains: TorchMatrix
    Shifts: TorchMatrix
}

/// What one layer of a pass hands to the next, and what it gets back.
[<NoEquality; NoComparison>]
type internal TorchFeatures = {
    /// rows x features.
    Values: TorchMatrix
    /// What the next layer multiplies the values with and adds to them as it reads; nothing after most layers.
    Norm: TorchNorm voption
    /// The gradient by the values, from the column `First` on; none in a pass without.
    Gradient: TorchMatrix voption
    First: int
    /// Factor of what Gradient holds already: 1 to be added to.
    Kept: float32
}

/// One layer of one stack in a pass, with its views and buffers.
type internal ITorchLayer =
    abstract Output: TorchFeatures
    /// Puts out max(., 0) from now on, if it can while it writes anyway: a ReLU after it has nothing left to do then.
    abstract TryRectify: unit -> bool
    /// From the layer before to Output.
    abstract Forward: unit -> unit
    /// From the gradient by Output, which it may change, to that by the input and those of the layer's parameters.
    abstract Backward: unit -> unit

/// What the layers of a pass have in common. They own what they make through it.
[<Sealed>]
type internal TorchPassing(block: TorchBlock, rows: int, backward: Backward, device: TorchDevice, isFused: bool) =
    let owned = ResizeArray<IDisposable>()

    let own (item: 'T :> IDisposable) =
        owned.Add item
        item

    member _.Block = block
    /// Whether our kernels compute on the tensors' memory; otherwise torch operations do.
    member _.IsFused = isFused
    member _.HasGradient = backward <> NoGradient
    member _.HasParameters = backward.HasParameters
    member _.Own(item: 'T :> IDisposable) = own item

    /// A matrix of the pass's rows.
    member _.Matrix(columns: int) =
        own (TorchMatrix.Create(rows, columns, device))

    /// The same, where the pass computes a gradient.
    member this.Gradient(columns: int) : TorchMatrix voption =
        if this.HasGradient then
            ValueSome(this.Matrix columns)
        else
            ValueNone

    /// 1 x rows: a sum over the rows is a product with it.
    member _.Ones = device.Ones rows

    interface IDisposable with
        member _.Dispose() =
            for item in owned do
                item.Dispose()
