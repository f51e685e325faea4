using NE.Model.Statistics;
using NE.Shell.Reports.Compare.Data;
using OxyPlot;
using OxyPlot.Annotations;
using OxyPlot.Axes;
using OxyPlot.Series;

namespace NE.Shell.Reports.Compare.Figures;

/// <summary>Interquartile means with intervals, or the seeds themselves; and the bars of an ablation.</summary>
internal static class Aggregates
{
    private const double RowHeight = 30;

    public static Figure Iqm(IReadOnlyList<Panel> panels, IReadOnlyDictionary<Arm, ArmStatistics> statistics)
    {
        var canvas = new Canvas("iqm", 2);
        var data = new DataTable("iqm", "Interquartile mean of the final score", "environment", "arm", "seeds", "iqm", "low", "high");
        var points = Scores();

        foreach (Panel panel in panels)
        {
            PlotModel model = Rows(panel.Environment, [.. panel.Arms.Select(arm => arm.Label)], panel.ScoreTitle);

            foreach ((Arm arm, int row) in panel.Arms.Select((arm, row) => (arm, row)))
            {
                ArmStatistics of = statistics[arm];
                data.Add(panel.Environment, arm.Label, of.Seeds, of.Iqm, of.IqmInterval?.Low, of.IqmInterval?.High);
                arm.Scores.ToList().ForEach(score => points.Add(panel.Environment, arm.Label, score.Run.Name, score.Run.Seed, score.Final, score.Area));
                Seeds(model, arm.Finals, row, arm.Index);

                if (of.IqmInterval is { } interval)
                {
                    Interval(model, of.Iqm, interval, row, arm.Index);
                }
            }

            canvas.Add((model, Height(panel.Arms.Count)));
        }

        if (AcrossEnvironments.Of(panels) is { } all)
        {
            PlotModel model = Rows("all environments", all.Labels, "scaled return");

            for (int row = 0; row < all.Labels.Count; row++)
            {
                double iqm = ArmStatistics.IqmOf(all.Scores[row]);
                Interval interval = ArmStatistics.IqmIntervalOf(all.Scores[row]);
                data.Add("all", all.Labels[row], all.Scores[row].Sum(scores => scores.Length), iqm, interval.Low, interval.High);
                Interval(model, iqm, interval, row, all.Indices[row], 0);
            }

            canvas.Add((model, Height(all.Labels.Count)));
        }

        return new(
            "iqm",
            "Interquartile mean",
            $"Dots are seeds. A diamond is the interquartile mean of an arm of {Evidence.LeastSeeds} or more seeds, its line the 95 % stratified bootstrap percentile interval "
            + $"({Bootstrap.Resamples:N0} resamples; Agarwal et al. 2021). Arms of fewer seeds have neither."
            + (panels.Count > 1 ? " `All environments` scales each one from the lowest to the highest score of these runs, so it belongs to this report alone; each counts as much as another, however many seeds it has." : ""),
            canvas.Compose(),
            [data, points]);
    }

    public static Figure Bars(IReadOnlyList<Panel> panels, IReadOnlyDictionary<Arm, ArmStatistics> statistics)
    {
        var canvas = new Canvas("bars", 2);
        var data = new DataTable("bars", "Mean final score", "environment", "arm", "seeds", "mean", "deviation", "low", "high");

        foreach (Panel panel in panels)
        {
            PlotModel model = Rows(panel.Environment, [.. panel.Arms.Select(arm => arm.Label)], panel.ScoreTitle);
            var bars = new BarSeries { StrokeThickness = 0, BarWidth = 0.6 };

            foreach ((Arm arm, int row) in panel.Arms.Select((arm, row) => (arm, row)))
            {
                ArmStatistics of = statistics[arm];
                data.Add(panel.Environment, arm.Label, of.Seeds, of.Mean, of.Deviation, of.MeanInterval?.Low, of.MeanInterval?.High);

                if (of.Seeds > 0)
                {
                    bars.Items.Add(new BarItem { Value = of.Mean, CategoryIndex = row, Color = OxyColor.FromAColor(90, Look.Colour(arm.Index)) });
                }
            }

            model.Series.Add(bars);

            foreach ((Arm arm, int row) in panel.Arms.Select((arm, row) => (arm, row)))
            {
                Seeds(model, arm.Finals, row, arm.Index);

                if (statistics[arm].MeanInterval is { } interval)
                {
                    Interval(model, statistics[arm].Mean, interval, row, arm.Index);
                }
            }

            canvas.Add((model, Height(panel.Arms.Count)));
        }

        return new(
            "bars",
            "Final scores side by side",
            $"Bars are means over seeds, dots are seeds; lines are 95 % BCa bootstrap intervals of the mean, for {Evidence.LeastSeeds} or more seeds.",
            canvas.Compose(),
            [data]);
    }

