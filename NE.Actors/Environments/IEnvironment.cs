using Stream = NE.Model.Random.Stream;

namespace NE.Actors.Environments;

/// <summary>What is fixed about an environment.</summary>
/// <param name="Id">The task's id, such as HalfCheetah-v4.</param>
/// <param name="ObservationSize">Numbers in an observation.</param>
/// <param name="ActionSize">Numbers in an action.</param>
/// <param name="ActionLow">Lower bounds of the action [ActionSize].</param>
/// <param name="ActionHigh">Upper bounds of the action [ActionSize].</param>
/// <param name="TimeLimit">Steps after which an episode is truncated.</param>
public sealed record EnvironmentSpec(string Id, int ObservationSize, int ActionSize, float[] ActionLow, float[] ActionHigh, int TimeLimit);

/// <summary>The outcome of a step. Both flags can be true on the same step.</summary>
/// <param name="Reward">The reward in double precision.</param>
/// <param name="Terminated">The task ended in this state: do not bootstrap from it.</param>
/// <param name="Truncated">The time limit ended the episode: bootstrap from the state.</param>
public readonly record struct StepResult(double Reward, bool Terminated, bool Truncated)
{
    /// <summary>The episode is over.</summary>
    public bool IsLast => this.Terminated || this.Truncated;
}

/// <summary>One simulated task. Used by one thread at a time; a step makes no garbage.</summary>
/// <example>
/// using var environment = EnvironmentFactory.Create("HalfCheetah-v4");
/// environment.Reset(Random.at(seed, Purpose.Reset, index, episode, 0), observation);
/// var result = environment.Step(action, observation);
/// </example>
public interface IEnvironment : IDisposable
{
    EnvironmentSpec Spec { get; }

    /// <summary>Starts an episode with noise from the stream and writes the first observation [ObservationSize].</summary>
    void Reset(Stream random, Span<float> observation);

    /// <summary>Makes one control step with an action [ActionSize], which is not clipped here, and writes the next observation. Throws
    /// ArgumentException for a wrong size or a number that is not finite, InvalidOperationException when no episode is under way,
    /// PhysicsDivergedException when the simulation broke down (then reset).</summary>
    StepResult Step(ReadOnlySpan<float> action, Span<float> observation);

    /// <summary>Everything needed to continue bit-exactly, in any process.</summary>
    byte[] SaveState();

    /// <summary>Continues where `SaveState` was called and writes the observation that was the last one then. Throws
    /// InvalidDataException for a state that is damaged or of another task.</summary>
    void RestoreState(ReadOnlySpan<byte> state, Span<float> observation);
}
