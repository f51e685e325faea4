namespace NE.Model.Networks.Layers

open NE.Model.Networks.Simd

/// What computes the products of a convolution, an image at a time, for many threads at once. All images lie by pixels without gaps.
type internal IConvolution =
    /// Before the images of a forward pass.
    abstract BeginForward: unit -> unit
    /// y = x * filters + biases, and max(., 0) if `relu`.
    abstract Forward: x: nativeptr<float32> * y: nativeptr<float32> * relu: bool -> unit
    /// Before the images of a backward pass.
    abstract BeginBackward: unit -> unit
    /// Floats of a sum of gradients by the weights.
    abstract SumLength: int

    /// From the gradient by the output: adds that by the weights to `sums`, unless null; writes that by the input, unless `into` is null, and 0 where an
    /// activation, if any is given, is not positive.
    abstract Backward:
        x: nativeptr<float32> *
        delta: nativeptr<float32> *
        sums: nativeptr<float32> *
        into: nativeptr<float32> *
        activation: nativeptr<float32> ->
            unit

    /// Writes the gradient by a panel's weights. Panels are shared out among threads.
    abstract Gradient: panel: Panel * sums: ConvSums -> unit
