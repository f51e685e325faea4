using NE.Actors.Environments;
using NE.Actors.RunDirectory;

namespace NE.Actors.Runs;

/// <summary>Which checkpoint a resumed run goes on from.</summary>
public enum ResumeFrom
{
    Latest,

    /// <summary>The one before; for when the latest is damaged.</summary>
    Previous,
}

/// <summary>Everything a run needs to know from outside.</summary>
public sealed record RunRequest
{
    /// <summary>The run's directory, locked by this process.</summary>
    public required RunPaths Paths { get; init; }

    /// <summary>Of run.json; its commits carry it. Null for a run that has none.</summary>
    public string? RunId { get; init; }

    /// <summary>Resolved and validated.</summary>
    public required Settings Settings { get; init; }

    /// <summary>The configuration as it is stored in the history.</summary>
    public required string ConfigurationText { get; init; }

    /// <summary>Versions by name: ne, .NET, libtorch, MuJoCo.</summary>
    public required IReadOnlyDictionary<string, string> Versions { get; init; }

    public ResumeFrom From { get; init; } = ResumeFrom.Latest;

    /// <summary>Episodes that another version of MuJoCo simulated are given up; without it they fail the run.</summary>
    public bool OnOtherMuJoCo { get; init; }

    /// <summary>Keys changed at this resume: key, old, new.</summary>
    public IReadOnlyList<(string Key, string Old, string New)> Changes { get; init; } = [];

    /// <summary>Akka loggers, as HOCON type names; empty for Akka's own standard-output logger.</summary>
    public IReadOnlyList<string> Loggers { get; init; } = [];

    /// <summary>Creates the environments; null asks the factory.</summary>
    public Func<string, IEnvironment>? CreateEnvironment { get; init; }

    /// <summary>Where the environments that train live: on threads of this process, unless a fleet holds them.</summary>
    public Func<EnvironmentStart, IEnvironmentListener, IEnvironmentHost> EnvironmentHosts { get; init; } = (start, listener) => new ThreadHost(start, listener);

    /// <summary>The ffmpeg executable for videos; null when there is none.</summary>
    public string? Ffmpeg { get; init; }

    /// <summary>How long a commit waits for evaluations before it is made without them.</summary>
    public TimeSpan EvaluationPatience { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How long a run that is to stop hears nothing of an environment, the replay memory or the tables before it ends at its last commit.</summary>
    public TimeSpan StopPatience { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How long simulators may take to end, before a run that failed begins anew and when it is over. One that hangs never does; its thread ends with the
    /// process.</summary>
    public TimeSpan EndPatience { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Failures to provoke, for drills and tests.</summary>
    public IReadOnlyList<FaultDrill> Drills { get; init; } = [];
}

/// <summary>Makes an environment fail once, when the run has taken this many steps.</summary>
public sealed record FaultDrill(int Environment, long Step)
{
    private int done;

    /// <summary>Which of the drills no environment of the run would ever meet; null when each has one.</summary>
    /// <param name="drills">As they were asked for.</param>
    /// <param name="environments">How many the run has.</param>
    public static string? Problem(IEnumerable<FaultDrill> drills, int environments) =>
        drills.FirstOrDefault(drill => drill.Environment >= environments) is { } without
            ? $"there is no environment {without.Environment} to fail at step {without.Step}; the run has {environments}, counted from 0"
            : null;

    /// <summary>Throws the first time that the step is reached.</summary>
    internal void Reach(int environment, long step)
    {
        if (environment == this.Environment && step >= this.Step && Interlocked.Exchange(ref this.done, 1) == 0)
        {
            throw new InvalidOperationException($"fault drill: environment {environment} was made to fail at step {this.Step:N0}");
        }
    }
}
