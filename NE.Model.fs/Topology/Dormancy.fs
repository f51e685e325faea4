namespace NE.Model.Topology

/// What one hidden layer did on a batch, per neuron; h is the post-activation output. Any engine can fill it.
type ActivationStatistics = {
    /// Mean of |h_i| over the batch: one value per neuron.
    MeanAbs: float32[]
    /// Number of samples with h_i > 0: one value per neuron.
    PositiveCount: int64[]
    /// Standard deviation of h_i over the batch; must be exactly 0 for a neuron that does not vary (largest minus smallest value will do).
    Deviation: float32[]
    /// Number of samples in the batch.
    Rows: int
}

/// A hidden layer as the ratios see it.
type HiddenLayer = {
    /// What it did on the batch.
    Statistics: ActivationStatistics
    /// Number of existing incoming weights per neuron.
    FanIn: int[]
}

/// Ratios pooled over hidden layers, each in [0, 1]. The denominator is always the full width (docs/algorithm.md 2.2). The headline forms count a
/// neuron only if it can respond to its input: it has an active incoming weight, and its output varies over the batch.
type ActivationRatios = {
    /// anr(tau), activated neurons.
    Activated: float
    /// anr(tau) without the condition above.
    ActivatedRaw: float
    /// fau, (sample, neuron) pairs with h > 0.
    ActiveUnits: float
    /// fau without the condition above.
    ActiveUnitsRaw: float
    /// Neurons with at least one active incoming weight.
    Connected: float
    /// Neurons that put out something, but always the same: without active input, or without variation.
    Constant: float
}

/// Activation scores, dormant neurons and activated ratios (docs/algorithm.md 2.2; paper Eq. 1; Sokar et al. 2023).
[<RequireQualifiedAccess>]
module Dormancy =

    /// s_i = m_i / (mean of m over the layer + 1e-9): one score per neuron, all 0 in a layer that is silent.
    let scores (statistics: ActivationStatistics) : float[] =
        let mean = statistics.MeanAbs |> Array.averageBy float
        statistics.MeanAbs |> Array.map (fun m -> float m / (mean + 1e-9))

    /// Neuron i is dormant at tau iff s_i <= tau.
    let dormant (tau: float) (statistics: ActivationStatistics) : bool[] =
        scores statistics |> Array.map (fun score -> score <= tau)

    /// The ratios of a network at tau, pooled over all hidden layers of all its stacks.
    let ratios (tau: float) (layers: HiddenLayer[]) : ActivationRatios =
        let mutable neurons = 0L
        let mutable pairs = 0L
        let mutable activated = 0L
        let mutable activatedRaw = 0L
        let mutable positive = 0L
        let mutable positiveRaw = 0L
        let mutable connected = 0L
        let mutable constant = 0L

        for layer in layers do
            let statistics = layer.Statistics

            if layer.FanIn.Length <> statistics.MeanAbs.Length then
                invalidArg
                    (nameof layers)
                    $"A hidden layer has {statistics.MeanAbs.Length} neurons in its statistics, but {layer.FanIn.Length} fan-ins."

            let dormant = dormant tau statistics
            neurons <- neurons + int64 dormant.Length
            pairs <- pairs + int64 dormant.Length * int64 statistics.Rows

            for i in 0 .. dormant.Length - 1 do
                let hasInput = layer.FanIn[i] > 0
                let responds = hasInput && statistics.Deviation[i] > 0.0f
                positiveRaw <- positiveRaw + statistics.PositiveCount[i]

                if not dormant[i] then
                    activatedRaw <- activatedRaw + 1L

                if hasInput then
                    connected <- connected + 1L

                if responds then
                    positive <- positive + statistics.PositiveCount[i]

                    if not dormant[i] then
                        activated <- activated + 1L
                elif statistics.MeanAbs[i] > 0.0f then
                    constant <- constant + 1L

        let share part whole =
            if whole = 0L then 0.0 else float part / float whole

        {
            Activated = share activated neurons
            ActivatedRaw = share activatedRaw neurons
            ActiveUnits = share positive pairs
            ActiveUnitsRaw = share positiveRaw pairs
            Connected = share connected neurons
            Constant = share constant neurons
        }
