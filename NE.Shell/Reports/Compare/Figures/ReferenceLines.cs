using NE.Shell.Reports.Compare.Data;
using OxyPlot;
using OxyPlot.Series;

namespace NE.Shell.Reports.Compare.Figures;

/// <summary>Curves of others behind those of the report: thin, dashed and nearly grey, with a band from two seeds on, since their files often have few.</summary>
internal static class ReferenceLines
{
    public static void Add(PlotModel model, Reference reference, Action<SpreadPoint> record)
    {
        IReadOnlyList<SpreadPoint> mean = reference.Mean;

        foreach (SpreadPoint point in mean)
        {
            record(point);
        }

        var line = new LineSeries { Color = Look.ReferenceColour(reference.Index), StrokeThickness = 1.5, LineStyle = Look.ReferenceLine(reference.Index) };
        MeanLine.Add(model, mean, line, hasBand: reference.Seeds.Count > 1);
    }
}
