using Akka.Actor;
using NE.Actors.Configuration;
using NE.Actors.Environments;
using NE.Actors.Environments.Catalogue;
using NE.Model.Networks;
using NE.Model.Replay;
using NE.Model.Runs;

namespace NE.Actors.Fleet.Environments;

/// <summary>An environment of a run elsewhere, on a thread of this process. Its state is taken after every round.</summary>
internal sealed class KeptEnvironment : IEnvironmentListener, IDisposable
{
    private readonly Settings settings;
    private readonly Action<object> tell;
    private readonly ThreadHost host;
    private readonly long before;
    private RoundOrder? asked;

    // Of the simulator's thread.
    private ITransitionRows? layout;
    private TransitionBlock? block;
    private long? firstEpisode;

    /// <param name="run">Who places it.</param>
    /// <param name="open">How it begins.</param>
    /// <param name="tell">Called on its thread with <see cref="EnvironmentOpened"/>, a <see cref="RoundResult"/>, or the exception that ended it.</param>
    /// <exception cref="ConfigurationException">The run's configuration cannot be read here.</exception>
    /// <exception cref="ArgumentException">The environment's id is none.</exception>
    public KeptEnvironment(IActorRef run, OpenEnvironment open, Action<KeptEnvironment, object> tell)
    {
        (this.Run, this.Number, this.Epoch, this.RunName, this.Index, this.before) = (run, open.Number, open.Epoch, open.Run, open.Index, open.Round);
        this.tell = said => tell(this, said);
        this.settings = ConfigurationLayers.Read(open.Configuration, $"the configuration of {open.Run}");
        var fingerprint = open.Fingerprint is { } text ? EnvironmentFingerprint.OfText(text) : null;
        var cycle = EnvironmentCycle.Of(this.settings.Run.Environment);
        this.host = new ThreadHost(
            new EnvironmentStart(open.Index, this.settings, () => this.Create(open.Task, fingerprint, cycle))
            {
                Task = open.Task,
                RandomUntil = open.RandomUntil,
                Restored = open.State,
                Episode = open.Episode,
                OnOtherMuJoCo = open.OnOtherMuJoCo,
            },
            this);
        this.host.Begin();
    }

    public IActorRef Run { get; }

    /// <summary>That the run gave it.</summary>
    public int Number { get; }

    public long Epoch { get; }

    public string RunName { get; }

    /// <summary>Number of the environment in the run.</summary>
    public int Index { get; }

    /// <summary>Null before the simulator is up.</summary>
    public EnvironmentOpened? Opened { get; set; }

    /// <summary>Of the last round; null before the first.</summary>
    public RoundResult? Result { get; set; }

    /// <summary>Begins a round, if it is the next one and not begun already.</summary>
    public void Take(RoundOrder order, Policy policy)
    {
        var last = this.Result?.Round ?? this.before;
        if (this.Opened is not null && order.Round == last + 1 && this.asked?.Round != order.Round)
        {
            this.asked = order;
            this.host.Step(new StepRound(order.Step, order.Stride, order.Steps, policy, this.block!));
        }
    }

    public void Dispose() => this.host.Dispose();

    void IEnvironmentListener.Ready(long episode)
    {
        this.firstEpisode = episode;
        this.block = new TransitionBlock(this.Index, this.layout!, Conductor.stepsAtOnce(this.settings));
        this.host.Capture();
    }

    void IEnvironmentListener.Stepped(TransitionBlock stepped) => this.host.Capture();

    void IEnvironmentListener.Captured(byte[] state)
    {
        if (this.firstEpisode is { } episode)
        {
            this.firstEpisode = null;
            this.tell(new EnvironmentOpened(this.Number, this.Epoch, episode, state));
            return;
        }
        var stepped = this.block!;
        this.tell(new RoundResult(
            this.Number, this.Epoch, this.asked!.Round, stepped.Rows.ToArray(), [.. stepped.Episodes], stepped.Divergences, stepped.Episode, state));
    }

    void IEnvironmentListener.Failed(Exception error) => this.tell(error);

    private IEnvironment Create(string task, EnvironmentFingerprint? fingerprint, EnvironmentCycle? cycle)
    {
        var created = TaskEnvironment.Create(this.settings, task, fingerprint, cycle);
        this.layout = TransitionRows.create(created.Spec.Observation, created.Spec.ActionSize);
        return created;
    }
}
