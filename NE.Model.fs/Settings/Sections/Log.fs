namespace NE.Model

open NE.Model.KeyKinds
open NE.Model.Keys

/// What is written down while the run goes on.
type LogSettings = {
    /// Environment steps between rows of metrics.csv.
    MetricsEvery: int64
    /// Environment steps between two probes of plasticity; 0 takes none.
    ProbeEvery: int64
    /// Whether what the tables say is written as TensorBoard events too.
    TensorBoard: bool
}

[<RequireQualifiedAccess>]
module internal LogSettings =

    let private key name = Keys.key<RunFacts, LogSettings, _> name

    let section =
        Section.create [
            key "log.metricsEvery" Ours (steps 1L) 1_000L _.MetricsEvery (fun v s -> { s with MetricsEvery = v })
            |> inUnit "environment steps"
            |> says "Steps between rows of metrics.csv and of layers.csv."

            key "log.probeEvery" Ours (steps 0L) 0L _.ProbeEvery (fun v s -> { s with ProbeEvery = v })
            |> inUnit "environment steps"
            |> says
                "Steps between two probes of plasticity, in metrics.csv; 0 takes none. A probe takes as long as about 500 gradient steps of batch 256."

            key "log.tensorboard" Ours switch true _.TensorBoard (fun v s -> { s with TensorBoard = v })
            |> inOldRuns false
            |> says "Write what the tables say as TensorBoard events too, in the run's folder tensorboard."
        ]
