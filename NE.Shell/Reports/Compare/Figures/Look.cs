using System.Globalization;
using NE.Shell.Reports.Compare.Data;
using NE.Shell.RunFiles;
using OxyPlot;
using OxyPlot.Annotations;
using OxyPlot.Axes;

namespace NE.Shell.Reports.Compare.Figures;

/// <summary>What all figures look like: colours that colour-blind readers can tell apart (Okabe and Ito 2008), line styles that survive a grey print.</summary>
internal static class Look
{
    /// <summary>Behind this many points of a line, the picture does not change and the file grows.</summary>
    public const int MostPoints = 600;

    private static readonly OxyColor[] colours =
    [
        OxyColor.FromRgb(0x00, 0x72, 0xB2), OxyColor.FromRgb(0xD5, 0x5E, 0x00), OxyColor.FromRgb(0x00, 0x9E, 0x73), OxyColor.FromRgb(0xCC, 0x79, 0xA7),
        OxyColor.FromRgb(0xE6, 0x9F, 0x00), OxyColor.FromRgb(0x56, 0xB4, 0xE9), OxyColor.FromRgb(0x8A, 0x6D, 0x3B), OxyColor.FromRgb(0x80, 0x80, 0x80),
    ];

    private static readonly LineStyle[] lines = [LineStyle.Solid, LineStyle.Dash, LineStyle.DashDot, LineStyle.Dot, LineStyle.LongDash, LineStyle.LongDashDot, LineStyle.DashDotDot];

    /// <summary>Nearly grey, and neither too dark for a dark page nor too light for paper.</summary>
    private static readonly OxyColor[] referenceColours =
    [
        OxyColor.FromRgb(0x7A, 0x7A, 0x7A), OxyColor.FromRgb(0x94, 0x7E, 0x5F), OxyColor.FromRgb(0x60, 0x80, 0x9C), OxyColor.FromRgb(0x93, 0x72, 0x93), OxyColor.FromRgb(0x66, 0x8C, 0x70),
    ];

    /// <summary>None is solid.</summary>
    private static readonly LineStyle[] referenceLines = [LineStyle.Dash, LineStyle.Dot, LineStyle.DashDot, LineStyle.LongDash, LineStyle.DashDotDot, LineStyle.LongDashDot];

    public static OxyColor Colour(int index) => colours[index % colours.Length];

    /// <summary>With eight colours and seven line styles the first 56 are all different.</summary>
    public static LineStyle Line(int index) => lines[index % lines.Length];

    public static OxyColor ReferenceColour(int index) => referenceColours[index % referenceColours.Length];

    /// <summary>With five colours and six line styles the first 30 are all different.</summary>
    public static LineStyle ReferenceLine(int index) => referenceLines[index % referenceLines.Length];

    /// <summary>An empty panel: no background, so that it fits light and dark pages and paper.</summary>
    public static PlotModel Panel(string? title) => new()
    {
        Title = title,
        TitleFontSize = 13,
        TitleFontWeight = FontWeights.Bold,
        TitlePadding = 4,
        Background = OxyColors.Undefined,
        PlotAreaBorderThickness = new OxyThickness(1, 0, 0, 1),
        DefaultFont = "Arial",
        DefaultFontSize = 12,
        Padding = new OxyThickness(4, 4, 12, 4),
        IsLegendVisible = false,
    };

    public static LinearAxis Axis(AxisPosition position, string? title) => new()
    {
        Position = position,
        Title = title,
        AxisTitleDistance = 8,
        MajorGridlineStyle = LineStyle.Solid,
        MajorGridlineColor = OxyColor.FromAColor(46, OxyColors.Gray),
        MinorTickSize = 0,
        MajorTickSize = 4,
        MaximumPadding = 0.02,
        MinimumPadding = 0.02,
        FontSize = 11,
        TitleFontSize = 12,
    };

