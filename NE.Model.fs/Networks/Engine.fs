namespace NE.Model.Networks

open System
open NE.Model.Replay

/// The floats that a block keeps per parameter, all in the block's layout.
type Field =
    /// The parameters; exactly 0 wherever the mask is 0.
    | Weights = 0
    /// The dense gradient of the last backward pass, not yet masked.
    | Gradients = 1
    /// Adam's m.
    | FirstMoments = 2
    /// Adam's v.
    | SecondMoments = 3
    /// beta1 ^ age of the element; 1 for a fresh element.
    | Beta1Powers = 4
    /// beta2 ^ age of the element; 1 for a fresh element.
    | Beta2Powers = 5
    /// 1 where the parameter exists, 0 where it does not; only a weight may not exist.
    | Mask = 6
    /// Largest magnitude allowed, kappa * beta; infinite where nothing is clipped, as at gains and shifts.
    | Bound = 7

/// Constants of one Adam step.
[<Struct>]
type AdamOptions = {
    /// Learning rate.
    LearningRate: float32
    /// Decay of the first moment.
    Beta1: float
    /// Decay of the second moment.
    Beta2: float
    /// Added to the root of the second moment.
    Epsilon: float32
}

/// Output activation of a network.
[<Struct>]
type Head =
    /// The output layer as it is.
    | Linear
    /// scale * tanh.
    | ScaledTanh of scale: float32

/// What a pass computes backwards.
[<Struct>]
type Backward =
    /// Nothing: a forward pass only.
    | NoGradient
    /// The gradient of every parameter, written to the block's Gradients.
    | ParameterGradient
    /// The gradient of `count` input columns starting at `first`; the parameters count as constants.
    | InputGradient of first: int * count: int
    /// Both in one backward pass.
    | BothGradients of first: int * count: int

    /// Whether the block's Gradients are written.
    member this.HasParameters =
        match this with
        | ParameterGradient
        | BothGradients _ -> true
        | NoGradient
        | InputGradient _ -> false

    /// First and number of the input columns whose gradient is computed; (0, 0) for none.
    member this.InputColumns: struct (int * int) =
        match this with
        | InputGradient(first, count)
        | BothGradients(first, count) -> struct (first, count)
        | NoGradient
        | ParameterGradient -> struct (0, 0)

/// A rows x columns matrix in the engine's memory. Whoever creates a matrix or a view disposes it; those of a pass belong to the pass.
type IMatrix =
    inherit IDisposable
    abstract Rows: int
    abstract Columns: int
    /// Copies to the host, row-major, Rows * Columns floats.
    abstract Read: destination: Span<float32> -> unit
    /// Copies from the host, row-major, Rows * Columns floats.
    abstract Write: source: ReadOnlySpan<float32> -> unit

/// The flat memory of one group of networks.
type IParameterBlock =
    inherit IDisposable
    abstract Layout: BlockLayout
    /// False for a target network: it has Weights only.
    abstract Trainable: bool
    /// Copies a field to the host, Layout.Length floats.
    abstract Read: field: Field * destination: Span<float32> -> unit
    /// Copies a field from the host, Layout.Length floats.
    abstract Write: field: Field * source: ReadOnlySpan<float32> -> unit
    /// All floats of a field as one row, in an order that is the engine's own: for operations that go entry by entry. A view that belongs to the
    /// block. Weights are not to be written through it, because engines keep copies of them.
    abstract Flat: field: Field -> IMatrix
    /// Whether every float of a field is finite.
    abstract IsFinite: field: Field -> bool

/// A batch of transitions, one interleaved row each: [s | a | r | not done | s' | room for a'].
type IMinibatch =
    inherit IDisposable
    abstract Rows: int
    abstract Shape: TransitionShape
    /// Reads the named rows from the source.
    abstract Gather: source: ITransitionSource * rows: ReadOnlySpan<int64> -> unit
    /// A view of neighbouring columns.
    abstract View: first: int * count: int -> IMatrix

/// Where an image of the same size is cut out of one that has 4 pixels more on every side, all equal to the nearest of its edge: the random shift of
/// DrQ (Kostrikov et al. 2020). Each is 0 to 8; 4 and 4 is the image itself.
[<Struct>]
type ImageShift = {
    /// Lines above the cut.
    Down: int
    /// Columns to the left of the cut.
    Right: int
} with

    /// Pixels that the larger image has more on every side.
    static member Padding = 4

