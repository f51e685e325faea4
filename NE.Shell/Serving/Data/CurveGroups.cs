using NE.Model.Statistics;
using NE.Shell.Reports.Compare.Data;
using NE.Shell.RunFiles;

namespace NE.Shell.Serving.Data;

/// <summary>Curves of many runs, seeds of one configuration together, as `ne report` groups them.</summary>
internal static class CurveGroups
{
    /// <param name="runs">What they are, each with the curve of the measure.</param>
    /// <param name="points">Points per curve at most.</param>
    public static IReadOnlyList<CurvePanel> Of(IReadOnlyList<(ReportedRun Run, Curve Curve)> runs, int points)
    {
        Dictionary<string, string> labels = ArmLabels.Of([.. runs.Select(run => run.Run)]);
        string[] order = [.. runs.Select(run => labels[run.Run.Name]).Distinct().Order(StringComparer.Ordinal)];
        return
        [
            .. runs
                .GroupBy(run => run.Run.Environment)
                .OrderBy(task => task.Key, StringComparer.Ordinal)
                .Select(task => new CurvePanel(
                    task.Key,
                    [
                        .. task
                            .GroupBy(run => labels[run.Run.Name])
                            .OrderBy(arm => Array.IndexOf(order, arm.Key))
                            .Select(arm => Arm(arm.Key, Array.IndexOf(order, arm.Key), [.. arm], points)),
                    ])),
        ];
    }

    private static CurveArm Arm(string label, int index, (ReportedRun Run, Curve Curve)[] runs, int points)
    {
        Curve[] curves = [.. runs.Select(run => run.Curve).Where(curve => !curve.IsEmpty)];
        bool isEvidence = Evidence.allowsInterval(curves.Length);
        return new(
            label,
            index,
            isEvidence,
            curves.Length == 0 ? [] : Spread.Of(curves, isEvidence ? Evidence.LeastSeeds : curves.Length, points),
            [.. runs.OrderBy(run => run.Run.Seed).Select(run => Seed(run.Run, run.Curve, points))]);
    }

    private static SeedCurve Seed(ReportedRun run, Curve curve, int points)
    {
        int[] kept = Downsampling.extremes(points, curve.Values);
        return new(run.Name, run.Seed, [.. kept.Select(row => curve.Steps[row])], [.. kept.Select(row => curve.Values[row])]);
    }
}
