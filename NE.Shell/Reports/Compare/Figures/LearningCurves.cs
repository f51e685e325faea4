using NE.Model.Statistics;
using NE.Shell.Reports.Compare.Data;
using NE.Shell.RunFiles;
using OxyPlot;
using OxyPlot.Axes;
using OxyPlot.Series;

namespace NE.Shell.Reports.Compare.Figures;

/// <summary>Returns beside activated ratios over the same steps, as the paper's Figure 6 pairs them; and the curves of others.</summary>
internal static class LearningCurves
{
    private const double Ratio = 150;
    /// <summary>With the steps under it.</summary>
    private const double LastRatio = 168;

    public static Figure Draw(IReadOnlyList<Panel> panels, References references)
    {
        var canvas = new Canvas("learning-curves", 1 + Ratios.Drawn.Length) { Shares = [0.38, 0.31, 0.31] };
        var returns = new DataTable("learning-curves", "Return over environment steps", "environment", "arm", "step", "mean", "deviation", "seeds");
        var seeds = new DataTable("learning-curves-seeds", "Return of every seed", "environment", "arm", "run", "seed", "step", "return");
        var tidy = new DataTable("curves", "Return of every seed, for --reference of another report", ReferenceFile.Columns);
        var ratios = new DataTable("activated-ratios", "Activated ratios over environment steps", "environment", "arm", "measure", "step", "mean", "deviation", "seeds");

        foreach (Panel panel in panels)
        {
            double end = panel.Arms.SelectMany(arm => arm.Runs).Select(run => run.Reached).Append(panel.Horizon).Max();
            PlotModel curves = Look.Panel(ReportText.Shortened(panel.Environment, 36));
            curves.Axes.Add(Look.Steps(end, named: true));
            curves.Axes.Add(Look.Axis(AxisPosition.Left, "return"));

            // First, so that they lie behind the arms.
            foreach (Reference reference in references.On(panel))
            {
                ReferenceLines.Add(curves, reference, point => returns.Add(panel.Environment, reference.Label, point.Step, point.Mean, point.Deviation, point.Seeds));
            }

            foreach (Arm arm in panel.Arms)
            {
                Add(curves, arm, [.. arm.Runs.Select(run => run.Returns)], point => returns.Add(panel.Environment, arm.Label, point.Step, point.Mean, point.Deviation, point.Seeds));
                RecordReturns(arm, seeds, tidy);
                RecordRatios(arm, ratios);
            }

            Look.AddMarks(curves, panel.Arms.SelectMany(arm => arm.Runs).SelectMany(run => run.Marks));
            IReadOnlyList<(string Column, string Name)> networks = Ratios.Of(panel.Arms);
            canvas.Add((curves, (Ratio * (networks.Count - 1)) + LastRatio));

            foreach ((string measure, string name) in Ratios.Drawn)
            {
                canvas.Add([.. networks.Select((network, row) => (
                    Ratios.Panel(panel.Arms, $"{network.Column}_{measure}", row == 0 ? name : null, network.Name, end, named: row == networks.Count - 1),
                    row == networks.Count - 1 ? LastRatio : Ratio))]);
            }

            canvas.Legend(panel.Arms.Select(arm => new LegendItem(arm.Label, arm.Index)));
        }

        canvas.Legend(references.Shown.Select(reference => new LegendItem(reference.Label, reference.Index, IsReference: true)));
        return new(
            "learning-curves",
            "Learning curves and activated ratios",
            "Left: mean undiscounted return of the noise-free evaluation episodes. Beside it, over the same steps, two ratios of the actor (above) and the critics (below). " + Ratios.Explanation + " "
            + (panels.Any(panel => Ratios.HaveChannels(panel.Arms)) ? "Under them: the channels of the convolutions, each with its units at all pixels; no technique knows them. " : "")
            + $"An arm of {Evidence.LeastSeeds} or more seeds is their mean with a band of one standard deviation over seeds on either side; an arm of fewer is a thin line per seed, with their mean as a thick line, as far as all of them have got, and no band. "
            + "Vertical lines: dashed where a run was resumed, solid (red) where an environment was restarted, dotted where a key was changed."
            + (references.Shown.Count == 0 ? "" : " Grey dashed lines are public curves, given as references: mean and, from two seeds on, one standard deviation, up to the step at which the arms are compared. They are in no score or comparison."),
            canvas.Compose(),
            [returns, seeds, tidy, ratios]);
    }

    /// <summary>Mean and band of an arm as far as enough seeds have got; where they are few, their mean and the seeds themselves.</summary>
    public static void Add(PlotModel model, Arm arm, IReadOnlyList<Curve> seeds, Action<SpreadPoint> record, bool hasMarkers = false)
    {
        OxyColor colour = Look.Colour(arm.Index);
        bool isEvidence = IsEvidence(seeds);
        IReadOnlyList<SpreadPoint> mean = Mean(seeds);

        foreach (SpreadPoint point in mean)
        {
            record(point);
        }

        if (!isEvidence && seeds.Count > 1)
        {
            foreach (Curve curve in seeds)
            {
                var thin = new LineSeries { Color = OxyColor.FromAColor(110, colour), StrokeThickness = 0.8, LineStyle = LineStyle.Solid };
                thin.Points.AddRange(Look.Points(curve.Steps, curve.Values));
                model.Series.Add(thin);
            }
        }

        var line = new LineSeries { Color = colour, StrokeThickness = 2, LineStyle = Look.Line(arm.Index) };

        if (hasMarkers)
        {
            (line.MarkerType, line.MarkerSize, line.MarkerFill) = (MarkerType.Circle, 2.5, colour);
        }

        MeanLine.Add(model, mean, line, hasBand: isEvidence);
    }

    private static bool IsEvidence(IReadOnlyList<Curve> seeds) => Evidence.allowsInterval(seeds.Count(curve => !curve.IsEmpty));

    private static IReadOnlyList<SpreadPoint> Mean(IReadOnlyList<Curve> seeds) => Spread.Of(seeds, IsEvidence(seeds) ? Evidence.LeastSeeds : seeds.Count);

    private static void RecordReturns(Arm arm, DataTable seeds, DataTable tidy)
    {
        foreach (ReportedRun run in arm.Runs)
        {
            for (int i = 0; i < run.Returns.Steps.Length; i++)
            {
                seeds.Add(arm.Environment, arm.Label, run.Name, run.Seed, run.Returns.Steps[i], run.Returns.Values[i]);
                tidy.Add(arm.Label, arm.Environment, run.Seed, run.Returns.Steps[i], run.Returns.Values[i]);
            }
        }
    }

    private static void RecordRatios(Arm arm, DataTable ratios)
    {
        foreach ((string network, _) in Ratios.Of([arm]))
        {
            foreach (string measure in Ratios.Drawn.Select(drawn => drawn.Column).Concat(Ratios.Others))
            {
                string column = $"{network}_{measure}";

                foreach (SpreadPoint point in Mean(arm.Metric(column)))
                {
                    ratios.Add(arm.Environment, arm.Label, column, point.Step, point.Mean, point.Deviation, point.Seeds);
                }
            }
        }
    }
}
