namespace NE.Model.Networks

/// One layer of a policy: immutable, safe to use from any number of threads.
type internal IHostLayer =
    /// What the next layer multiplies the values of a row with as it reads them, one factor per value; empty after most layers.
    abstract Gains: float32[]
    /// What it then adds.
    abstract Shifts: float32[]
    /// Puts out max(., 0) from now on, if it can: a ReLU after it has nothing left to do then. Only while a policy is made.
    abstract TryRectify: unit -> bool
    /// Whether the result takes the place of x; otherwise it is y.
    abstract IsInPlace: bool

    /// Computes so many rows, `stride` floats apart in x and in y, enough for the padding of every layer. The bits of a row do not depend on how
    /// many there are. Allocates nothing.
    abstract Forward: x: nativeptr<float32> * y: nativeptr<float32> * stride: int * rows: int -> unit

    /// A copy of the layer's parameters in the block's order.
    abstract Parameters: float32[]
