using NE.Model.Statistics;

namespace NE.Shell.Reports.Compare.Data;

/// <summary>The score of one run.</summary>
/// <param name="Run">The run.</param>
/// <param name="Final">Mean return of the evaluations in the last 10 % of the length.</param>
/// <param name="Area">Area under the learning curve over its length.</param>
public sealed record RunScore(ReportedRun Run, double Final, double Area);

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

    /// <summary>Scores of the runs that have reached the horizon.</summary>
    public required IReadOnlyList<RunScore> Scores { get; init; }

    /// <summary>What is missing: "seed 3 (not started)", "seed 4 (at 20,000 of 100,000)".</summary>
    public required IReadOnlyList<string> Missing { get; init; }

    public double[] Finals => [.. this.Scores.Select(score => score.Final)];

    public double[] Areas => [.. this.Scores.Select(score => score.Area)];

    /// <summary>Whether the seeds suffice for an interval.</summary>
    public bool IsEvidence => Evidence.allowsInterval(this.Scores.Count);
}

/// <summary>The arms of one environment.</summary>
/// <param name="Environment">Its id.</param>
/// <param name="Horizon">Environment steps at which the arms are compared.</param>
/// <param name="Steps">Length of the runs.</param>
/// <param name="Arms">In the order of their labels.</param>
public sealed record Panel(string Environment, double Horizon, long Steps, IReadOnlyList<Arm> Arms)
{
    /// <summary>Arms with enough seeds for an interval.</summary>
    public IReadOnlyList<Arm> Evident => [.. this.Arms.Where(arm => arm.IsEvidence)];
}
