using NE.Model;
using NE.Model.Statistics;
using NE.Shell.Host;
using NE.Shell.RunFiles;

namespace NE.Shell.Reports.Compare.Data;

/// <summary>The runs that differ in their seed alone, on one environment.</summary>
public sealed record Arm
{
    /// <summary>What the arm is called in legends and tables.</summary>
    public required string Label { get; init; }

    public required string Environment { get; init; }

    /// <summary>In the order of their seeds; at least one evaluation each.</summary>
    public required IReadOnlyList<ReportedRun> Runs { get; init; }

    /// <summary>Position among all labels of the report: decides colour and line.</summary>
    public required int Index { get; init; }

    /// <summary>Scores of the runs that have reached the horizon and were evaluated before it: every final score is a number.</summary>
    public required IReadOnlyList<RunScore> Scores { get; init; }

    /// <summary>What is missing: "seed 3 (not started)", "seed 4 (no evaluation from 30,600 to 34,000)".</summary>
    public required IReadOnlyList<string> Missing { get; init; }

    /// <summary>How many seeds were to be there, with and without a score.</summary>
    public required int Seeds { get; init; }

    /// <summary>Runs that failed or diverged before the horizon: where they are many, the scores of the others say too much.</summary>
    public required IReadOnlyList<ReportedRun> Lost { get; init; }

    /// <summary>Lengths of its runs, also of those without an evaluation, ascending; none where no run was started.</summary>
    public required IReadOnlyList<long> Lengths { get; init; }

    /// <summary>What is to be said beside its scores where seeds were lost, such as "4 of 12 seeds failed; its scores are those of survivors"; null where none was.</summary>
    public string? Survival => this.Lost.Count == 0
        ? null
        : $"{this.Lost.Count} of {Format.Counted(this.Seeds, "seed")} {(this.Lost.All(run => run.State == "failed") ? "failed" : "failed or diverged")}"
            + (this.Scores.Count > 0 ? "; its scores are those of survivors" : "");

    public double[] Finals => [.. this.Scores.Select(score => score.Final)];

    /// <summary>None in a cycle.</summary>
    public double[] Areas => [.. this.Scores.Select(score => score.Area).Where(double.IsFinite)];

    /// <summary>Curves of a column of metrics.csv, of the runs that have it.</summary>
    public Curve[] Metric(string column) => [.. this.Runs.Select(run => run.Metrics.Curve("step", column)).Where(curve => !curve.IsEmpty)];

    /// <summary>Whether the seeds suffice for an interval.</summary>
    public bool IsEvidence => Evidence.allowsInterval(this.Scores.Count);
}

/// <summary>The arms of one environment.</summary>
/// <param name="Environment">Its id.</param>
/// <param name="Horizon">Environment steps at which the arms are compared; where runs end by episodes, the last step of any.</param>
/// <param name="Arms">In the order of their labels.</param>
public sealed record Panel(string Environment, double Horizon, IReadOnlyList<Arm> Arms)
{
    /// <summary>Lengths of the runs, ascending; where they end by episodes, bounds of them.</summary>
    public IReadOnlyList<long> Lengths => [.. this.Arms.SelectMany(arm => arm.Lengths).Distinct().Order()];

    /// <summary>Arms with enough seeds for an interval.</summary>
    public IReadOnlyList<Arm> Evident => [.. this.Arms.Where(arm => arm.IsEvidence)];

    /// <summary>Whether the returns on the way are of several tasks, which cannot be compared.</summary>
    public bool IsCycle => TaskCycle.isCycle(this.Environment);

    /// <summary>Whether runs end after a number of episodes, each at a step of its own.</summary>
    public bool EndsByEpisodes => this.Arms.SelectMany(arm => arm.Runs).Any(run => run.EndsByEpisodes);

    /// <summary>What the final scores are: the title of their axis.</summary>
    public string ScoreTitle => this.IsCycle ? $"return, last 10 %, of {this.LastPhase}" : "return, mean of the last 10 %";

    /// <summary>The only phase of a cycle whose returns are in the scores, with its task where that is recorded.</summary>
    public string LastPhase => this.Arms.SelectMany(arm => arm.Scores).FirstOrDefault()?.Task is { } task ? $"the last phase ({task})" : "the last phase";
}
