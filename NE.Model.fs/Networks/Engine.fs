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

/// The few operations an agent's update is written in. One instance belongs to one thread.
type IEngine =
    inherit IDisposable
    /// A short name for logs, such as "torch cpu".
    abstract Name: string
    /// A zeroed block; of a trainable one Mask is 1 on parameters, ages are fresh, Bound is infinite.
    abstract CreateBlock: layout: BlockLayout * trainable: bool -> IParameterBlock
    abstract CreateMatrix: rows: int * columns: int -> IMatrix
    abstract CreateMinibatch: rows: int * shape: TransitionShape -> IMinibatch
    abstract CreatePass: block: IParameterBlock * stacks: int * input: IMatrix * head: Head * backward: Backward -> IPass

    /// Adam with per-element ages, then mask, then clip, in one pass over the block.
    abstract Adam: block: IParameterBlock * options: AdamOptions -> unit
    /// target += tau * (online - target).
    abstract Polyak: target: IParameterBlock * online: IParameterBlock * tau: float32 -> unit

    /// gradients += rate * (weights - anchor), entry by entry; the anchor is a block of the same layout.
    abstract PullTowards: block: IParameterBlock * anchor: IParameterBlock * rate: float32 -> unit

    abstract Copy: source: IMatrix * destination: IMatrix -> unit
    /// destination = head(kept + (added - subtracted)): a network of three bodies, of which the last two may be equal and then cancel exactly.
    abstract Combine: kept: IMatrix * added: IMatrix * subtracted: IMatrix * head: Head * destination: IMatrix -> unit
    /// gradient *= the derivative of the head, given its output: the gradient before the head.
    abstract HeadBackward: gradient: IMatrix * output: IMatrix * head: Head -> unit
    abstract Fill: matrix: IMatrix * value: float32 -> unit
    /// Arithmetic mean of all entries.
    abstract Mean: matrix: IMatrix -> float
    /// destination = clip(action + clip(noise, +-noiseClip), +-maxAction).
    abstract SmoothedAction: action: IMatrix * noise: IMatrix * noiseClip: float32 * maxAction: float32 * destination: IMatrix -> unit

    /// target = reward + discount * notDone * min over values.
    abstract TdTarget: values: IMatrix[] * reward: IMatrix * notDone: IMatrix * discount: float32 * target: IMatrix -> unit

    /// gradient = 2 / rows * (value - target) for every value. The loss is what Loss then reads.
    abstract SquaredError: values: IMatrix[] * target: IMatrix * gradients: IMatrix[] -> unit

    /// The sum over the values of mean (value - target)^2 of the last SquaredError. Waits for the device, like Mean: to be read last.
    abstract Loss: float
