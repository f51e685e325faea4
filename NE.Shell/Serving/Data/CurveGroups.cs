using System.Collections.Concurrent;
using NE.Model.Statistics;
using NE.Shell.Reports.Compare.Data;
using NE.Shell.RunFiles;

namespace NE.Shell.Serving.Data;

/// <summary>Curves of many runs, seeds of one configuration together, as `ne report` groups them.</summary>
internal sealed class CurveGroups
{
    private readonly Lock gate = new();
    private (IReadOnlyList<ReportedRun> Runs, Dictionary<string, string> Labels) labelled = ([], []);

    /// <summary>Arms of which no run has grown are what they were: a folder is for the most part of complete runs.</summary>
    private readonly ConcurrentDictionary<(string Measure, int Points, string Task, string Label), (string Signature, CurveArm Arm)> drawn = new();

    /// <param name="runs">What they are, each with the curve of the measure.</param>
    /// <param name="measure">What the curves are of.</param>
    /// <param name="points">Points per curve at most.</param>
    public IReadOnlyList<CurvePanel> Of(IReadOnlyList<(ReportedRun Run, Curve Curve)> runs, string measure, int points)
    {
        Dictionary<string, string> labels = this.Labels([.. runs.Select(run => run.Run)]);
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
                            .Select(arm => this.Arm((measure, points, task.Key, arm.Key), Array.IndexOf(order, arm.Key), [.. arm])),
                    ])),
        ];
    }

    /// <summary>What arms are called takes a look at every key of every run, so it is done again only for other runs or other configurations.</summary>
    private Dictionary<string, string> Labels(ReportedRun[] runs)
    {
        lock (this.gate)
        {
            if (!this.labelled.Runs.Select(Identity).SequenceEqual(runs.Select(Identity)))
            {
                this.labelled = (runs, ArmLabels.Of(runs));
            }

            return this.labelled.Labels;
        }
    }

    private static (string Name, string? Sweep, string? Label, IReadOnlyDictionary<string, string> Keys) Identity(ReportedRun run) => (run.Name, run.Sweep, run.Label, run.Keys);

    private CurveArm Arm((string Measure, int Points, string Task, string Label) of, int index, (ReportedRun Run, Curve Curve)[] runs)
    {
        string signature = $"{index} {string.Join(' ', runs.Select(run => $"{run.Run.Name} {run.Curve.Steps.Length} {run.Curve.End} {run.Curve.Values.LastOrDefault()}"))}";

        if (!this.drawn.TryGetValue(of, out (string Signature, CurveArm Arm) known) || known.Signature != signature)
        {
            known = (signature, Arm(of.Label, index, runs, of.Points));
            this.drawn[of] = known;
        }

        return known.Arm;
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
            // Where they are enough for a band they are not drawn one by one.
            [.. runs.OrderBy(run => run.Run.Seed).Select(run => Seed(run.Run, isEvidence ? new([], []) : run.Curve, points))],
            curves.Length);
    }

    private static SeedCurve Seed(ReportedRun run, Curve curve, int points)
    {
        int[] kept = Downsampling.extremes(points, curve.Values);
        return new(run.Name, run.Seed, [.. kept.Select(row => curve.Steps[row])], [.. kept.Select(row => curve.Values[row])]);
    }
}
