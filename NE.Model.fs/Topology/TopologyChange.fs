namespace NE.Model.Topology

/// Which inactive weights grow.
[<RequireQualifiedAccess>]
type GrowCriterion =
    /// Those of largest |dL/dw|, the paper's rule (RigL's).
    | Gradient
    /// Any, uniformly at random.
    | Random

/// What random growth draws.
[<RequireQualifiedAccess>]
type GrowUnit =
    /// Single weights.
    | Weight
    /// Neurons: each drawn one gets all of its inputs, the last one what is left of the quota (the paper's section 3.1).
    | Neuron

/// How the prune set is cut down to its bound.
[<RequireQualifiedAccess>]
type Granularity =
    /// Whole dormant neurons in random order; the last one may be cut.
    | Neuron
    /// Single weights of dormant neurons, uniformly at random.
    | Weight
    /// Ignores dormancy: the active weights of smallest magnitude, always as many as the bound allows (the official code).
    | Magnitude

/// The rules of an event.
type EvolutionOptions = {
    /// Which inactive weights grow.
    Criterion: GrowCriterion
    /// What random growth draws; the gradient always chooses single weights.
    Unit: GrowUnit
    /// How the prune set is cut down.
    Granularity: Granularity
    /// omega in [0, 1]: at most floor(omega * grown) weights of a layer are pruned. 0 switches pruning off.
    Omega: float
    /// Whether rows without any input are first given random ones (docs/algorithm.md 2.8); off in the official variant and in naive random growth.
    ReviveRows: bool
}

/// One layer before an event.
type LayerBefore = {
    /// Its topology.
    Mask: LayerMask
    /// Whether its mask may change.
    Elastic: bool
    /// k_l, the number of weights to grow; 0 in a layer that is not elastic.
    Quota: int
    /// dL/dw of every weight, the inactive ones included; only magnitudes count. Read if the criterion is `Gradient` and the quota > 0.
    Gradient: float32[]
    /// The weights. Read if the granularity is `Magnitude` and the quota > 0.
    Weights: float32[]
}

/// A chain of layers before an event.
type StackBefore = {
    /// Input side first.
    Layers: LayerBefore[]
    /// D_h: which neurons of each hidden layer are dormant; one array per layer except the last.
    Dormant: bool[][]
}

/// What an event does to one layer; index sets are row-major and ascending.
type TopologyChange = {
    /// Weights that begin to exist.
    Grown: int[]
    /// Weights that cease to exist.
    Pruned: int[]
    /// Neurons of this layer's output to be reset: dormant ones whose own selection, here or in the next layer, pruned something.
    Touched: int[]
    /// Number of dormant neurons at this layer's output.
    Dormant: int
    /// Smallest and largest |gradient| among the weights grown by it; none if no weight was.
    Scores: struct (float32 * float32) voption
}