    public static Figure? Improvement(IReadOnlyList<ArmComparison> comparisons)
    {
        if (comparisons.Count == 0)
        {
            return null;
        }

        var canvas = new Canvas("probability-of-improvement", 1, 720);
        var data = new DataTable("probability-of-improvement", "Probability of improvement", "environment", "first", "second", "probability", "low", "high");

        foreach (IGrouping<Panel, ArmComparison> panel in comparisons.GroupBy(comparison => comparison.Panel))
        {
            ArmComparison[] pairs = [.. panel];
            PlotModel model = Rows(panel.Key.Environment, [.. pairs.Select(pair => $"{pair.First.Label} > {pair.Second.Label}")], "probability that a run of the first has the higher score");
            Axis across = model.Axes[1];
            (across.Minimum, across.Maximum, across.MajorStep) = (-0.02, 1.02, 0.25);
            model.Annotations.Add(new LineAnnotation { Type = LineAnnotationType.Vertical, X = 0.5, Color = OxyColors.Gray, LineStyle = LineStyle.Dash, StrokeThickness = 1 });

            for (int row = 0; row < pairs.Length; row++)
            {
                ArmComparison pair = pairs[row];
                data.Add(panel.Key.Environment, pair.First.Label, pair.Second.Label, pair.Improvement, pair.ImprovementInterval.Low, pair.ImprovementInterval.High);
                Interval(model, pair.Improvement, pair.ImprovementInterval, row, pair.First.Index, 0);
            }

            canvas.Add((model, Height(pairs.Length)));
        }

        IEnumerable<string> lost = comparisons.SelectMany(pair => pair.Survival.Select(survival => $"{pair.Panel.Environment}, {survival}")).Distinct();
        return new(
            "probability-of-improvement",
            "Probability of improvement",
            "P(X > Y) + P(X = Y)/2 over all pairs of a run of X and a run of Y, by final score (Mann and Whitney), with its 95 % stratified bootstrap interval. One half is no difference. "
            + $"Only arms of {Evidence.LeastSeeds} or more seeds are compared.{string.Concat(lost.Select(survival => $" {survival}."))}",
            canvas.Compose(),
            [data]);
    }

    private static DataTable Scores() => new("scores", "Score of every run", "environment", "arm", "run", "seed", "final", "area");

    private static double Height(int rows) => 78 + (RowHeight * rows);

    private static PlotModel Rows(string title, IReadOnlyList<string> labels, string axis)
    {
        PlotModel model = Look.Panel(title);
        var down = new CategoryAxis { Position = AxisPosition.Left, StartPosition = 1, EndPosition = 0, FontSize = 11, MajorTickSize = 0, GapWidth = 0.2 };
        down.Labels.AddRange(labels);
        model.Axes.Add(down);
        LinearAxis across = Look.Axis(AxisPosition.Bottom, axis);
        (across.MinimumPadding, across.MaximumPadding, across.LabelFormatter) = (0.06, 0.06, Look.Short);
        model.Axes.Add(across);
        return model;
    }

    private static void Seeds(PlotModel model, double[] values, int row, int index)
    {
        var dots = new ScatterSeries { MarkerType = MarkerType.Circle, MarkerSize = 3.2, MarkerFill = OxyColor.FromAColor(150, Look.Colour(index)) };
        dots.Points.AddRange(values.Select(value => new ScatterPoint(value, row)));
        model.Series.Add(dots);
    }

    /// <param name="above">How far above the row's dots, in rows.</param>
    private static void Interval(PlotModel model, double centre, Interval interval, int row, int index, double above = 0.28)
    {
        var line = new LineSeries { Color = Look.Colour(index), StrokeThickness = 2.5 };
        line.Points.Add(new(interval.Low, row - above));
        line.Points.Add(new(interval.High, row - above));
        var mark = new ScatterSeries { MarkerType = MarkerType.Diamond, MarkerSize = 5, MarkerFill = Look.Colour(index) };
        mark.Points.Add(new ScatterPoint(centre, row - above));
        model.Series.Add(line);
        model.Series.Add(mark);
    }
}
