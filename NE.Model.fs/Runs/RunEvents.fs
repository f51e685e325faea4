namespace NE.Model.Runs

open System
open NE.Model.History

/// Questions about a run event that need no knowledge of its case.
[<RequireQualifiedAccess>]
module RunEvents =

    /// The case's name, for example "TopologyChanged".
    let nameOf (event: RunEvent) : string =
        match event with
        | TopologyChanged _ -> nameof TopologyChanged
        | EpisodeEnded _ -> nameof EpisodeEnded
        | EvaluationEnded _ -> nameof EvaluationEnded
        | PhaseStarted _ -> nameof PhaseStarted
        | RunStarted _ -> nameof RunStarted
        | RunResumed _ -> nameof RunResumed
        | ConfigurationChanged _ -> nameof ConfigurationChanged
        | EnvironmentRestarted _ -> nameof EnvironmentRestarted
        | RunInterrupted _ -> nameof RunInterrupted
        | RunFailed _ -> nameof RunFailed
        | RunCompleted _ -> nameof RunCompleted

    /// Names of the cases that make up a run's history; the others are operational.
    let historyNames: Set<string> =
        set [
            nameof TopologyChanged
            nameof EpisodeEnded
            nameof EvaluationEnded
            nameof PhaseStarted
        ]

    /// Place in the run's history; no value for operational events, which have none.
    let ordinalOf (event: RunEvent) : Nullable<int64> =
        match event with
        | TopologyChanged(ordinal, _)
        | EpisodeEnded(ordinal, _)
        | EvaluationEnded(ordinal, _)
        | PhaseStarted(ordinal, _) -> Nullable ordinal
        | _ -> Nullable()

    /// Whether the event is history.
    let isHistory (event: RunEvent) : bool = (ordinalOf event).HasValue
