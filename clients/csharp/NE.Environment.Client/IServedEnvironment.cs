namespace NE.EnvironmentClient;

/// <summary>What an environment says about itself.</summary>
/// <param name="Id">Its name.</param>
/// <param name="ObservationLow">Lower bounds of the observation; may be infinite.</param>
/// <param name="ObservationHigh">Upper bounds of the observation; may be infinite.</param>
/// <param name="ActionLow">Lower bounds of the action; finite.</param>
/// <param name="ActionHigh">Upper bounds of the action; finite.</param>
/// <param name="TimeLimit">Steps after which an episode is cut off; 0 for none.</param>
public sealed record ServedSchema(
    string Id, float[] ObservationLow, float[] ObservationHigh, float[] ActionLow, float[] ActionHigh, int TimeLimit = 0);

/// <summary>The outcome of a step.</summary>
public readonly record struct ServedStep(double Reward, bool Terminated, bool Truncated);

/// <summary>An environment to be served to NE.Actors by <see cref="EnvironmentServer"/>. Implement <see cref="IStoredEnvironment"/> too when an episode
/// can be stored and continued, <see cref="IRenderedEnvironment"/> when it can be seen.</summary>
public interface IServedEnvironment
{
    ServedSchema Schema { get; }

    /// <summary>Begins an episode: the same seed, the same episode. Writes the first observation.</summary>
    void Reset(ulong seed, Span<float> observation);

    /// <summary>Makes one step and writes the next observation.</summary>
    ServedStep Step(ReadOnlySpan<float> action, Span<float> observation);
}

/// <summary>An environment whose episodes can be stored and continued exactly.</summary>
public interface IStoredEnvironment : IServedEnvironment
{
    /// <summary>Everything needed to continue exactly, in any process.</summary>
    byte[] SaveState();

    /// <summary>Continues where `SaveState` was called and writes the observation that was the last one then.</summary>
    void RestoreState(ReadOnlySpan<byte> state, Span<float> observation);
}

/// <summary>An environment that can be seen.</summary>
public interface IRenderedEnvironment : IServedEnvironment
{
    /// <summary>RGB, rows from the top [3 x width x height].</summary>
    byte[] Render(int width, int height);
}
