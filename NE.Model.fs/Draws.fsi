namespace NE.Model

open System

/// What a stream is for. The numbers are part of every stored run: never renumber, never reuse, only append. How many draws a function
/// takes is part of it, too.
type Purpose =
    /// First values of the networks' parameters: the actor's, then the critics'.
    | Initialisation = 1
    /// Start masks, and the draws of topology events.
    | Topology = 2
    /// Row numbers of training batches.
    | Batch = 3
    /// Whether a review of early experience begins.
    | Review = 4
    /// Rows of the batches that the review's dormant ratio is measured on.
    | ReviewSignal = 5
    /// Noise on the target's actions.
    | TargetNoise = 6
    /// Noise on actions in the environment; by environment, episode and step.
    | Exploration = 7
    /// Uniform actions before learning starts, and of random play; by environment, episode and step.
    | WarmUp = 8
    /// An environment's reset; by environment and episode.
    | Reset = 9
    /// A reset of an evaluation's episode; by episode.
    | Evaluation = 10
    /// Rows and noise of a row of metrics; by gradient step.
    | Metrics = 11
    /// Networks or layers that are drawn anew.
    | NetworkReset = 12
    /// Neurons that ReDo draws anew.
    | ReDo = 13
    /// The new bodies of an injection.
    | PlasticityInjection = 14
    /// Noise of shrink and perturb.
    | ShrinkAndPerturb = 15
    /// Neurons that continual backprop draws anew.
    | ContinualBackprop = 16
    /// Rows, functions and fresh networks of the plasticity probe; by repeat, rows by gradient step, too.
    | Probe = 17
    /// Actions that the losses of SAC draw from the policy: those of s', then those of s, batch by batch.
    | PolicyDraws = 18
    /// Shifts of the pictures that are learned from: of every picture of a batch, then of every next one.
    | ImageShift = 19
    /// What reports and looks at stored runs draw; no part of any run.
    | Statistics = 1000

/// A position in a stream: everything that must be stored to continue it. 28 bytes of plain data.
[<Struct>]
type DrawsState = {
    /// First half of the identity: a hash of seed and purpose.
    Key: uint64
    /// Second half of the identity: a hash of the place (environment, episode, step ...), 0 for a sequential stream.
    Place: uint64
    /// Number of 4-word blocks taken so far.
    Block: uint64
    /// Words of the current block already used, 0..3.
    Word: int
}

/// A stream of random draws with a current position, counter based. Mutable, owned by one thread; `State` is its value: a 128-bit identity and a
/// position.
///
/// Streams of different names never share a draw, so switching a feature off cannot shift what another feature sees. Draws that belong to a place
/// in the run (an environment's step, an episode's reset) are keyed by that place, hence do not depend on the order in which anything arrives.
///
/// The generator is Philox 4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
[<Sealed>]
type Draws =
    /// Continues from a position.
    new: state: DrawsState -> Draws
    /// The position, to be stored; `Draws(state)` continues exactly here.
    member State: DrawsState
    /// 32 uniform bits.
    member NextUInt32: unit -> uint32
    /// 64 uniform bits.
    member NextUInt64: unit -> uint64
    /// Uniform in [0, 1) with 53 bits.
    member NextDouble: unit -> float
    /// Uniform in [0, 1) with 24 bits.
    member NextSingle: unit -> float32
    /// Uniform in [low, high).
    member Uniform: low: float * high: float -> float
    /// Uniform in [0, bound), exactly. Raises ArgumentException for a bound that is not positive.
    member NextInt: bound: int64 -> int64
    /// Two independent standard normals.
    member NextNormalPair: unit -> struct (float * float)
    /// One standard normal. Takes the draws of a pair, so that the position after n calls depends on n alone.
    member NextNormal: unit -> float
    /// Fills with independent normals of the given standard deviation.
    member FillNormal: destination: Span<float32> * deviation: float32 -> unit
    /// Fills with independent uniforms in [-bound, bound).
    member FillUniform: destination: Span<float32> * bound: float32 -> unit
    /// Puts the first `count` entries of a uniformly random permutation first.
    member ShufflePrefix: items: 'T[] * count: int -> unit

    /// The sequential draws of a purpose, at their beginning. Store `State` and continue with `Draws(state)`.
    static member Of: seed: int64 * purpose: Purpose -> Draws

    /// The draws of one place in the run: the same (seed, purpose, place) always gives the same. Nothing needs to be stored.
    static member At: seed: int64 * purpose: Purpose * environment: int64 * episode: int64 * step: int64 -> Draws
