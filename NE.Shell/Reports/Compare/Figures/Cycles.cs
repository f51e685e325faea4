using NE.Shell.Reports.Compare.Data;
using OxyPlot;
using OxyPlot.Annotations;
using OxyPlot.Axes;

namespace NE.Shell.Reports.Compare.Figures;

/// <summary>Returns and ratios of a cycle of tasks with its switches, as the paper's Figures 7 and 8.</summary>
internal static class Cycles
{
    /// <summary>The ratio of Eq. 1, and the fraction of active units, which is probably what the paper's figures show (spec 2.2).</summary>
    private static readonly (string Column, string Title)[] ratios =
        [("actor_anr_0", "actor, activated"), ("critic_anr_0", "critic, activated"), ("actor_fau", "actor, fau"), ("critic_fau", "critic, fau")];

    /// <summary>Null when no run is a cycle whose phases are recorded.</summary>
    public static Figure? Draw(IReadOnlyList<Panel> panels)
    {
        var canvas = new Canvas("cycles", 1);
        var data = new DataTable("cycles", "Phases of the cycles", "environment", "arm", "run", "seed", "step", "phase", "task");
        bool any = false;

        foreach (Panel panel in panels.Where(panel => panel.IsCycle))
        {
            ReportedRun[] runs = [.. panel.Arms.SelectMany(arm => arm.Runs).Where(run => run.Phases.Rows > 0)];

            if (runs.Length == 0)
            {
                continue;
            }

            any = true;
            double end = runs.Max(run => run.Reached);
            PlotModel returns = Look.Panel(panel.Environment.Length > 90 ? panel.Environment[..90] + "..." : panel.Environment);
            returns.Axes.Add(Look.Steps(end, named: false));
            returns.Axes.Add(Look.Axis(AxisPosition.Left, "return"));
            var stack = new List<(PlotModel Model, double Height)> { (returns, 300) };
            stack.AddRange(ratios.Select(ratio => Ratio(panel.Arms, ratio.Column, ratio.Title, end, isLast: ratio == ratios[^1])));

            foreach (Arm arm in panel.Arms)
            {
                LearningCurves.Add(returns, arm, [.. arm.Runs.Select(run => run.Returns)], _ => { });

                foreach (ReportedRun run in arm.Runs)
                {
                    for (int row = 0; row < run.Phases.Rows; row++)
                    {
                        data.Add(panel.Environment, arm.Label, run.Name, run.Seed, run.Phases.Number(row, "step"), run.Phases.Text(row, "phase"), run.Phases.Text(row, "task"));
                    }
                }
            }

            // Phases of a number of episodes end at other steps in every run: the marks are those of the first.
            ReportedRun marked = runs[0];

            for (int row = 0; row < marked.Phases.Rows; row++)
            {
                foreach ((PlotModel model, _) in stack)
                {
                    model.Annotations.Add(new LineAnnotation
                    {
                        Type = LineAnnotationType.Vertical,
                        X = marked.Phases.Number(row, "step"),
                        Color = OxyColor.FromAColor(150, OxyColors.Gray),
                        LineStyle = LineStyle.Dash,
                        StrokeThickness = 1,
                        Text = model == returns ? marked.Phases.Text(row, "task") : null,
                        TextColor = OxyColors.Gray,
                        FontSize = 10,
                    });
                }
            }

            canvas.Add([.. stack]);
            canvas.Legend(panel.Arms.Select(arm => new LegendItem(arm.Label, arm.Index)));
        }

        return !any
            ? null
            : new(
                "cycles",
                "Cycles of tasks",
                "Returns of the task that is being learned, activated ratios at tau = 0 and fractions of active units (fau), over the phases of a cycle. Dashed lines are the switches of the first run, named by the task that begins there. "
                + "Phases of a number of episodes end elsewhere in every run, so there a mean over seeds may be one over tasks: read the seeds. The numbers of the lines are in learning-curves.csv and activated-ratios.csv.",
                canvas.Compose(),
                [data]);
    }

    private static (PlotModel Model, double Height) Ratio(IReadOnlyList<Arm> arms, string column, string title, double end, bool isLast)
    {
        PlotModel model = Look.Panel(null);
        LinearAxis share = Look.Share(title);
        model.Axes.Add(Look.Steps(end, named: isLast));
        model.Axes.Add(share);
        double lowest = double.NaN;

        foreach (Arm arm in arms)
        {
            Curve[] curves = [.. arm.Runs.Select(run => run.Metrics.Curve("step", column)).Where(curve => !curve.IsEmpty)];
            lowest = Look.Lowest(curves, lowest);
            LearningCurves.Add(model, arm, curves, _ => { });
        }

        Look.Narrow(share, lowest);
        return (model, isLast ? 168 : 130);
    }
}
