using NE.Actors.Environments;

namespace NE.Actors.Fleet.Environments;

/// <summary>
/// An environment of a run on this machine that lives on a node of the fleet. All that a node needs in order to go on with it is kept here, and is that
/// of the end of its last round. The action of a round of one step is chosen here, where the policy is: of a new policy for every step, a node would
/// need little but the one action. Rounds of several steps, and those of pictures, are acted at the node.
/// </summary>
internal sealed class RemoteEnvironment(RunEnvironments fleet, int number, EnvironmentStart start, IEnvironmentListener listener) : IEnvironmentHost
{
    private readonly BehaviourPolicy behaviour = new(start.Settings, start.Index, start.RandomUntil, start.Spec!);
    private StepRound? pending;
    private byte[]? state;
    private float[] observation = [];

    /// <summary>Of this incarnation of the environment; unique in the process.</summary>
    public int Number => number;

    public EnvironmentStart Start => start;

    /// <summary>Rounds that are done.</summary>
    public long Round { get; private set; }

    /// <summary>What the run waits for; null while it waits for nothing. From any thread.</summary>
    public StepRound? Pending => Volatile.Read(ref this.pending);

    /// <summary>At the end of the last round; null before it was up once.</summary>
    public byte[]? State => Volatile.Read(ref this.state);

    /// <summary>Of the round that is pending; empty where the node chooses its actions.</summary>
    public float[] Action { get; private set; } = [];

    /// <summary>Whether the actions of rounds of one step are chosen here.</summary>
    private bool ChoosesHere => start.Spec!.Observation.IsVector;

    public void Begin() => fleet.Want(this);

    public void Step(StepRound round)
    {
        this.Action = round.Steps == 1 && this.ChoosesHere ? this.Choose(round) : [];
        Volatile.Write(ref this.pending, round);
        fleet.Tell(new RoundWanted(this, round));
    }

    public void Capture()
    {
        if (this.State is { } known)
        {
            listener.Captured(known);
        }
    }

    public void Dispose() => fleet.GiveUp(this);

    /// <summary>A node has it for the first time.</summary>
    /// <exception cref="InvalidDataException">What it shows is not what such an environment shows.</exception>
    public void TakeUp(EnvironmentOpened opened)
    {
        this.observation = this.Sound(opened.Observation);
        Volatile.Write(ref this.state, opened.State);
        listener.Ready(opened.Episode);
    }

    /// <summary>A node has taken the round that is pending.</summary>
    /// <exception cref="InvalidDataException">Its rows are not what such a round has.</exception>
    public void Take(RoundResult result)
    {
        var round = this.Pending!;
        if (this.ChoosesHere)
        {
            // Also after a round of several steps: in async the next one may have one.
            this.observation = this.Sound(result.Observation);
        }
        round.Block.Fill(result.Rows);
        round.Block.Episodes.AddRange(result.Episodes);
        round.Block.Divergences = result.Divergences;
        round.Block.Episode = result.Episode;
        this.Round = result.Round;
        Volatile.Write(ref this.state, result.State);
        Volatile.Write(ref this.pending, null);
        start.Drill?.Invoke(round.Step + (long)round.Steps * round.Stride);
        // The next round may be asked for before this returns.
        listener.Stepped(round.Block);
    }

    public void Fail(Exception error) => listener.Failed(error);

    private float[] Choose(StepRound round)
    {
        var action = new float[start.Spec!.ActionSize];
        this.behaviour.Choose(round.Policy, round.Step, EnvironmentWorker.Place(this.State!), this.observation, action);
        return action;
    }

    private float[] Sound(float[] shown) => shown.Length == start.Spec!.ObservationSize
        ? shown
        : throw new InvalidDataException($"environment {start.Index} shows {shown.Length} numbers at its node; it has {start.Spec.ObservationSize} here");
}

/// <summary>To those who place environments: it waits for this round.</summary>
internal sealed record RoundWanted(RemoteEnvironment Environment, StepRound Round);

/// <summary>To them: the run has, or no longer has, this environment.</summary>
internal sealed record EnvironmentWanted(RemoteEnvironment Environment, bool Wanted);

/// <summary>Something about an environment on another machine.</summary>
public sealed class RemoteEnvironmentException(string message) : Exception(message);
