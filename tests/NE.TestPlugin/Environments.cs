using NE.Actors.Environments;
using NE.Model;

namespace NE.TestPlugin;

/// <summary>A point on a line that is pushed to 0. Its bounds are not symmetric, so the agent sees rescaled actions.</summary>
public sealed class Slide : IEnvironment
{
    private const int Limit = 50;
    private float position;
    private int elapsed;

    public EnvironmentSpec Spec { get; } = new("Slide", 1, 1, [-1f], [3f], Limit);

    public void Reset(Draws draws, Span<float> observation)
    {
        this.position = (float)draws.Uniform(-1, 1);
        this.elapsed = 0;
        observation[0] = this.position;
    }

    public StepResult Step(ReadOnlySpan<float> action, Span<float> observation)
    {
        this.position += 0.1f * action[0];
        this.elapsed++;
        observation[0] = this.position;
        return new StepResult(-Math.Abs(this.position), Terminated: false, Truncated: this.elapsed >= Limit);
    }

    public byte[] SaveState() => [.. BitConverter.GetBytes(this.position), .. BitConverter.GetBytes(this.elapsed)];

    public void RestoreState(ReadOnlySpan<byte> state, Span<float> observation)
    {
        this.position = BitConverter.ToSingle(state);
        this.elapsed = BitConverter.ToInt32(state[4..]);
        observation[0] = this.position;
    }

    public void Dispose()
    {
    }
}

/// <summary>Has a state of nine megabytes.</summary>
public sealed class Heavy : IEnvironment
{
    private const int Bytes = 9_000_000;

    public EnvironmentSpec Spec { get; } = new("Heavy", 1, 1, [-1f], [1f], 20);

    public void Reset(Draws draws, Span<float> observation) => observation[0] = 0;

    public StepResult Step(ReadOnlySpan<float> action, Span<float> observation)
    {
        observation[0] = action[0];
        return new StepResult(0, Terminated: false, Truncated: false);
    }

    public byte[] SaveState() => new byte[Bytes];

    public void RestoreState(ReadOnlySpan<byte> state, Span<float> observation) => observation[0] = 0;

    public void Dispose()
    {
    }
}

/// <summary>Says why it cannot be made.</summary>
public sealed class Broken : IEnvironment
{
    public Broken() => throw new InvalidOperationException("the licence is missing");

    public EnvironmentSpec Spec => throw new NotSupportedException();

    public void Reset(Draws draws, Span<float> observation) => throw new NotSupportedException();

    public StepResult Step(ReadOnlySpan<float> action, Span<float> observation) => throw new NotSupportedException();

    public byte[] SaveState() => throw new NotSupportedException();

    public void RestoreState(ReadOnlySpan<byte> state, Span<float> observation) => throw new NotSupportedException();

    public void Dispose()
    {
    }
}

/// <summary>A coin: the reward is 1 where the action's sign is the observation's. Its state cannot be saved.</summary>
public sealed class Forgetful : IEnvironment
{
    private Draws? coins;
    private float shown;
    private int elapsed;

    public EnvironmentSpec Spec { get; } = new("Forgetful", 1, 1, [-1f], [1f], 20, SavesState: false);

    public void Reset(Draws draws, Span<float> observation)
    {
        this.coins = draws;
        this.elapsed = 0;
        this.Toss(observation);
    }

    public StepResult Step(ReadOnlySpan<float> action, Span<float> observation)
    {
        var reward = Math.Sign(action[0]) == Math.Sign(this.shown) ? 1 : 0;
        this.elapsed++;
        this.Toss(observation);
        return new StepResult(reward, Terminated: false, Truncated: this.elapsed >= 20);
    }

    public byte[] SaveState() => throw new NotSupportedException("a coin has no memory");

    public void RestoreState(ReadOnlySpan<byte> state, Span<float> observation) => throw new NotSupportedException("a coin has no memory");

    public void Dispose()
    {
    }

    private void Toss(Span<float> observation) => observation[0] = this.shown = this.coins!.NextDouble() < 0.5 ? -1 : 1;
}

/// <summary>Forgets to write the second number of its first observation.</summary>
public sealed class Unwritten : IEnvironment
{
    public EnvironmentSpec Spec { get; } = new("Unwritten", 2, 1, [-1f], [1f], 20, SavesState: false);

    public void Reset(Draws draws, Span<float> observation) => observation[0] = 1;

    public StepResult Step(ReadOnlySpan<float> action, Span<float> observation) => new(0, Terminated: false, Truncated: false);

    public byte[] SaveState() => throw new NotSupportedException();

    public void RestoreState(ReadOnlySpan<byte> state, Span<float> observation) => throw new NotSupportedException();

    public void Dispose()
    {
    }
}

/// <summary>Gives a reward that 64 bits hold and 32 do not.</summary>
public sealed class Generous : IEnvironment
{
    public EnvironmentSpec Spec { get; } = new("Generous", 1, 1, [-1f], [1f], 20, SavesState: false);

    public void Reset(Draws draws, Span<float> observation) => observation[0] = 1;

    public StepResult Step(ReadOnlySpan<float> action, Span<float> observation)
    {
        observation[0] = 1;
        return new StepResult(1e39, Terminated: false, Truncated: false);
    }

    public byte[] SaveState() => throw new NotSupportedException();

    public void RestoreState(ReadOnlySpan<byte> state, Span<float> observation) => throw new NotSupportedException();

    public void Dispose()
    {
    }
}
