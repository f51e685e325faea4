using NE.Model;

namespace NE.Actors.Environments;

/// <summary>Shows an environment to the agent with actions in [-1, 1] and maps them affinely to the environment's own bounds, as Gymnasium's
/// RescaleAction does: -1 is the lower bound, 1 the upper. The agent assumes one symmetric bound for all actions.</summary>
public sealed class RescaledEnvironment : IEnvironment
{
    private readonly float[] low;
    private readonly float[] high;
    private readonly float[] action;

    /// <summary>Owns the inner environment from now on. Throws EnvironmentUnusableException for bounds that cannot be used (`ActionBounds`).</summary>
    public RescaledEnvironment(IEnvironment inner)
    {
        this.Inner = inner;
        this.Spec = Describe(inner.Spec);
        (this.low, this.high) = (inner.Spec.ActionLow, inner.Spec.ActionHigh);
        this.action = new float[inner.Spec.ActionSize];
    }

    public IEnvironment Inner { get; }

    public EnvironmentSpec Spec { get; }

    public bool? IsInverted => this.Inner.IsInverted;

    /// <summary>The environment itself when the agent can use its bounds, otherwise a rescaled one. Frees the environment when neither is possible.</summary>
    public static IEnvironment Fitted(IEnvironment environment)
    {
        try
        {
            ActionBounds.Require(environment.Spec);
            return Fits(environment.Spec) ? environment : new RescaledEnvironment(environment);
        }
        catch
        {
            environment.Dispose();
            throw;
        }
    }

    /// <summary>What the agent sees of an environment: the spec itself, or one of actions in [-1, 1] that keeps the environment's own as `Native`.</summary>
    public static EnvironmentSpec Fitted(EnvironmentSpec spec)
    {
        ActionBounds.Require(spec);
        return Fits(spec) ? spec : Describe(spec);
    }

    public void Reset(Draws draws, Span<float> observation) => this.Inner.Reset(draws, observation);

    public StepResult Step(ReadOnlySpan<float> action, Span<float> observation)
    {
        if (action.Length != this.action.Length)
        {
            throw new ArgumentException($"An action of {this.Spec.Id} has {Counted.Of(this.action.Length, "number")}; found {action.Length}.", nameof(action));
        }

        for (var i = 0; i < action.Length; i++)
        {
            // Twice a half: the difference of two finite bounds may be infinite.
            var middle = 0.5 * this.low[i] + 0.5 * this.high[i];
            var half = 0.5 * this.high[i] - 0.5 * this.low[i];
            this.action[i] = (float)(middle + half * action[i]);
        }

        return this.Inner.Step(this.action, observation);
    }

    public byte[] SaveState() => this.Inner.SaveState();

    public void RestoreState(ReadOnlySpan<byte> state, Span<float> observation) => this.Inner.RestoreState(state, observation);

    public void Dispose() => this.Inner.Dispose();

    private static EnvironmentSpec Describe(EnvironmentSpec inner)
    {
        ActionBounds.Require(inner);
        return inner with
        {
            ActionLow = [.. Enumerable.Repeat(-1f, inner.ActionSize)],
            ActionHigh = [.. Enumerable.Repeat(1f, inner.ActionSize)],
            Native = inner,
        };
    }

    private static bool Fits(EnvironmentSpec spec)
    {
        var bound = spec.ActionSize == 0 ? 1 : spec.ActionHigh[0];
        return float.IsFinite(bound) && bound > 0 && spec.ActionHigh.All(high => high == bound) && spec.ActionLow.All(low => low == -bound);
    }
}
