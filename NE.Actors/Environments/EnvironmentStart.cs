namespace NE.Actors.Environments;

/// <summary>How an incarnation of a run's environment begins.</summary>
/// <param name="Index">Number of the environment.</param>
/// <param name="Settings">Of the run.</param>
/// <param name="Create">Creates the simulator, on its own thread.</param>
public sealed record EnvironmentStart(int Index, Settings Settings, Func<IEnvironment> Create)
{
    /// <summary>Id of the task that is played: of a cycle, the one that the run is on.</summary>
    public required string Task { get; init; }

    /// <summary>What the agent sees of it; null where only the thread that it lives on is concerned, which asks the simulator.</summary>
    public EnvironmentSpec? Spec { get; init; }

    /// <summary>Actions are uniformly random before this step of the run.</summary>
    public required long RandomUntil { get; init; }

    /// <summary>State to continue from; null begins with an episode.</summary>
    public byte[]? Restored { get; init; }

    /// <summary>When another version of MuJoCo simulated that state's episode, the next one is begun.</summary>
    public bool OnOtherMuJoCo { get; init; }

    /// <summary>Number of the episode that it begins with, unless it continues.</summary>
    public long Episode { get; init; }

    /// <summary>How long it waits before it begins.</summary>
    public TimeSpan Pause { get; init; }

    /// <summary>Simulators of this environment that the run has made, this one included.</summary>
    public int Incarnation { get; init; } = 1;

    /// <summary>Called after every round with the run's step: a fault drill throws here.</summary>
    public Action<long>? Drill { get; init; }

    /// <summary>Lets a simulator that was just created begin or go on. On its own thread.</summary>
    /// <exception cref="InvalidDataException">The state to continue from is damaged or of another version.</exception>
    /// <exception cref="EnvironmentUnusableException">It is of another environment.</exception>
    public EnvironmentWorker BringUp(IEnvironment environment)
    {
        var worker = new EnvironmentWorker(environment, this.Settings, this.Index, this.RandomUntil);
        if (this.Restored is { } state)
        {
            worker.Restore(state, this.OnOtherMuJoCo);
        }
        else
        {
            worker.Begin(this.Episode);
        }
        return worker;
    }
}
