namespace NE.Model.Topology

open NE.Model

/// The event that grows and prunes a stack, as a plan (algorithm.md 2.6, 2.7, 4.2; paper section 3.2 and Algorithm 1).
[<RequireQualifiedAccess>]
module Evolution =

    /// A row without input gets at most this many.
    [<Literal>]
    val RevivedInputs: int = 8

    /// Plans an event for every layer of a stack: what grows (algorithm.md 2.6), what is pruned (2.7) and which neurons are to be reset (2.8).
    /// All sets are computed from the masks before the event, so grown and pruned weights never overlap. Layers that are not elastic
    /// only take part through their touched neurons. Draws layer by layer, first for growth, then for pruning. Raises ArgumentException for a
    /// stack whose parts do not fit each other.
    val plan: options: EvolutionOptions -> stack: StackBefore -> draws: Draws -> TopologyChange[]
