using NE.Model;

namespace NE.Actors.Journal;

/// <summary>Questions about a run event that need no knowledge of its case.</summary>
public static class RunEvents
{
    /// <summary>The cases that make up a run's history; the others are operational.</summary>
    public static readonly IReadOnlySet<string> HistoryNames = new HashSet<string>
    {
        nameof(History.RunEvent.TopologyChanged),
        nameof(History.RunEvent.EpisodeEnded),
        nameof(History.RunEvent.EvaluationEnded),
        nameof(History.RunEvent.PhaseStarted),
    };

    /// <summary>The case's name, for example "TopologyChanged".</summary>
    public static string NameOf(History.RunEvent entry) => entry switch
    {
        History.RunEvent.TopologyChanged => nameof(History.RunEvent.TopologyChanged),
        History.RunEvent.EpisodeEnded => nameof(History.RunEvent.EpisodeEnded),
        History.RunEvent.EvaluationEnded => nameof(History.RunEvent.EvaluationEnded),
        History.RunEvent.PhaseStarted => nameof(History.RunEvent.PhaseStarted),
        History.RunEvent.RunStarted => nameof(History.RunEvent.RunStarted),
        History.RunEvent.RunResumed => nameof(History.RunEvent.RunResumed),
        History.RunEvent.ConfigurationChanged => nameof(History.RunEvent.ConfigurationChanged),
        History.RunEvent.EnvironmentRestarted => nameof(History.RunEvent.EnvironmentRestarted),
        History.RunEvent.RunInterrupted => nameof(History.RunEvent.RunInterrupted),
        History.RunEvent.RunFailed => nameof(History.RunEvent.RunFailed),
        History.RunEvent.RunCompleted => nameof(History.RunEvent.RunCompleted),
        _ => throw new NotSupportedException($"The journal does not know the event {entry.GetType().Name}."),
    };

    /// <summary>Place in the run's history; null for operational events, which have none.</summary>
    public static long? OrdinalOf(History.RunEvent entry) => entry switch
    {
        History.RunEvent.TopologyChanged e => e.ordinal,
        History.RunEvent.EpisodeEnded e => e.ordinal,
        History.RunEvent.EvaluationEnded e => e.ordinal,
        History.RunEvent.PhaseStarted e => e.ordinal,
        _ => null,
    };

    public static bool IsHistory(History.RunEvent entry) => OrdinalOf(entry) is not null;
}
