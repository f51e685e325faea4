using NE.Shell.Reports.Compare.Data;
using OxyPlot;
using OxyPlot.Series;

namespace NE.Shell.Reports.Compare.Figures;

/// <summary>A mean over steps as a line, with the band of one standard deviation on either side.</summary>
internal static class MeanLine
{
    public static void Add(PlotModel model, IReadOnlyList<SpreadPoint> mean, LineSeries line, bool hasBand)
    {
        double[] steps = [.. mean.Select(point => point.Step)];

        if (hasBand)
        {
            var band = new AreaSeries { Fill = OxyColor.FromAColor(44, line.Color), StrokeThickness = 0, Color = OxyColors.Transparent, Color2 = OxyColors.Transparent };
            band.Points.AddRange(Look.Points(steps, [.. mean.Select(point => point.Mean - point.Deviation)]));
            band.Points2.AddRange(Look.Points(steps, [.. mean.Select(point => point.Mean + point.Deviation)]));
            model.Series.Add(band);
        }

        line.Points.AddRange(Look.Points(steps, [.. mean.Select(point => point.Mean)]));
        model.Series.Add(line);
    }
}
