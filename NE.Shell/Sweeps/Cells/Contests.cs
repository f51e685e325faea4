using NE.Model.Statistics;
using NE.Shell.Host;
using NE.Shell.Sweeps.Planning;

namespace NE.Shell.Sweeps.Cells;

/// <summary>
/// The arms of a search by successive halving: how far each of their trials runs before it waits for the others, and which go on. Where nothing
/// is halved, every cell runs to its end.
/// </summary>
public sealed class Contests
{
    private readonly int factor;
    private readonly HalvingDecisions decisions;
    private readonly Dictionary<string, Contest> contests;

    private Contests(int factor, HalvingDecisions decisions, Dictionary<string, Contest> contests) =>
        (this.factor, this.decisions, this.contests) = (factor, decisions, contests);

    /// <summary>Of a sweep that is to be worked on.</summary>
    public static Contests Of(SweepPlan plan, SweepPaths paths) => Of(plan.Halving, plan.Cells.Select(cell => (cell.Cell, cell.Steps)), HalvingDecisions.Read(paths));

    /// <param name="halving">Null when every cell runs to its end.</param>
    /// <param name="cells">All cells of the sweep, with the steps of their runs.</param>
    /// <param name="decisions">What was decided before.</param>
    public static Contests Of(SweepHalving? halving, IEnumerable<(SweepCell Cell, long Steps)> cells, HalvingDecisions decisions) => new(
        halving?.Factor ?? 1,
        decisions,
        halving is null ? [] : cells.Where(cell => cell.Cell.Contest is not null).GroupBy(cell => cell.Cell.Contest!).ToDictionary(
            group => group.Key,
            group =>
            {
                string[] trials = [.. group.Select(cell => cell.Cell.Label).Distinct()];
                return new Contest(group.Key, [.. group.Select(cell => cell.Cell)], trials, SuccessiveHalving.rungs(halving.From, halving.Factor, group.Max(cell => cell.Steps), trials.Length));
            }));

    /// <summary>Where something is decided, ascending, with how many trials of an arm go on: of the arm with the longest runs.</summary>
    public IReadOnlyList<(long Step, int Survivors)> Rungs
    {
        get
        {
            Contest? longest = this.contests.Values.MaxBy(contest => contest.Rungs.Length);
            int left = longest?.Trials.Length ?? 0;
            return [.. (longest?.Rungs ?? []).Select(step => (step, left = SuccessiveHalving.survivors(this.factor, left)))];
        }
    }

    /// <summary>[environment steps] Where a cell waits for the others; null when it runs to its end.</summary>
    public long? Goal(SweepCell cell) => this.Of(cell) is { } contest ? this.Open(contest) : null;

    /// <summary>A cell's state, with what the search makes of one that nobody works on.</summary>
    /// <param name="cell">The cell.</param>
    /// <param name="state">What its run directory says.</param>
    /// <param name="evaluated">[environment steps] Where its newest evaluation was.</param>
    public CellState Seen(SweepCell cell, CellState state, long evaluated) =>
        state is not (CellState.Waiting or CellState.Interrupted) ? state
        : this.IsDropped(cell) ? CellState.Dropped
        : this.Goal(cell) <= evaluated ? CellState.Paused
        : state;

    /// <summary>Whether its trial goes no further.</summary>
    public bool IsDropped(SweepCell cell) => this.decisions.IsDropped(cell);

    /// <summary>[environment steps] Length of a cell's run where it is likely to end: of trials that compete, one in `factor` goes on from each decision.</summary>
    /// <param name="cell">The cell.</param>
    /// <param name="steps">Of its whole run.</param>
    public double LikelySteps(SweepCell cell, long steps)
    {
        if (this.Of(cell) is not { } contest)
        {
            return steps;
        }

        long[] open = [.. contest.Rungs.Skip(this.Made(contest)), steps];
        (double likely, double share, double trials) = (open[0], 1, this.InPlay(contest).Length);

        for (int next = 1; next < open.Length; next++)
        {
            int left = SuccessiveHalving.survivors(this.factor, (int)trials);
            (share, trials) = (share * left / trials, left);
            likely += share * (open[next] - open[next - 1]);
        }

        return likely;
    }

    /// <summary>
    /// Decides wherever every trial of an arm has arrived, and stores each decision before it is given back. Where fewer trials have a score than are to
    /// go on, nothing is decided: those that failed may be tried again, and a decision is never taken back.
    /// </summary>
    /// <param name="now">UTC.</param>
    /// <param name="hasArrived">Whether a cell was evaluated as late as this step, or will never be.</param>
    /// <param name="returns">What a cell's curve is worth at a step; NaN when it has none up to there.</param>
    /// <param name="isOpen">Gets a sentence for people of every arm about which nothing was decided for that reason.</param>
    /// <exception cref="IOException">A decision cannot be stored, so that it is none.</exception>
    public IEnumerable<HalvingDecision> Decide(DateTimeOffset now, Func<SweepCell, long, bool> hasArrived, Func<SweepCell, long, double> returns, Action<string> isOpen)
    {
        foreach (Contest contest in this.contests.Values)
        {
            while (this.Open(contest) is { } step && this.InPlay(contest) is var trials && contest.Cells.Where(cell => trials.Contains(cell.Label)).All(cell => hasArrived(cell, step)))
            {
                string[] environments = [.. contest.Cells.Select(cell => cell.Environment).Distinct()];
                double[][] scores = [.. trials.Select(trial => environments
                    .Select(environment => contest.Cells.Where(cell => cell.Label == trial && cell.Environment == environment).Average(cell => returns(cell, step)))
                    .ToArray())];
                (int scored, int needed) = (scores.Count(score => score.All(double.IsFinite)), SuccessiveHalving.survivors(this.factor, trials.Length));

                if (scored < needed)
                {
                    isOpen($"{contest.Name} at step {Format.Count(step)}: nothing is decided, since {scored} of {Format.Counted(trials.Length, "trial")} can be compared and {needed} would go on");
                    break;
                }

                double[] ranks = SuccessiveHalving.averageRanks(scores);
                HashSet<int> promoted = [.. SuccessiveHalving.promoted(this.factor, scores)];
                var decision = new HalvingDecision(contest.Name, step, now, [.. trials.Select((trial, index) => new JudgedTrial(
                    trial,
                    environments.Zip(scores[index]).ToDictionary(pair => pair.Item1, pair => double.IsFinite(pair.Item2) ? pair.Item2 : (double?)null),
                    ranks[index],
                    promoted.Contains(index)))]);
                this.decisions.Add(decision);
                yield return decision;
            }
        }
    }

    private Contest? Of(SweepCell cell) => cell.Contest is { } name ? this.contests.GetValueOrDefault(name) : null;

    private int Made(Contest contest) => this.decisions.All.Count(decision => decision.Contest == contest.Name);

    private long? Open(Contest contest) => this.Made(contest) is var made && made < contest.Rungs.Length ? contest.Rungs[made] : null;

    /// <summary>The trials that no decision dropped.</summary>
    private string[] InPlay(Contest contest) => this.decisions.All.LastOrDefault(decision => decision.Contest == contest.Name) is { } last
        ? [.. last.Trials.Where(trial => trial.GoesOn).Select(trial => trial.Label)]
        : contest.Trials;

    private sealed record Contest(string Name, SweepCell[] Cells, string[] Trials, long[] Rungs);
}
