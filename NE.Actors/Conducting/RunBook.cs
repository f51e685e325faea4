using Akka.Actor;
using NE.Actors.Cast;
using NE.Actors.Checkpoints;
using NE.Actors.Environments;
using NE.Actors.Evaluation;
using NE.Actors.Telemetry;
using NE.Model.Agents;
using NE.Model.Networks;
using NE.Model.Runs;
using static NE.Model.History;

namespace NE.Actors.Conducting;

/// <summary>
/// What a run has counted and recorded up to its newest barrier: the ledger, the history since the last commit, and the evaluations on
/// their way. Owned by the run's actor.
/// </summary>
internal sealed class RunBook(Ledger ledger, IActorRef telemetry, IActorRef evaluator, IActorRef video)
{
    private const int RememberedReturns = 60;

    private readonly List<RunEvent> events = [];
    private readonly Dictionary<long, Policy> evaluating = [];
    private readonly Dictionary<long, EpisodeResults> evaluated = [];
    private readonly Queue<double> returns = new();
    private readonly List<(long Step, double Mean)> evaluations = [];
    private FrozenBest? newBest;

    public Ledger Ledger { get; private set; } = ledger;

    public Position Position => this.Ledger.Position;

    /// <summary>Returns of the last training episodes of this process, oldest first.</summary>
    public IReadOnlyCollection<double> RecentReturns => this.returns;

    /// <summary>Evaluations of this process as they finished, those not delivered yet included.</summary>
    public IReadOnlyList<(long Step, double Mean)> Evaluations => this.evaluations;

    /// <summary>The newest metrics.</summary>
    public (string Name, double Value)[] Metrics { get; private set; } = [];

    /// <summary>True when every evaluation that was started has a result.</summary>
    public bool EvaluationsFinished => this.Ledger.Pending.All(pending => this.evaluated.ContainsKey(pending.Step));

    /// <summary>Policies under evaluation, to be repeated by a resume: step and policy.</summary>
    public IEnumerable<(long Step, Policy Policy)> Evaluating => this.Ledger.Pending.Select(pending => (pending.Step, this.evaluating[pending.Step]));

    public void Advance(long steps, long learned, long gradientSteps) =>
        this.Ledger = LedgerModule.advance(steps, learned, gradientSteps, this.Ledger);

    /// <summary>An operational event that belongs to the next commit.</summary>
    public void Note(RunEvent happened) => this.events.Add(happened);

    public void CountRestart() =>
        this.Ledger = LedgerModule.countRestart(this.Ledger);

    public void Record(IEnumerable<TopologyChanged> changes)
    {
        foreach (var change in changes)
        {
            this.Keep(LedgerModule.recordTopology(change, this.Ledger));
            telemetry.Tell(change);
        }
    }

    /// <summary>The beginning of the current phase.</summary>
    public void RecordPhase(Settings settings)
    {
        if (this.Keep(LedgerModule.recordPhase(settings, this.Ledger)) is RunEvent.PhaseStarted { Item2: var phase })
        {
            telemetry.Tell(phase);
        }
    }

    /// <summary>The episodes of a round, in (step, environment) order.</summary>
    public void Record(IEnumerable<TransitionBlock> blocks)
    {
        foreach (var (_, episode) in blocks.SelectMany(block => block.Episodes).OrderBy(e => e.Episode.Step).ThenBy(e => e.Episode.Environment))
        {
            this.Keep(LedgerModule.recordEpisode(episode, this.Ledger));
            this.returns.Enqueue(episode.Return);
            if (this.returns.Count > RememberedReturns)
            {
                this.returns.Dequeue();
            }
        }
    }

    /// <summary>A row of metrics measured at a barrier; takes the mean of the training returns since the last row with it.</summary>
    public void Record(long step, long gradientStep, long replaySize, Measurement measurement)
    {
        var (episodeReturn, episodeLength, next) = LedgerModule.takeRecentEpisodes(this.Ledger);
        this.Ledger = next;
        this.Metrics = measurement.Metrics;
        telemetry.Tell(new MetricsRow(step, gradientStep, next.Episodes, episodeReturn, episodeLength, replaySize, measurement));
    }

    /// <summary>Starts to evaluate the policy of a step; the policy must not change any more.</summary>
    public void StartEvaluation(Policy policy, long step)
    {
        this.Ledger = LedgerModule.startEvaluation(step, this.Ledger);
        this.Evaluate(step, policy);
    }

    /// <summary>Starts to film the policy of a step, unless another one is still filmed. Nothing of the run depends on it.</summary>
    public void StartVideo(Policy policy, long step) => video.Tell(new RecordVideo(step, policy));

    /// <summary>Repeats an evaluation that a restored ledger has as pending.</summary>
    public void RepeatEvaluation(long step, Policy policy) => this.Evaluate(step, policy);

    public void Finished(Evaluated done)
    {
        this.evaluated[done.Step] = done.Results;
        this.evaluations.Add((done.Step, done.Results.Returns.Average()));
    }

    /// <summary>
    /// Delivers every pending evaluation, in the order of their steps. Called at scheduled commit barriers alone, so that it does not
    /// depend on how long the episodes took; all must be finished.
    /// </summary>
    public void DeliverEvaluations()
    {
        foreach (var pending in this.Ledger.Pending)
        {
            var results = this.evaluated[pending.Step];
            var happened = this.Keep(LedgerModule.deliverEvaluation(pending.Step, results.Returns, results.Lengths, this.Ledger));
            if (happened is RunEvent.EvaluationEnded { Item2: var evaluation })
            {
                telemetry.Tell(new EvaluationRow(evaluation, results.Inverted));
                if (evaluation.IsBest)
                {
                    this.newBest = new FrozenBest(pending.Step, this.evaluating[pending.Step].ToBytes());
                }
            }
            this.evaluated.Remove(pending.Step);
            this.evaluating.Remove(pending.Step);
        }
    }

    /// <summary>Hands out what the next commit makes durable, and forgets it.</summary>
    public (IReadOnlyList<RunEvent> Events, FrozenBest? Best) TakeForCommit()
    {
        var taken = (this.events.ToArray(), this.newBest);
        this.events.Clear();
        this.newBest = null;
        return taken;
    }

    private void Evaluate(long step, Policy policy)
    {
        this.evaluating[step] = policy;
        evaluator.Tell(new Evaluate(step, policy));
    }

    private RunEvent Keep((RunEvent Happened, Ledger Next) recorded)
    {
        this.Ledger = recorded.Next;
        this.events.Add(recorded.Happened);
        return recorded.Happened;
    }
}