/// A batch of images as networks read them.
type IImages =
    inherit IDisposable
    abstract Rows: int
    abstract Shape: ImageShape
    /// Rows x Shape.Size, as ImageShape says. It belongs to the images.
    abstract Matrix: IMatrix

    /// From bytes [Rows x Channels x Height x Width], a plane per channel: each becomes byte / 255 - 0.5, where the image's shift puts it. No shifts
    /// at all leave all images where they are. Raises ArgumentException for other sizes or another shift.
    abstract Write: pixels: ReadOnlySpan<byte> * shifts: ReadOnlySpan<ImageShift> -> unit

/// One forward (and backward) pass of a block's networks over a fixed input, with all its working memory.
type IPass =
    inherit IDisposable
    abstract Block: IParameterBlock
    /// How many of the block's stacks take part, the first ones.
    abstract Stacks: int
    abstract Forward: unit -> unit
    /// From OutputGradient to what the pass was made for. Needs the activations of the last Forward.
    abstract Backward: unit -> unit
    /// The features that a hidden layer hands on, after its activation, rows x features.
    abstract Hidden: stack: int * layer: int -> IMatrix
    /// The network's output, rows x outputs.
    abstract Output: stack: int -> IMatrix
    /// Gradient of the loss by the output: to be filled before Backward, which overwrites it.
    abstract OutputGradient: stack: int -> IMatrix
    /// Gradient by the chosen input columns, summed over the stacks.
    abstract InputGradient: IMatrix

/// A sum that stays where the engine computes until it is read, so that a device need not stand still for it.
type ISum =
    inherit IDisposable
    /// 0 again.
    abstract Clear: unit -> unit
    /// Adds the mean of the squares of all entries.
    abstract AddMeanSquare: matrix: IMatrix -> unit
    /// Waits for the device, like IEngine.Mean: to be read last.
    abstract Value: float

/// Products (in passes), activations, reductions and the optimiser: what learners and techniques are written over, once for all engines. An
/// instance belongs to one thread.
///
/// An operation changes the matrix named first, entry by entry. On a GPU each costs a launch, which is why sums and products have a factor and a
/// difference is added at once: what is usual in a loss then takes no more launches than if it had an operation of its own.
type IEngine =
    inherit IDisposable
    /// A short name for logs, such as "torch cpu".
    abstract Name: string
    /// A zeroed block; of a trainable one Mask is 1 on parameters, ages are fresh, Bound is infinite.
    abstract CreateBlock: layout: BlockLayout * trainable: bool -> IParameterBlock
    abstract CreateMatrix: rows: int * columns: int -> IMatrix
    abstract CreateMinibatch: rows: int * shape: TransitionShape -> IMinibatch
    /// Images, all of them 0 at first.
    abstract CreateImages: rows: int * shape: ImageShape -> IImages
    abstract CreatePass: block: IParameterBlock * stacks: int * input: IMatrix * head: Head * backward: Backward -> IPass
    /// A sum, 0 at first.
    abstract CreateSum: unit -> ISum

    /// Adam with per-element ages, then mask, then clip, in one pass over the block.
    abstract Adam: block: IParameterBlock * options: AdamOptions -> unit
    /// target += tau * (online - target).
    abstract Polyak: target: IParameterBlock * online: IParameterBlock * tau: float32 -> unit

    abstract Copy: source: IMatrix * destination: IMatrix -> unit
    abstract Fill: matrix: IMatrix * value: float32 -> unit
    /// matrix *= factor.
    abstract Scale: matrix: IMatrix * factor: float32 -> unit
    /// Every entry brought into [-bound, bound]; a NaN stays.
    abstract Clamp: matrix: IMatrix * bound: float32 -> unit
    /// matrix = min(matrix, other); a NaN of either stays.
    abstract Minimum: matrix: IMatrix * other: IMatrix -> unit
    /// matrix += factor * other.
    abstract Add: matrix: IMatrix * factor: float32 * other: IMatrix -> unit
    /// matrix += factor * (a - b): where a equals b, nothing is added, not even a rounding error.
    abstract AddDifference: matrix: IMatrix * factor: float32 * a: IMatrix * b: IMatrix -> unit
    /// matrix += factor * a * b.
    abstract AddProduct: matrix: IMatrix * factor: float32 * a: IMatrix * b: IMatrix -> unit
    /// matrix = head(matrix).
    abstract HeadForward: matrix: IMatrix * head: Head -> unit
    /// gradient *= the derivative of the head, given its output: the gradient before the head.
    abstract HeadBackward: gradient: IMatrix * output: IMatrix * head: Head -> unit
    /// Arithmetic mean of all entries.
    abstract Mean: matrix: IMatrix -> float
