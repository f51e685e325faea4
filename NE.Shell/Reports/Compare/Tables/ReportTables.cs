using System.Globalization;
using NE.Model;
using NE.Model.Statistics;
using NE.Shell.Host;
using NE.Shell.Reports.Compare.Data;
using NE.Shell.RunFiles;

namespace NE.Shell.Reports.Compare.Tables;

/// <summary>The tables of a report, as text for people; the numbers themselves are in the figures' CSV files.</summary>
internal static class ReportTables
{
    /// <summary>One row per arm: the scores that a reader looks for first.</summary>
    public static DataTable Headline(IReadOnlyList<Panel> panels, IReadOnlyDictionary<Arm, ArmStatistics> statistics)
    {
        var table = new DataTable("headline", "Scores", "environment", "arm", "seeds", "last 10 %", "IQM", "area under the curve", "T / 3M", "missing")
        {
            Note = $"Mean +- standard deviation over seeds [95 % BCa interval of the mean]; IQM [95 % stratified bootstrap interval]. With fewer than {Evidence.LeastSeeds} complete seeds an arm is its seeds' values and nothing more: no interval, no rank.{Cycles(panels)}",
        };

        foreach (Panel panel in panels)
        {
            foreach (Arm arm in panel.Arms)
            {
                ArmStatistics of = statistics[arm];
                string seeds = of.Seeds.ToString(CultureInfo.InvariantCulture);
                table.Add(
                    panel.Environment,
                    arm.Label,
                    arm.IsEvidence ? seeds : $"{seeds} (points)",
                    of.Seeds == 0 ? "-" : arm.IsEvidence ? $"{Value(of.Mean)} +- {Value(of.Deviation)} {Range(of.MeanInterval)}" : Points(arm.Finals),
                    arm.IsEvidence ? $"{Value(of.Iqm)} {Range(of.IqmInterval)}" : "-",
                    double.IsNaN(of.Area) ? "-" : arm.IsEvidence ? $"{Value(of.Area)} {Range(of.AreaInterval)}" : Points(arm.Areas),
                    Factors(panel, arm),
                    string.Join("; ", Shortfall(arm)));
            }
        }

        return table;
    }

    /// <summary>One row per pair of arms with enough seeds.</summary>
    public static DataTable Comparisons(IReadOnlyList<ArmComparison> comparisons)
    {
        var table = new DataTable("comparisons", "Comparisons", "environment", "arms", "difference of the last 10 %", "p", "difference of the area", "p of the area", "P(improvement)")
        {
            Note = "Differences with Welch's 95 % interval and two-sided p, not corrected for the number of comparisons.",
        };

        foreach (ArmComparison pair in comparisons)
        {
            table.Add(
                pair.Panel.Environment,
                $"{pair.First.Label} - {pair.Second.Label}{string.Concat(pair.Survival.Select(lost => $" ({lost})"))}",
                $"{Value(pair.Final.Difference)} {Range(pair.Final.Interval)}",
                Probability(pair.Final.P),
                pair.Area is { } area ? $"{Value(area.Difference)} {Range(area.Interval)}" : "-",
                pair.Area is { } same ? Probability(same.P) : "-",
                $"{pair.Improvement.ToString("0.00", CultureInfo.InvariantCulture)} {Range(pair.ImprovementInterval, "0.00")}");
        }

        return table;
    }

    /// <summary>Scores at a third, two thirds and the end, as the paper's Tables 8 to 10. Those of a cycle would be of several tasks and are left out.</summary>
    public static DataTable Stages(IReadOnlyList<Panel> panels)
    {
        var table = new DataTable("stages", "Scores on the way", "environment", "arm", "1/3", "2/3", "end")
        {
            Note = "The last evaluation at or before the step: mean +- standard deviation over seeds (n); below " + Evidence.LeastSeeds + " seeds the seeds' values. A seed counts as far as it has got.",
        };

        foreach (Panel panel in panels.Where(panel => !panel.IsCycle))
        {
            foreach (Arm arm in panel.Arms)
            {
                string[] stages = [.. ((double[])[1.0 / 3, 2.0 / 3, 1]).Select(share => Stage(arm, share * panel.Horizon))];
                table.Add(panel.Environment, arm.Label, stages[0], stages[1], stages[2]);
            }
        }

        return table;
    }

