using NE.Model.Statistics;
using NE.Shell.Reports.Compare.Data;
using OxyPlot;
using OxyPlot.Axes;
using OxyPlot.Series;

namespace NE.Shell.Reports.Compare.Figures;

/// <summary>Returns above activated ratios on one step axis, as the paper's Figure 6 pairs them.</summary>
internal static class LearningCurves
{
    private static readonly string[] networks = ["actor", "critic"];

    public static Figure Draw(IReadOnlyList<Panel> panels)
    {
        var canvas = new Canvas("learning-curves", 2);
        var returns = new DataTable("learning-curves", "Return over environment steps", "environment", "arm", "step", "mean", "deviation", "seeds");
        var seeds = new DataTable("learning-curves-seeds", "Return of every seed", "environment", "arm", "run", "seed", "step", "return");
        var ratios = new DataTable("activated-ratios", "Activated ratios over environment steps", "environment", "arm", "measure", "step", "mean", "deviation", "seeds");

        foreach (Panel panel in panels)
        {
            double end = panel.Arms.SelectMany(arm => arm.Runs).Select(run => run.Reached).Append(panel.Horizon).Max();
            PlotModel top = Look.Panel(panel.Environment);
            top.Axes.Add(Look.Steps(end, named: false));
            top.Axes.Add(Look.Axis(AxisPosition.Left, "return"));
            var stack = new List<(PlotModel, double)> { (top, 280) };

            foreach (Arm arm in panel.Arms)
            {
                Add(top, arm, [.. arm.Runs.Select(run => run.Returns)], (point) => returns.Add(panel.Environment, arm.Label, point.Step, point.Mean, point.Deviation, point.Seeds));

                foreach (ReportedRun run in arm.Runs)
                {
                    for (int i = 0; i < run.Returns.Steps.Length; i++)
                    {
                        seeds.Add(panel.Environment, arm.Label, run.Name, run.Seed, run.Returns.Steps[i], run.Returns.Values[i]);
                    }
                }
            }

            Look.AddMarks(top, panel.Arms.SelectMany(arm => arm.Runs).SelectMany(run => run.Marks));

            foreach (string network in networks)
            {
                PlotModel below = Look.Panel(null);
                below.Axes.Add(Look.Steps(end, named: network == networks[^1]));
                LinearAxis share = Look.Share($"{network}, activated");
                below.Axes.Add(share);
                double lowest = double.NaN;

                foreach (Arm arm in panel.Arms)
                {
                    foreach (string measure in (string[])["anr_0", "anr_0.025", "anr_0.1", "fau"])
                    {
                        string column = $"{network}_{measure}";
                        Curve[] curves = [.. arm.Runs.Select(run => run.Metrics.Curve("step", column)).Where(curve => !curve.IsEmpty)];
                        Action<SpreadPoint> record = point => ratios.Add(panel.Environment, arm.Label, column, point.Step, point.Mean, point.Deviation, point.Seeds);

                        if (measure == "anr_0")
                        {
                            lowest = Look.Lowest(curves, lowest);
                            Add(below, arm, curves, record);
                        }
                        else
                        {
                            Spread.Of(curves, curves.Length).ToList().ForEach(record);
                        }
                    }
                }

                Look.Narrow(share, lowest);
                stack.Add((below, network == networks[^1] ? 168 : 130));
            }

            canvas.Add([.. stack]);
            canvas.Legend(panel.Arms.Select(arm => new LegendItem(arm.Label, arm.Index)));
        }

        return new(
            "learning-curves",
            "Learning curves and activated ratios",
            "Above: mean undiscounted return of the noise-free evaluation episodes. Below: activated neuron ratio at tau = 0 (Eq. 1) of actor and critics, on the same step axis. "
            + $"An arm of {Evidence.LeastSeeds} or more seeds is their mean with a band of one standard deviation over seeds on either side; an arm of fewer is a thin line per seed, with their mean as a thick line, as far as all of them have got, and no band. "
            + "Vertical lines: dashed where a run was resumed, solid (red) where an environment was restarted, dotted where a key was changed.",
            canvas.Compose(),
            [returns, seeds, ratios]);
    }

    /// <summary>Mean and band of an arm as far as enough seeds have got; where they are few, their mean and the seeds themselves.</summary>
    public static void Add(PlotModel model, Arm arm, IReadOnlyList<Curve> seeds, Action<SpreadPoint> record)
    {
        OxyColor colour = Look.Colour(arm.Index);
        bool isEvidence = Evidence.allowsInterval(seeds.Count(curve => !curve.IsEmpty));
        IReadOnlyList<SpreadPoint> mean = Spread.Of(seeds, isEvidence ? Evidence.LeastSeeds : seeds.Count);

        foreach (SpreadPoint point in mean)
        {
            record(point);
        }

        if (!isEvidence && seeds.Count > 1)
        {
            foreach (Curve curve in seeds)
            {
                var line = new LineSeries { Color = OxyColor.FromAColor(110, colour), StrokeThickness = 0.8, LineStyle = LineStyle.Solid };
                line.Points.AddRange(Look.Points(curve.Steps, curve.Values));
                model.Series.Add(line);
            }
        }

        double[] steps = [.. mean.Select(point => point.Step)];

        if (isEvidence)
        {
            var band = new AreaSeries { Fill = OxyColor.FromAColor(44, colour), StrokeThickness = 0, Color = OxyColors.Transparent, Color2 = OxyColors.Transparent };
            band.Points.AddRange(Look.Points(steps, [.. mean.Select(point => point.Mean - point.Deviation)]));
            band.Points2.AddRange(Look.Points(steps, [.. mean.Select(point => point.Mean + point.Deviation)]));
            model.Series.Add(band);
        }

        var centre = new LineSeries { Color = colour, StrokeThickness = 2, LineStyle = Look.Line(arm.Index) };
        centre.Points.AddRange(Look.Points(steps, [.. mean.Select(point => point.Mean)]));
        model.Series.Add(centre);
    }
}
