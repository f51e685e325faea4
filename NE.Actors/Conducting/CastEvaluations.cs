using Akka.Actor;
using Akka.Event;
using NE.Actors.Cast;
using NE.Actors.Checkpoints;
using NE.Actors.Evaluation;
using NE.Actors.Telemetry;
using NE.Model.Networks;
using NE.Model.Runs;
using static NE.Model.History;

namespace NE.Actors.Conducting;

/// <summary>
/// The evaluations of a run that no commit has delivered: their policies, and their results when they are over. Part of <see cref="RunCast"/>, so it belongs to the
/// run's actor.
/// </summary>
/// <param name="evaluator">Plays them.</param>
/// <param name="pending">Those of the commit that the run goes on from.</param>
internal sealed class CastEvaluations(IActorRef evaluator, IEnumerable<(long Step, Policy Policy)> pending, StatusBoard board, ILoggingAdapter log)
{
    private readonly Dictionary<long, Policy> policies = pending.ToDictionary(evaluation => evaluation.Step, evaluation => evaluation.Policy);
    private readonly Dictionary<long, EpisodeResults> results = [];
    private FrozenBest? best;

    /// <param name="policy">That of the step.</param>
    public void Begin(long step, Policy policy)
    {
        this.policies[step] = policy;
        this.Play(step);
    }

    /// <summary>One of those that were under way at the commit.</summary>
    public void Play(long step) => evaluator.Tell(new Evaluate(step, this.policies[step]));

    public Input Take(Evaluated done)
    {
        var (returns, lengths) = (done.Results.Returns, done.Results.Lengths);
        this.results[done.Step] = done.Results;
        board.Evaluated(done.Step, returns.Average());
        log.Info(
            "Evaluation of step {EvaluatedStep}: mean return {MeanReturn:0.0} of {Episodes} episodes", done.Step, returns.Average(), returns.Length);
        return Input.NewEvaluated(done.Step, returns, lengths);
    }

    /// <summary>Says which the commit does not have.</summary>
    public void AreLate(Order.EvaluationsLate late) => log.Warning(
        late.waits
            ? "All steps are taken; the run waits for the evaluation of step {EvaluatedSteps}. A stop commits what there is"
            : "The evaluation of step {EvaluatedSteps} is late: the checkpoint is made without it, and its place in the history is kept",
        string.Join(", ", late.steps));

    /// <summary>Its row for those who watch: it is over, and not delivered.</summary>
    public EvaluationShown Show(EvaluationEnded evaluation) => new(new EvaluationRow(evaluation, this.results[evaluation.Step].Inverted));

    /// <summary>Its row in the history. Its policy is forgotten, or kept as the best for the next commit.</summary>
    public EvaluationRow Deliver(EvaluationEnded evaluation)
    {
        this.results.Remove(evaluation.Step, out var ended);
        this.policies.Remove(evaluation.Step, out var played);
        if (evaluation.IsBest)
        {
            this.best = new FrozenBest(evaluation.Step, played!.ToBytes());
        }
        return new EvaluationRow(evaluation, ended!.Inverted);
    }

    /// <summary>Policies of the ledger's pending evaluations, in their order, as they are stored.</summary>
    public IReadOnlyList<byte[]> Freeze(Ledger ledger) => [.. ledger.Pending.Select(evaluation => this.policies[evaluation.Step].ToBytes())];

    /// <summary>The best policy when there is a new one since the last commit, which takes it.</summary>
    public FrozenBest? TakeBest()
    {
        var taken = this.best;
        this.best = null;
        return taken;
    }
}
