using NE.Model;
using NE.Model.Replay;

namespace NE.Actors.Environments;

/// <summary>What is fixed about an environment.</summary>
/// <param name="Id">The task's id, such as HalfCheetah-v4.</param>
/// <param name="Observation">What the agent sees of it.</param>
/// <param name="ActionSize">Numbers in an action.</param>
/// <param name="ActionLow">Lower bounds of the action [ActionSize].</param>
/// <param name="ActionHigh">Upper bounds of the action [ActionSize].</param>
/// <param name="TimeLimit">Steps of the agent after which an episode is truncated; `NoTimeLimit` for none.</param>
/// <param name="SavesState">Whether an episode can be stored and continued. Without it a resumed run begins a new episode and is not the same run.</param>
public sealed record EnvironmentSpec(
    string Id, ObservationForm Observation, int ActionSize, float[] ActionLow, float[] ActionHigh, int TimeLimit, bool SavesState = true)
{
    /// <summary>An environment whose observations are numbers.</summary>
    public EnvironmentSpec(
        string Id, int ObservationSize, int ActionSize, float[] ActionLow, float[] ActionHigh, int TimeLimit, bool SavesState = true)
        : this(Id, ObservationForm.NewVector(ObservationSize), ActionSize, ActionLow, ActionHigh, TimeLimit, SavesState)
    {
    }

    /// <summary>A time limit that is none.</summary>
    public const int NoTimeLimit = int.MaxValue;

    /// <summary>Numbers in an observation, or, of pictures, floats of the memory that holds their bytes.</summary>
    public int ObservationSize => this.Observation.Floats;

    /// <summary>Control steps of the task per step of the agent.</summary>
    public int ActionRepeat { get; init; } = 1;

    /// <summary>What the environment is made of when it is not one of ours; null for ours.</summary>
    public EnvironmentFingerprint? Fingerprint { get; init; }

    /// <summary>The environment's own spec when its actions are rescaled to [-1, 1] for the agent; null when they are not.</summary>
    public EnvironmentSpec? Native { get; init; }
}

/// <summary>The outcome of a step. Both flags can be true on the same step.</summary>
/// <param name="Reward">The reward in double precision.</param>
/// <param name="Terminated">The task ended in this state: do not bootstrap from it.</param>
/// <param name="Truncated">The time limit, or a divergence, ended the episode: bootstrap from the state.</param>
/// <param name="Diverged">The simulation left the numbers on this step. The reward is 0 and the observation is the last sound one, so that
/// the transition tells the agent neither good nor bad.</param>
public readonly record struct StepResult(double Reward, bool Terminated, bool Truncated, bool Diverged = false)
{
    /// <summary>The episode is over.</summary>
    public bool IsLast => this.Terminated || this.Truncated;
}

/// <summary>One simulated task. Used by one thread at a time; a step makes no garbage.</summary>
/// <example>
/// using var environment = EnvironmentFactory.Create("HalfCheetah-v4");
/// environment.Reset(Draws.At(seed, Purpose.Reset, index, episode, 0), observation);
/// var result = environment.Step(action, observation);
/// </example>
public interface IEnvironment : IDisposable
{
    EnvironmentSpec Spec { get; }

    /// <summary>Whether the robot lies on its back now; null for a task that does not say, and for what goes around several tasks.</summary>
    bool? IsInverted => null;

    /// <summary>Starts an episode with noise from the stream and writes the first observation [ObservationSize].</summary>
    void Reset(Draws draws, Span<float> observation);

    /// <summary>Makes one control step with an action [ActionSize], which is not clipped here, and writes the next observation. Throws
    /// ArgumentException for a wrong size or a number that is not finite, InvalidOperationException when no episode is under way.</summary>
    StepResult Step(ReadOnlySpan<float> action, Span<float> observation);

    /// <summary>Everything needed to continue bit-exactly, in any process. Throws NotSupportedException where the spec says that the state
    /// cannot be saved.</summary>
    byte[] SaveState();

    /// <summary>Continues where `SaveState` was called and writes the observation that was the last one then. Throws
    /// InvalidDataException for a state that is damaged or of another task.</summary>
    void RestoreState(ReadOnlySpan<byte> state, Span<float> observation);
}
