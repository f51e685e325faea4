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

/// Working memory of one caller of Policy.Act, for so many observations at once; not to be shared between threads.
[<Sealed>]
type PolicyScratch =
    /// Most observations of one call.
    member Rows: int

/// A network that a policy goes through before its actor.
type PolicyNetwork = {
    /// Of one stack.
    Layout: BlockLayout
    /// A block's weights, out x in, in the block's layout.
    Parameters: float32[]
    /// What its outputs go through.
    Head: Head
}

/// An immutable host copy of an actor network: observation -> maxAction * tanh(...). Safe to use from any number of threads. After a plasticity
/// injection it has three bodies: the kept one, and a learning and a frozen one whose difference is added.
[<Sealed>]
type Policy =
    /// How many actor updates made these weights; set by the agent.
    member Version: int64
    /// Length of an observation; of one that is an image, the floats that its bytes [channels x height x width] are packed into, four in each.
    member ObservationSize: int
    /// Length of an action.
    member ActionSize: int
    /// Largest magnitude of an action's component.
    member MaxAction: float32
    /// How it explores; not part of its bytes.
    member Exploration: Exploration
    /// The same policy, exploring in this way.
    member Exploring: way: Exploration -> Policy
    /// Working memory for one caller who acts on one observation at a time.
    member CreateScratch: unit -> PolicyScratch
    /// Working memory for one caller who acts on up to so many observations at a time.
    member CreateScratch: rows: int -> PolicyScratch

    /// action = maxAction * tanh(network(observation)), without noise, for one observation or for several in a row, [rows x ObservationSize] to
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

    /// From an actor block's weights (one stack, out x in, in the block's layout).
    static member OfBlock: layout: BlockLayout * parameters: ReadOnlySpan<float32> * maxAction: float32 * version: int64 -> Policy

    /// From networks that the observation goes through in this order, and an actor block's weights, as for OfBlock, that reads what the last of them
    /// makes of it. Raises ArgumentException where one does not read what the one before it hands on.
    static member OfNetworks:
        before: PolicyNetwork list * layout: BlockLayout * parameters: float32[] * maxAction: float32 * version: int64 -> Policy

    /// From the three bodies of an injected actor, each as for OfBlock.
    static member OfBodies:
        layout: BlockLayout * kept: float32[] * learning: float32[] * frozen: float32[] * maxAction: float32 * version: int64 -> Policy

    /// Little-endian: format version, number of widths, widths; in format 2 the activation and then, per hidden layer, whether it has a
    /// LayerNorm, one byte each; maxAction, version, then each layer's weights (out x in), biases, gains and shifts. Format 3 is format 2 with the
    /// parameters of three bodies. Format 4, of a policy with convolutions or of several networks: number of networks, each with its form and head
    /// (PolicyForms); then as format 1, network by network. Raises InvalidOperationException where hidden layers of fully connected networks differ in more than that.
    member ToBytes: unit -> byte[]

    /// The inverse of ToBytes; raises InvalidDataException when the bytes are not a whole policy of this format.
    static member OfBytes: bytes: ReadOnlySpan<byte> -> Policy
