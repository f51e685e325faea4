using NE.Model;
using NE.Shell.Reports.Compare.Data;
using NE.Shell.RunFiles;
using OxyPlot;

namespace NE.Shell.Reports.Compare.Figures;

/// <summary>Experience review over time, as the paper's Figure 5.</summary>
internal static class Review
{
    private static readonly (string Column, string Axis)[] measures =
        [("review_epsilon", "epsilon"), ("review_probability", "probability"), ("review_fraction", "reviewed batches")];

    /// <summary>Null when no run has a review.</summary>
    public static Figure? Draw(IReadOnlyList<Panel> panels)
    {
        var canvas = new Canvas("review", 2);
        var data = new DataTable("review", "Experience review, mean over seeds", "environment", "arm", "measure", "step", "mean", "deviation", "seeds");
        bool any = false;

        foreach (Panel panel in panels)
        {
            Arm[] arms = [.. panel.Arms.Where(arm => arm.Runs.Any(Reviews))];

            if (arms.Length == 0)
            {
                continue;
            }

            any = true;
            double end = panel.Arms.SelectMany(arm => arm.Runs).Select(run => run.Reached).Append(panel.Horizon).Max();
            var stack = new List<(PlotModel, double)>();

            foreach ((string column, string axis) in measures)
            {
                bool isLast = column == measures[^1].Column;
                PlotModel model = Look.Panel(stack.Count == 0 ? panel.Environment : null);
                model.Axes.Add(Look.Steps(end, named: isLast));
                model.Axes.Add(Look.Share(axis));

                foreach (Arm arm in arms)
                {
                    Curve[] curves = arm.Metric(column);
                    LearningCurves.Add(model, arm, curves, point => data.Add(panel.Environment, arm.Label, column, point.Step, point.Mean, point.Deviation, point.Seeds));
                }

                stack.Add((model, stack.Count == 0 ? 160 : isLast ? 168 : 130));
            }

            canvas.Add([.. stack]);
            canvas.Legend(arms.Select(arm => new LegendItem(arm.Label, arm.Index)));
        }

        return !any
            ? null
            : new(
                "review",
                "Experience review",
                "Epsilon falls with the activated ratio's movement; the probability that a batch is taken from the oldest part of the replay memory is (1 - floor)(1 - epsilon), "
                + "or 1 - max(epsilon, floor) with ne.reviewScale=start. "
                + "The lowest panel is the share of batches that really were. Lines as in the learning curves.",
                canvas.Compose(),
                [data]);
    }

    /// <summary>Neuroplastic Expansion with its review; naive growth stores its keys too, and has none.</summary>
    private static bool Reviews(ReportedRun run) =>
        run.Metrics.Has("review_epsilon") && MethodModule.parse(run.Keys.GetValueOrDefault("run.method", run.Method)) is { IsOk: true } method && method.ResultValue.Has(Technique.Ne) && run.Keys.GetValueOrDefault("ne.review") != "off";
}
