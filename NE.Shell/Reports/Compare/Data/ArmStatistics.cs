using NE.Model.Statistics;

namespace NE.Shell.Reports.Compare.Data;

/// <summary>What the seeds of an arm say together. Intervals are null and the interquartile mean is NaN for fewer than 8 seeds (<see cref="Evidence"/>), and so is everything for none.</summary>
/// <param name="Seeds">Runs with a score.</param>
/// <param name="Mean">Mean of their final scores.</param>
/// <param name="Deviation">Standard deviation over seeds (n - 1).</param>
/// <param name="MeanInterval">95 % BCa bootstrap interval of the mean.</param>
/// <param name="Iqm">Interquartile mean of their final scores.</param>
/// <param name="IqmInterval">95 % percentile bootstrap interval of it.</param>
/// <param name="Area">Mean area under the learning curve; NaN in a cycle.</param>
/// <param name="AreaInterval">95 % BCa bootstrap interval of it.</param>
public sealed record ArmStatistics(
    int Seeds, double Mean, double Deviation, Interval? MeanInterval, double Iqm, Interval? IqmInterval, double Area, Interval? AreaInterval)
{
    /// <summary>Seed of the resamples: the same data always gives the same report.</summary>
    public const long Stream = 0;

    public static ArmStatistics Of(Arm arm)
    {
        if (arm.Scores.Count == 0)
        {
            return new(0, double.NaN, double.NaN, null, double.NaN, null, double.NaN, null);
        }

        double[][] finals = [arm.Finals];
        double[][] areas = [arm.Areas];
        Interval? When(Func<Interval> interval) => arm.IsEvidence ? interval() : null;
        return new(
            arm.Scores.Count,
            Descriptive.mean(arm.Finals),
            Descriptive.standardDeviation(arm.Finals),
            When(() => Bootstrap.bca(Stream, Bootstrap.Resamples, Bootstrap.Level, MeanOf, finals)),
            arm.IsEvidence ? Descriptive.interquartileMean(arm.Finals) : double.NaN,
            When(() => IqmIntervalOf(finals)),
            arm.Areas.Length > 0 ? Descriptive.mean(arm.Areas) : double.NaN,
            arm.Areas.Length > 0 ? When(() => Bootstrap.bca(Stream, Bootstrap.Resamples, Bootstrap.Level, MeanOf, areas)) : null);
    }

    /// <summary>Interquartile mean over the runs of all tasks. Every task counts as much as another, however many seeds it has.</summary>
    public static double IqmOf(double[][] strata) => Descriptive.stratifiedInterquartileMean(strata);

    /// <summary>Its 95 % stratified bootstrap interval.</summary>
    public static Interval IqmIntervalOf(double[][] strata) => Bootstrap.percentile(Stream, Bootstrap.Resamples, Bootstrap.Level, IqmOf, strata);

    private static double MeanOf(double[][] strata) => strata[0].Average();
}

/// <summary>Two arms of one environment that both have enough seeds to be compared.</summary>
/// <param name="Final">Welch's test on the final scores.</param>
/// <param name="Area">Welch's test on the areas under the curves; null in a cycle.</param>
/// <param name="Improvement">Probability that a run of the first is better than one of the second, by final score.</param>
/// <param name="ImprovementInterval">Its 95 % stratified bootstrap interval.</param>
public sealed record ArmComparison(Panel Panel, Arm First, Arm Second, WelchResult Final, WelchResult? Area, double Improvement, Interval ImprovementInterval)
{
    /// <summary>What is to be said of an arm that lost seeds, with its name.</summary>
    public IEnumerable<string> Survival => new[] { this.First, this.Second }.Where(arm => arm.Survival is not null).Select(arm => $"{arm.Label}: {arm.Survival}");

    /// <summary>Every pair of a panel whose arms have enough seeds, in the order of the arms.</summary>
    public static IEnumerable<ArmComparison> Of(Panel panel)
    {
        IReadOnlyList<Arm> arms = panel.Evident;

        for (int i = 0; i < arms.Count; i++)
        {
            for (int j = i + 1; j < arms.Count; j++)
            {
                // The later arm against the earlier one: the first named is what the others are compared with.
                (Arm first, Arm second) = (arms[j], arms[i]);
                yield return new(
                    panel,
                    first,
                    second,
                    Comparison.welch(Bootstrap.Level, first.Finals, second.Finals),
                    panel.IsCycle ? null : Comparison.welch(Bootstrap.Level, first.Areas, second.Areas),
                    Comparison.probabilityOfImprovement([first.Finals], [second.Finals]),
                    Comparison.improvementInterval(ArmStatistics.Stream, Bootstrap.Resamples, Bootstrap.Level, [first.Finals], [second.Finals]));
            }
        }
    }
}

/// <summary>Arms that have enough seeds on every one of several environments, with their scores brought to a common scale.</summary>
/// <param name="Labels">Arms, in order.</param>
/// <param name="Indices">Looks of the arms.</param>
/// <param name="Scores">Per arm one stratum per environment: 0 is the lowest, 1 the highest final score of any of these runs on the environment.</param>
public sealed record AcrossEnvironments(IReadOnlyList<string> Labels, IReadOnlyList<int> Indices, IReadOnlyList<double[][]> Scores)
{
    /// <summary>Null for a single environment, or when fewer than two arms are on all of them.</summary>
    public static AcrossEnvironments? Of(IReadOnlyList<Panel> panels)
    {
        if (panels.Count < 2)
        {
            return null;
        }

        Arm[][] arms =
        [
            .. panels[0].Evident
                .Select(arm => panels.Select(panel => panel.Evident.FirstOrDefault(other => other.Label == arm.Label)).OfType<Arm>().ToArray())
                .Where(row => row.Length == panels.Count),
        ];

        if (arms.Length < 2)
        {
            return null;
        }

        (double Low, double High)[] ranges =
        [
            .. Enumerable.Range(0, panels.Count).Select(panel =>
                (arms.Min(row => row[panel].Finals.Min()), arms.Max(row => row[panel].Finals.Max()))),
        ];
        double Scaled(double score, int panel) =>
            ranges[panel].High > ranges[panel].Low ? (score - ranges[panel].Low) / (ranges[panel].High - ranges[panel].Low) : 0.5;
        return new(
            [.. arms.Select(row => row[0].Label)],
            [.. arms.Select(row => row[0].Index)],
            [.. arms.Select(row => row.Select((arm, panel) => arm.Finals.Select(score => Scaled(score, panel)).ToArray()).ToArray())]);
    }
}