    /// <summary>How often the topology changed, per seed: a rule that never pruned anything was not put to the test (docs/algorithm.md 2.2).</summary>
    public static DataTable Events(IReadOnlyList<Panel> panels)
    {
        var table = new DataTable("events", "Topology events", "environment", "arm", "network", "seeds", "events", "of them pruned something")
        {
            Note = "Values of the seeds, in their order; one value where all are the same. Where no event pruned anything, pruning was not exercised.",
        };

        foreach (Panel panel in panels)
        {
            foreach (Arm arm in panel.Arms)
            {
                IReadOnlyDictionary<string, bool[]>[] seeds = [.. arm.Runs.Where(run => HasChanged(run.Topology)).Select(run => HasPruned(run.Topology))];

                foreach (string network in seeds.SelectMany(seed => seed.Keys).Distinct().Order(StringComparer.Ordinal))
                {
                    bool[][] events = [.. seeds.Select(seed => seed.GetValueOrDefault(network, []))];
                    table.Add(panel.Environment, arm.Label, network, seeds.Length, Counts(events.Select(seed => seed.Length)), Counts(events.Select(seed => seed.Count(has => has))));
                }
            }
        }

        return table;
    }

    /// <summary>Whether any event made or took away a weight; those of ReDo do not.</summary>
    private static bool HasChanged(CsvTable topology) =>
        Enumerable.Range(0, topology.Rows).Any(row => topology.Number(row, "grown") > 0 || topology.Number(row, "pruned") > 0);

    /// <summary>By network, for each of its events, whether it took a weight away.</summary>
    private static Dictionary<string, bool[]> HasPruned(CsvTable topology) =>
        Enumerable.Range(0, topology.Rows)
            .GroupBy(row => topology.Text(row, "network"))
            .ToDictionary(
                network => network.Key,
                network => network.GroupBy(row => topology.Number(row, "gradientStep")).Select(rows => rows.Any(row => topology.Number(row, "pruned") > 0)).ToArray());

    private static string Counts(IEnumerable<int> counts) => string.Join(", ", counts.Distinct().Count() == 1 ? counts.Take(1) : counts);

    /// <summary>Values of the runs that have got to a step, within one evaluation.</summary>
    public static double[] At(Arm arm, double step) => [.. arm.Runs.Where(run => run.Covers(step)).Select(run => run.Until(step)).Where(curve => !curve.IsEmpty).Select(curve => curve.Values[^1])];

    /// <summary>What an arm lacks: seeds by name, and how many more it takes for an interval.</summary>
    public static IEnumerable<string> Shortfall(Arm arm) => arm.IsEvidence
        ? arm.Missing
        : arm.Missing.Append($"{Evidence.LeastSeeds - arm.Scores.Count} more complete {(Evidence.LeastSeeds - arm.Scores.Count == 1 ? "seed" : "seeds")} needed for an interval");

    /// <summary>How many steps these are against the paper's (docs/algorithm.md 1.6).</summary>
    public static string Factor(double steps) => (steps / SettingsModule.paperSteps).ToString("0.###", CultureInfo.InvariantCulture);

    /// <summary>How long an arm's own runs are against the paper's; and how far they count, where that is less.</summary>
    private static string Factors(Panel panel, Arm arm)
    {
        string own = string.Join(" / ", arm.Lengths.Select(length => Factor(length)));
        return own.Length == 0 ? "-"
            : panel.EndsByEpisodes ? $"at most {own}"
            : arm.Lengths.Any(length => panel.Horizon < length) ? $"{Factor(panel.Horizon)} of {own}" : own;
    }

    /// <summary>What the scores of cycles are, which a reader would not expect.</summary>
    private static string Cycles(IReadOnlyList<Panel> panels) => string.Concat(panels.Where(panel => panel.IsCycle).Select(panel =>
        $" On {panel.Environment} the score is of {panel.LastPhase} alone, and there is no area: returns of different tasks cannot be compared."));

    private static string Stage(Arm arm, double step)
    {
        double[] values = At(arm, step);
        return values.Length == 0 ? "-"
            : Evidence.allowsInterval(values.Length)
                ? $"{Value(Descriptive.mean(values))} +- {Value(Descriptive.standardDeviation(values))} ({values.Length})"
                : Points(values);
    }

    private static string Points(double[] values) => string.Join(", ", values.Order().Select(Value));

    private static string Range(Interval? interval, string format = "") =>
        interval is not { } range ? "" : format.Length > 0
            ? $"[{range.Low.ToString(format, CultureInfo.InvariantCulture)}, {range.High.ToString(format, CultureInfo.InvariantCulture)}]"
            : $"[{Value(range.Low)}, {Value(range.High)}]";

    /// <summary>A score with as many digits as say something.</summary>
    public static string Value(double value) => Format.Value(value, Math.Abs(value) >= 100 ? "0" : Math.Abs(value) >= 10 ? "0.0" : "0.00");

    private static string Probability(double p) => p < 0.001 ? "< 0.001" : p.ToString("0.000", CultureInfo.InvariantCulture);
}
