using NE.Model.Statistics;
using NE.Shell.Reports.Compare.Data;
using OxyPlot;
using OxyPlot.Axes;
using OxyPlot.Series;

namespace NE.Shell.Reports.Compare.Figures;

/// <summary>Performance profiles: the share of runs above a score.</summary>
internal static class Profiles
{
    private const int Thresholds = 101;

    /// <summary>Fewer than for a single number: every threshold has an interval.</summary>
    private const int Resamples = 2_000;

    /// <summary>Null when no arm has enough seeds.</summary>
    public static Figure? Draw(IReadOnlyList<Panel> panels)
    {
        var canvas = new Canvas("performance-profiles", 2);
        var data = new DataTable("performance-profiles", "Share of runs above a score", "environment", "arm", "score", "share", "low", "high");
        bool any = false;

        foreach (Panel panel in panels.Where(panel => panel.Evident.Count > 0))
        {
            any = true;
            Add(panel.Environment, panel.ScoreTitle, [.. panel.Evident.Select(arm => (arm.Label, arm.Index, (double[][])[arm.Finals]))]);
            canvas.Legend(panel.Evident.Select(arm => new LegendItem(arm.Label, arm.Index)));
        }

        if (AcrossEnvironments.Of(panels) is { } all)
        {
            Add("all environments", "scaled return", [.. all.Labels.Select((label, row) => (label, all.Indices[row], all.Scores[row]))]);
        }

        return !any
            ? null
            : new(
                "performance-profiles",
                "Performance profiles",
                "Share of runs whose final score is above the value on the horizontal axis (run-score distribution, Agarwal et al. 2021), with pointwise 95 % stratified bootstrap intervals. "
                + $"Only arms of {Evidence.LeastSeeds} or more seeds.",
                canvas.Compose(),
                [data]);

        void Add(string title, string axis, (string Label, int Index, double[][] Scores)[] arms)
        {
            double[] scores = [.. arms.SelectMany(arm => arm.Scores).SelectMany(values => values)];
            double margin = Math.Max(1e-9, 0.02 * (scores.Max() - scores.Min()));
            double[] thresholds =
                [.. Enumerable.Range(0, Thresholds).Select(i => scores.Min() - margin + (i * (scores.Max() - scores.Min() + (2 * margin)) / (Thresholds - 1)))];
            PlotModel model = Look.Panel(title);
            LinearAxis across = Look.Axis(AxisPosition.Bottom, axis);
            across.LabelFormatter = Look.Short;
            (across.Minimum, across.Maximum) = (thresholds[0], thresholds[^1]);
            model.Axes.Add(across);
            model.Axes.Add(Look.Share("share of runs above"));

            foreach ((string label, int index, double[][] strata) in arms)
            {
                double[] profile = Curves.performanceProfile(thresholds, strata);
                Interval[] intervals = Curves.profileIntervals(ArmStatistics.Stream, Resamples, Bootstrap.Level, thresholds, strata);
                var band = new AreaSeries { Fill = OxyColor.FromAColor(40, Look.Colour(index)), StrokeThickness = 0, Color = OxyColors.Transparent, Color2 = OxyColors.Transparent };
                band.Points.AddRange(Look.Points(thresholds, [.. intervals.Select(interval => interval.Low)]));
                band.Points2.AddRange(Look.Points(thresholds, [.. intervals.Select(interval => interval.High)]));
                var line = new LineSeries { Color = Look.Colour(index), StrokeThickness = 2, LineStyle = Look.Line(index) };
                line.Points.AddRange(Look.Points(thresholds, profile));
                model.Series.Add(band);
                model.Series.Add(line);

                for (int i = 0; i < thresholds.Length; i++)
                {
                    data.Add(title, label, thresholds[i], profile[i], intervals[i].Low, intervals[i].High);
                }
            }

            canvas.Add((model, 280));
        }
    }
}
