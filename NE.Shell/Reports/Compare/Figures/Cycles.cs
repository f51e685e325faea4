using NE.Shell.Reports.Compare.Data;
using OxyPlot;
using OxyPlot.Annotations;
using OxyPlot.Axes;

namespace NE.Shell.Reports.Compare.Figures;

/// <summary>Returns and ratios of a cycle of tasks with its switches, as the paper's Figures 7 and 8.</summary>
internal static class Cycles
{
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
            PlotModel returns = Look.Panel(ReportText.Shortened(panel.Environment, 90));
            returns.Axes.Add(Look.Steps(end, named: false));
            returns.Axes.Add(Look.Axis(AxisPosition.Left, "return"));
            var stack = new List<(PlotModel Model, double Height)> { (returns, 300) };

            foreach ((string network, string name) in Ratios.Networks)
            {
                foreach ((string measure, string title) in Ratios.Drawn)
                {
                    bool isLast = (network, measure) == (Ratios.Networks[^1].Column, Ratios.Drawn[^1].Column);
                    stack.Add((Ratios.Panel(panel.Arms, $"{network}_{measure}", $"{name}, {title}", name, end, named: isLast), isLast ? 184 : 146));
                }
            }

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
                "Returns of the task that is being learned, and two ratios of the actor and the critics, over the phases of a cycle. " + Ratios.Explanation + " Dashed lines are the switches of the first run, named by the task that begins there. "
                + "Phases of a number of episodes end elsewhere in every run, so there a mean over seeds may be one over tasks: read the seeds. The numbers of the lines are in learning-curves.csv and activated-ratios.csv.",
                canvas.Compose(),
                [data]);
    }
}
