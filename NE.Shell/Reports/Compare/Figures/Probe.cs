using NE.Model.Statistics;
using NE.Shell.Reports.Compare.Data;
using OxyPlot;
using OxyPlot.Annotations;
using OxyPlot.Axes;

namespace NE.Shell.Reports.Compare.Figures;

/// <summary>How fast the networks still learn something new, against fresh ones.</summary>
internal static class Probe
{
    /// <summary>Null when no run took a probe.</summary>
    public static Figure? Draw(IReadOnlyList<Panel> panels)
    {
        var canvas = new Canvas("probe", 2);
        var data = new DataTable("probe", "Plasticity probe over environment steps", "environment", "arm", "network", "step", "mean", "deviation", "seeds");
        var seeds = new DataTable("probe-seeds", "Plasticity probe of every seed", "environment", "arm", "run", "seed", "network", "step", "ratio", "error");
        bool any = false;

        foreach (Panel panel in panels)
        {
            Arm[] arms = [.. panel.Arms.Where(arm => Ratios.Networks.Any(network => arm.Metric(Column(network.Column)).Length > 0))];

            if (arms.Length == 0)
            {
                continue;
            }

            any = true;
            double end = panel.Arms.SelectMany(arm => arm.Runs).Select(run => run.Reached).Append(panel.Horizon).Max();
            var stack = new List<(PlotModel, double)>();

            foreach ((string network, string name) in Ratios.Networks)
            {
                bool isFirst = stack.Count == 0;
                double[] all = [.. arms.SelectMany(arm => arm.Metric(Column(network))).SelectMany(curve => curve.Values)];
                PlotModel model = Empty(isFirst ? panel.Environment : null, name, all, end, named: !isFirst);

                foreach (Arm arm in arms)
                {
                    LearningCurves.Add(
                        model,
                        arm,
                        arm.Metric(Column(network)),
                        point => data.Add(panel.Environment, arm.Label, network, point.Step, point.Mean, point.Deviation, point.Seeds),
                        hasMarkers: true);
                    Record(arm, network, seeds);
                }

                stack.Add((model, isFirst ? 200 : 204));
            }

            canvas.Add([.. stack]);
            canvas.Legend(arms.Select(arm => new LegendItem(arm.Label, arm.Index)));
        }

        return !any
            ? null
            : new(
                "probe",
                "Plasticity probe",
                "How fast copies of the actor (above) and the critics (below) learn a target that is new to them, as a ratio to fresh networks: at 1, the horizontal line, as fast as these, at 0 not at all. "
                + $"Lines as in the learning curves: from {Evidence.LeastSeeds} seeds on their mean with a band of one standard deviation, below that their mean and a thin line per seed. "
                + "Points are the probes. How certain the 1 of a single probe is, the error in probe-seeds.csv says.",
                canvas.Compose(),
                [data, seeds]);
    }

    /// <summary>A panel whose axis has 0 and 1, whatever the ratios are.</summary>
    private static PlotModel Empty(string? title, string network, IReadOnlyCollection<double> ratios, double end, bool named)
    {
        (double lowest, double highest) = (Math.Min(0, ratios.DefaultIfEmpty(0).Min()), Math.Max(1, ratios.DefaultIfEmpty(1).Max()));
        PlotModel model = Look.Panel(title);
        LinearAxis ratio = Look.Axis(AxisPosition.Left, $"{network}, ratio to fresh");
        model.Axes.Add(Look.Steps(end, named));
        model.Axes.Add(ratio);
        (ratio.Minimum, ratio.Maximum) = (lowest - (0.05 * (highest - lowest)), highest + (0.05 * (highest - lowest)));
        model.Annotations.Add(new LineAnnotation
        {
            Type = LineAnnotationType.Horizontal,
            Y = 1,
            Color = OxyColor.FromAColor(180, OxyColors.Gray),
            LineStyle = LineStyle.Solid,
            StrokeThickness = 1,
        });
        return model;
    }

    private static void Record(Arm arm, string network, DataTable seeds)
    {
        string column = Column(network);

        foreach (ReportedRun run in arm.Runs)
        {
            for (int row = 0; row < run.Metrics.Rows; row++)
            {
                if (double.IsFinite(run.Metrics.Number(row, column)))
                {
                    seeds.Add(
                        arm.Environment, arm.Label, run.Name, run.Seed, network, run.Metrics.Number(row, "step"), run.Metrics.Number(row, column), run.Metrics.Number(row, column + "_error"));
                }
            }
        }
    }

    private static string Column(string network) => network + "_probe";
}