    /// <summary>The step axis, from 0 to the end: 0, 50k, 1M.</summary>
    public static LinearAxis Steps(double end, bool named)
    {
        LinearAxis axis = Axis(AxisPosition.Bottom, named ? "environment steps" : null);
        (axis.Minimum, axis.Maximum, axis.LabelFormatter) = (0, end, Short);
        (axis.MinimumPadding, axis.MaximumPadding, axis.IntervalLength) = (0, 0, 70);
        return axis;
    }

    /// <summary>A share, from 0 to 1, with room for a line at the ends.</summary>
    public static LinearAxis Share(string title)
    {
        LinearAxis axis = Axis(AxisPosition.Left, title);
        (axis.Minimum, axis.Maximum, axis.MajorStep) = (-0.02, 1.03, 0.25);
        axis.LabelFormatter = value => value.ToString("0.##", CultureInfo.InvariantCulture);
        return axis;
    }

    /// <summary>The lowest value of curves and of what was the lowest before; NaN while there is none.</summary>
    public static double Lowest(IEnumerable<Curve> curves, double before) =>
        curves.SelectMany(curve => curve.Values).Append(before).Where(double.IsFinite).DefaultIfEmpty(double.NaN).Min();

    /// <summary>An axis of shares whose values all lie near 1: it begins at the multiple of a quarter below the lowest.</summary>
    public static void Narrow(LinearAxis axis, double lowest)
    {
        double from = double.IsFinite(lowest) ? Math.Clamp(Math.Floor(4 * lowest) / 4, 0, 0.75) : 0;
        (axis.Minimum, axis.Maximum) = (from - (0.02 * (1 - from)), 1 + (0.03 * (1 - from)));
        axis.MajorStep = from >= 0.75 ? 0.1 : 0.25;
    }

    /// <summary>1234567 as 1.23M, 50000 as 50k.</summary>
    public static string Short(double value) => Math.Abs(value) switch
    {
        >= 1e6 => (value / 1e6).ToString("0.###", CultureInfo.InvariantCulture) + "M",
        >= 1e3 => (value / 1e3).ToString("0.###", CultureInfo.InvariantCulture) + "k",
        _ => value.ToString("0.###", CultureInfo.InvariantCulture),
    };

    /// <summary>Vertical marks where processes took over or environments were started anew.</summary>
    public static void AddMarks(PlotModel panel, IEnumerable<Mark> marks)
    {
        foreach (Mark mark in marks.DistinctBy(mark => (mark.Step, mark.What)))
        {
            panel.Annotations.Add(new LineAnnotation
            {
                Type = LineAnnotationType.Vertical,
                X = mark.Step,
                Color = OxyColor.FromAColor(150, mark.What == "restart" ? OxyColors.Red : OxyColors.Gray),
                LineStyle = mark.What switch { "resume" => LineStyle.Dash, "restart" => LineStyle.Solid, _ => LineStyle.Dot },
                StrokeThickness = 1,
            });
        }
    }

    /// <summary>A line's points; where there are more than a picture can show, the ends, and the lowest and highest of every stretch: a short spike stays.</summary>
    public static IEnumerable<DataPoint> Points(IReadOnlyList<double> xs, IReadOnlyList<double> ys)
    {
        int stretch = xs.Count <= MostPoints ? 1 : ((2 * xs.Count) + MostPoints - 1) / MostPoints;
        var shown = new SortedSet<int>();

        for (int from = 0; from < xs.Count; from += stretch)
        {
            IEnumerable<int> within = Enumerable.Range(from, Math.Min(stretch, xs.Count - from));
            shown.Add(within.MinBy(i => ys[i]));
            shown.Add(within.MaxBy(i => ys[i]));
        }

        if (xs.Count > 0)
        {
            shown.Add(0);
            shown.Add(xs.Count - 1);
        }

        return shown.Select(i => new DataPoint(xs[i], ys[i]));
    }
}
