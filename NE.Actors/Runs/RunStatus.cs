namespace NE.Actors.Runs;

/// <summary>What a run is doing right now.</summary>
public enum RunPhase
{
    /// <summary>Actors and environments are being created.</summary>
    Starting,

    /// <summary>Steps are being taken and learned from.</summary>
    Training,

    /// <summary>The last commit could not be written; it is being tried again and the run waits.</summary>
    Paused,

    /// <summary>A stop was asked for; the final checkpoint is being written.</summary>
    Stopping,

    /// <summary>All steps are done and committed.</summary>
    Completed,

    /// <summary>Stopped on request; can be resumed.</summary>
    Interrupted,

    /// <summary>Stopped on an error; what was committed can be resumed.</summary>
    Failed,
}

/// <summary>One environment as the live view shows it.</summary>
/// <param name="Index">Number of the environment, from 0.</param>
/// <param name="Episodes">Finished episodes.</param>
/// <param name="LastReturn">Undiscounted return of the last finished episode; NaN before the first.</param>
/// <param name="Restarts">How often the environment failed and was started anew in this process.</param>
/// <param name="Divergences">Episodes that ended because the simulation left the numbers, in this process.</param>
public sealed record EnvironmentStatus(int Index, long Episodes, double LastReturn, int Restarts, int Divergences = 0);

/// <summary>A value of the whole run's state for people to look at; published about twice a second, immutable.</summary>
public sealed record RunStatus
{
    public required RunPhase Phase { get; init; }

    /// <summary>A sentence about the phase when it needs one (why the run is paused, why it failed).</summary>
    public string? Message { get; init; }

    /// <summary>In a cycle, the task that the run is on and its phase, such as "Ant-v4, phase 3 of 12"; otherwise null.</summary>
    public string? Task { get; init; }

    /// <summary>Environment steps taken, all environments together.</summary>
    public long Step { get; init; }

    /// <summary>Environment steps of the whole run.</summary>
    public long Steps { get; init; }

    /// <summary>Gradient steps taken.</summary>
    public long GradientStep { get; init; }

    /// <summary>Gradient steps that the learner still owes before it can look up, when they take more than a moment (heavy priming); else 0.</summary>
    public long GradientStepsOwed { get; init; }

    /// <summary>Seconds since this process began to train.</summary>
    public double ElapsedSeconds { get; init; }

    /// <summary>Environment steps per second over the last few seconds.</summary>
    public double StepsPerSecond { get; init; }

    /// <summary>Gradient steps per second over the last few seconds.</summary>
    public double UpdatesPerSecond { get; init; }

    /// <summary>Environment steps before learning begins; 0 when it has.</summary>
    public long WarmUpSteps { get; init; }

    /// <summary>Environment steps per second while they are learned from, of the last few seconds of that; 0 before there was any.</summary>
    public double LearningStepsPerSecond { get; init; }

    /// <summary>Gradient steps times batch size, divided by transitions inserted.</summary>
    public double SampleToInsert { get; init; }

    /// <summary>Share of the learner's time spent waiting for environments, 0..1.</summary>
    public double LearnerWaiting { get; init; }

    /// <summary>Returns of the last training episodes, oldest first, at most 60.</summary>
    public IReadOnlyList<double> EpisodeReturns { get; init; } = [];

    /// <summary>Steps and mean returns of the evaluations so far, oldest first.</summary>
    public IReadOnlyList<(long Step, double Mean)> Evaluations { get; init; } = [];

    /// <summary>Steps of evaluations that were late for a checkpoint and are still under way.</summary>
    public IReadOnlyList<long> LateEvaluations { get; init; } = [];

    /// <summary>The newest metrics by name, e.g. "actor_density", "critic_anr_0", "review_fraction".</summary>
    public IReadOnlyDictionary<string, double> Metrics { get; init; } = new Dictionary<string, double>();

    /// <summary>Transitions, or frames, in the replay memory.</summary>
    public long ReplaySize { get; init; }

    /// <summary>The most that it holds.</summary>
    public long ReplayCapacity { get; init; }

    /// <summary>Environment step of the last commit; null before the first one.</summary>
    public long? CheckpointStep { get; init; }

    /// <summary>Seconds since the last commit.</summary>
    public double CheckpointAgeSeconds { get; init; }

    /// <summary>Bytes that the last commit wrote.</summary>
    public long CheckpointBytes { get; init; }

    /// <summary>How long the learner stood still for the last commit.</summary>
    public double CheckpointPauseMilliseconds { get; init; }

    /// <summary>The environments, by index.</summary>
    public IReadOnlyList<EnvironmentStatus> Environments { get; init; } = [];
}
