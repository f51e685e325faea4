using System.Globalization;
using NE.Shell.Reports.Compare.Data;
using NE.Shell.RunFiles;
using OxyPlot;

namespace NE.Shell.Reports.Compare.Figures;

/// <summary>Evaluation episodes that end on their back, as the paper's Figures 4 and 12 count them.</summary>
public static class Falls
{
    /// <summary>An episode whose torso is upside down for at least this many steps up to its end has not got up again.</summary>
    public const int LeastSteps = 100;

    /// <summary>Null when no evaluation says how the torso lay.</summary>
    public static Figure? Draw(IReadOnlyList<Panel> panels)
    {
        var canvas = new Canvas("falls", 2);
        var data = new DataTable("falls", "Share of evaluation episodes that end upside down", "environment", "arm", "step", "mean", "deviation", "seeds");
        Panel[] shown = [.. panels.Where(panel => panel.Arms.SelectMany(arm => arm.Runs).Any(run => run.Evaluations.Has("inverted0")))];

        foreach (Panel panel in shown)
        {
            PlotModel model = Look.Panel(panel.Environment);
            model.Axes.Add(Look.Steps(panel.Arms.SelectMany(arm => arm.Runs).Select(run => run.Reached).Append(panel.Horizon).Max(), named: true));
            model.Axes.Add(Look.Share("episodes upside down"));

            foreach (Arm arm in panel.Arms)
            {
                Curve[] curves = [.. arm.Runs.Where(run => run.Evaluations.Has("inverted0")).Select(run => Fallen(run.Evaluations))];
                LearningCurves.Add(model, arm, curves, point => data.Add(panel.Environment, arm.Label, point.Step, point.Mean, point.Deviation, point.Seeds));
            }

            canvas.Add((model, 240));
            canvas.Legend(panel.Arms.Select(arm => new LegendItem(arm.Label, arm.Index)));
        }

        return shown.Length == 0
            ? null
            : new(
                "falls",
                "Falls",
                $"Share of the noise-free evaluation episodes whose torso is upside down for at least {LeastSteps} steps up to the end of the episode: it has fallen and not got up again. "
                + "Upside down means that the torso's up axis points below the horizon. Lines as in the learning curves.",
                canvas.Compose(),
                [data]);
    }

    /// <summary>Share of the episodes of every evaluation that end upside down.</summary>
    public static Curve Fallen(CsvTable evaluations)
    {
        string[] columns = [.. evaluations.Columns.Where(name => name.StartsWith("inverted", StringComparison.Ordinal) && int.TryParse(name[8..], CultureInfo.InvariantCulture, out _))];
        (double[] steps, double[] shares) = ([], []);

        if (columns.Length > 0)
        {
            int[] rows = [.. Enumerable.Range(0, evaluations.Rows).Where(row => columns.All(column => double.IsFinite(evaluations.Number(row, column))))];
            steps = [.. rows.Select(row => evaluations.Number(row, "step"))];
            shares = [.. rows.Select(row => columns.Average(column => evaluations.Number(row, column) >= LeastSteps ? 1.0 : 0.0))];
        }

        return new(steps, shares);
    }
}
