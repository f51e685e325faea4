namespace NE.Model

open System
open NE.Model.KeyKinds
open NE.Model.Topology
open NE.Model.Replay

/// What is stored, evaluated, written down and filmed while a run goes on, and how long others may take.
module internal ObservationKeys =

    let keys: Key list = [
        key
            "checkpoint.every"
            "environment steps"
            Ours
            (steps 1L)
            (fun s -> s.Checkpoint.Every)
            (fun v s -> { s with Checkpoint.Every = v })
            "Steps between commits of the whole state."
        key
            "evaluation.every"
            "environment steps"
            OfficialCode
            (derived (steps 1L))
            (fun s -> s.Evaluation.Every)
            (fun v s -> { s with Evaluation.Every = v })
            "Steps between evaluations; auto: 1,000 x evaluation.episodes, so that evaluations take about a step per step of the run."
        fixedKey
            "evaluation.episodes"
            "episodes"
            OfficialCode
            (int32Of (wholeNumber 1L 10_000L))
            (fun s -> s.Evaluation.Episodes)
            (fun v s -> { s with Evaluation.Episodes = v })
            "Noise-free episodes of one evaluation, on environments of its own."
        key
            "log.metricsEvery"
            "environment steps"
            Ours
            (steps 1L)
            (fun s -> s.Log.MetricsEvery)
            (fun v s -> { s with Log.MetricsEvery = v })
            "Steps between rows of metrics.csv and of layers.csv."
        key
            "log.probeEvery"
            "environment steps"
            Ours
            (steps 0L)
            (fun s -> s.Log.ProbeEvery)
            (fun v s -> { s with Log.ProbeEvery = v })
            "Steps between two probes of plasticity, in metrics.csv; 0 takes none. A probe takes as long as about 500 gradient steps of batch 256."
        key
            "log.tensorboard"
            ""
            Ours
            (choice [ "on", true; "off", false ])
            (fun s -> s.Log.TensorBoard)
            (fun v s -> { s with Log.TensorBoard = v })
            "Write what the tables say as TensorBoard events too, in the run's folder tensorboard."
        key
            "video.every"
            "environment steps"
            Ours
            (steps 0L)
            (fun s -> s.Video.Every)
            (fun v s -> { s with Video.Every = v })
            "Steps between videos of one noise-free episode in the run's folder video; 0 makes none."
        key
            "external.startTimeout"
            "seconds"
            Ours
            patience
            (fun s -> s.External.StartTimeout)
            (fun v s -> { s with External.StartTimeout = v })
            "How long an external environment may take from its start to its first answer."
        key
            "external.stepTimeout"
            "seconds"
            Ours
            patience
            (fun s -> s.External.StepTimeout)
            (fun v s -> { s with External.StepTimeout = v })
            "How long an external environment may take to a step, a reset or a saved state."
    ]
