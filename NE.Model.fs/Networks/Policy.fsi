namespace NE.Model.Networks

open System
open NE.Model

/// How a policy chooses actions that are to be learned from.
[<RequireQualifiedAccess>]
type Exploration =
    /// As Act does.
    | Off
    /// a = clip(pi(s) + N(0, (deviation * a_max)^2)), TD3's.
    | Gaussian of deviation: float32
    /// a = a_max tanh(m + sigma N(0, 1)), SAC's: drawn from the distribution that the outputs are. Takes the draws of ActionSize normals.
    | Sampling of logDeviation: LogDeviation

/// What the outputs of an actor network are.
[<RequireQualifiedAccess>]
type ActionForm =
    /// One per component of the action, of which it is a_max tanh.
    | Deterministic
    /// Mean and log sigma of every component, side by side (SquashedGaussian). Without exploration the action is a_max tanh of the mean.
    | SquashedGaussian

/// Working memory of one caller of Policy.Act, for so many observations at once; not to be shared between threads.
[<Sealed>]
type PolicyScratch =
    /// Most observations of one call.
    member Rows: int

/// An immutable host copy of an actor network: observation -> maxAction * tanh(output or mean). Safe to use from any number of threads. After a plasticity
/// injection it has three bodies: the kept one, and a learning and a frozen one whose difference is added.
[<Sealed>]
type Policy =
    /// How many actor updates made these weights; set by the agent.
    member Version: int64
    /// Floats of an observation: its numbers, or what the bytes of its pictures are packed into.
    member ObservationSize: int
    /// Length of an action.
    member ActionSize: int
    /// Largest magnitude of an action's component.
    member MaxAction: float32
    /// What its network's outputs are.
    member Form: ActionForm
    /// How it explores; not part of its bytes.
    member Exploration: Exploration
    /// The same policy, exploring in this way. Raises ArgumentException for Sampling where the outputs are no distribution.
    member Exploring: way: Exploration -> Policy
    /// The same policy on pictures: what it read is what this encoder makes of them. Raises ArgumentException for another number of features.
    member WithEncoder: given: PixelEncoder -> Policy
    /// The same policy on observations as they are, which it reads normalised by this. Raises ArgumentException for another number of components, and
    /// for a policy on pictures.
    member Normalising: given: ObservationNormaliser -> Policy
    /// Its networks as other programs compute them.
    member Portable: unit -> PortablePolicy
    /// The same for a task of a cycle, whose observations and actions are so long; pictures stay as they are.
    member Portable: observations: int * actions: int -> PortablePolicy
    /// Working memory for one caller who acts on one observation at a time.
    member CreateScratch: unit -> PolicyScratch
    /// Working memory for one caller who acts on up to so many observations at a time.
    member CreateScratch: rows: int -> PolicyScratch

    /// action = maxAction * tanh(output or mean), without noise, for one observation or for several in a row, [rows x ObservationSize] to
    /// [rows x ActionSize]; the bits of an action do not depend on how many there are. Allocates nothing. Raises ArgumentException for other sizes,
    /// or more rows than the scratch has room for.
    member Act: observations: ReadOnlySpan<float32> * actions: Span<float32> * scratch: PolicyScratch -> unit

    /// The action of one observation to be learned from, within the bounds of every component: low and high [ActionSize], which are 0 for a
    /// component that the task does not have. Allocates nothing. Raises as Act does.
    member Explore:
        observation: ReadOnlySpan<float32> *
        action: Span<float32> *
        low: ReadOnlySpan<float32> *
        high: ReadOnlySpan<float32> *
        draws: Draws *
        scratch: PolicyScratch ->
            unit

    /// From an actor block's weights (one stack, out x in, in the block's layout). Deterministic if no form is named.
    static member OfBlock:
        layout: BlockLayout * parameters: ReadOnlySpan<float32> * maxAction: float32 * version: int64 * ?form: ActionForm -> Policy

    /// From the three bodies of an injected actor, each as for OfBlock.
    static member OfBodies:
        layout: BlockLayout *
        kept: float32[] *
        learning: float32[] *
        frozen: float32[] *
        maxAction: float32 *
        version: int64 *
        ?form: ActionForm ->
            Policy

    /// Little-endian: format version, number of widths, widths; in format 2 the activation and then, per hidden layer, whether it has a
    /// LayerNorm, one byte each; maxAction, version, then each layer's weights (out x in), biases, gains and shifts. Format 3 is format 2 with the
    /// parameters of three bodies. Format 4 is of a squashed Gaussian: format 2 with a byte after the LayerNorms that says whether three bodies
    /// follow. Format 5 has an encoder, and format 6 a normaliser, in front of a policy in one of formats 1 to 4. Raises InvalidOperationException where hidden layers differ in more than that.
    member ToBytes: unit -> byte[]

    /// The inverse of ToBytes; raises InvalidDataException when the bytes are not a whole policy of this format.
    static member OfBytes: bytes: ReadOnlySpan<byte> -> Policy
