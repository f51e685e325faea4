using NE.Model;
using NE.Model.Replay;

namespace NE.Actors.Environments.Catalogue;

/// <summary>Shows an environment to the agent in the widths of a cycle's widest tasks: spare numbers of the observation are 0, spare components of
/// the action have the bounds [0, 0] and do not reach the environment.</summary>
public sealed class PaddedEnvironment : IEnvironment
{
    private readonly int observations;
    private readonly int actions;

    /// <summary>Owns the inner environment from now on.</summary>
    /// <param name="spec">Of the inner environment, padded.</param>
    public PaddedEnvironment(IEnvironment inner, EnvironmentSpec spec)
    {
        (this.Inner, this.Spec) = (inner, spec);
        (this.observations, this.actions) = (inner.Spec.ObservationSize, inner.Spec.ActionSize);
    }

    public IEnvironment Inner { get; }

    public EnvironmentSpec Spec { get; }

    /// <summary>A spec in other widths, which must not be smaller.</summary>
    public static EnvironmentSpec Padded(EnvironmentSpec spec, int observationSize, int actionSize) => spec with
    {
        Observation = ObservationForm.NewVector(observationSize),
        ActionSize = actionSize,
        ActionLow = Padded(spec.ActionLow, actionSize),
        ActionHigh = Padded(spec.ActionHigh, actionSize),
    };

    public void Reset(Draws draws, Span<float> observation) => this.Inner.Reset(draws, this.Own(observation));

    public StepResult Step(ReadOnlySpan<float> action, Span<float> observation)
    {
        if (action.Length != this.Spec.ActionSize)
        {
            throw new ArgumentException($"A padded action of {this.Spec.Id} has {Counted.Of(this.Spec.ActionSize, "number")}; found {action.Length}.", nameof(action));
        }

        return this.Inner.Step(action[..this.actions], this.Own(observation));
    }

    public byte[] SaveState() => this.Inner.SaveState();

    public void RestoreState(ReadOnlySpan<byte> state, Span<float> observation) => this.Inner.RestoreState(state, this.Own(observation));

    public void Dispose() => this.Inner.Dispose();

    /// <summary>The part that the environment fills; the rest becomes 0.</summary>
    private Span<float> Own(Span<float> observation)
    {
        observation[this.observations..].Clear();
        return observation[..this.observations];
    }

    private static float[] Padded(float[] bounds, int size) => [.. bounds, .. Enumerable.Repeat(0f, size - bounds.Length)];
}
