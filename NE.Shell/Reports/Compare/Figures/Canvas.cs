using System.Globalization;
using System.Xml;
using System.Xml.Linq;
using NE.Shell.Reports.Compare.Data;
using OxyPlot;
using OxyPlot.Annotations;
using OxyPlot.Axes;

namespace NE.Shell.Reports.Compare.Figures;

/// <summary>Puts panels and a legend together into one SVG. Text stays text in a family that every machine has something for, and is placed by
/// the plotting library's own metrics, so no font needs to be installed where the report is made.</summary>
internal sealed class Canvas(string id, int columns, double width = 960)
{
    private const string Fonts = "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif";
    private const double LegendLine = 22;

    /// <summary>A generous width of a letter of 12 pixels.</summary>
    private const double Letter = 7.6;

    /// <summary>DejaVu Sans is so much wider than Arial.</summary>
    private const double Widest = 1.16;

    private static readonly XNamespace svg = "http://www.w3.org/2000/svg";
    private static readonly XNamespace link = "http://www.w3.org/1999/xlink";

    private readonly List<IReadOnlyList<(PlotModel Model, double Height)>> cells = [];
    private readonly List<LegendItem> legend = [];

    /// <summary>Widths of the columns as shares of the whole; null where all are the same.</summary>
    public IReadOnlyList<double>? Shares { get; init; }

    /// <summary>Adds a cell: panels over each other, sharing their horizontal axis. Cells fill rows from the left.</summary>
    public void Add(params IReadOnlyList<(PlotModel Model, double Height)> stack) => this.cells.Add(stack);

    /// <summary>Adds names to the legend, once each.</summary>
    public void Legend(IEnumerable<LegendItem> items) => this.legend.AddRange(items.Where(item => this.legend.All(known => known.Text != item.Text)));

    /// <summary>The picture.</summary>
    public XElement Compose()
    {
        int across = Math.Min(columns, Math.Max(1, this.cells.Count));
        double[] widths = [.. Enumerable.Range(0, across).Select(column => width * (this.Shares?[column] ?? (1.0 / across)))];
        double y = 0;
        var root = new XElement(svg + "svg");

        for (int first = 0; first < this.cells.Count; first += across)
        {
            (double x, double tallest) = (0, 0);

            for (int index = first; index < Math.Min(first + across, this.cells.Count); index++)
            {
                Align(this.cells[index]);
                double cell = widths[index - first];
                double top = y;

                foreach ((PlotModel model, double height) in this.cells[index])
                {
                    root.Add(this.Panel(model, x, top, cell, height, $"{id}-{index}-{top:0}"));
                    top += height;
                }

                tallest = Math.Max(tallest, top - y);
                x += cell;
            }

            y += tallest;
        }

        y = this.DrawLegend(root, y);
        root.Add(
            new XAttribute("viewBox", $"0 0 {Number(width)} {Number(y)}"),
            new XAttribute("width", Number(width)),
            new XAttribute("height", Number(y)),
            new XAttribute("role", "img"),
            new XAttribute("font-family", Fonts));
        return root;
    }

    /// <summary>Panels of one stack share their left edge.</summary>
    private static void Align(IReadOnlyList<(PlotModel Model, double Height)> stack)
    {
        if (stack.Count > 1)
        {
            foreach ((PlotModel model, _) in stack)
            {
                model.PlotMargins = new OxyThickness(66, double.NaN, 12, double.NaN);
            }
        }
    }

    private XElement Panel(PlotModel model, double x, double y, double panelWidth, double height, string prefix)
    {
        MakeValid(model);
        using var stream = new MemoryStream();
        new SvgExporter { Width = panelWidth, Height = height, UseVerticalTextAlignmentWorkaround = true, TextMeasurer = new Metrics(panelWidth, height) }.Export(model, stream);

        if (model.GetLastPlotException() is { } problem)
        {
            throw new InvalidOperationException($"the figure {id} cannot be drawn: {problem.Message}", problem);
        }

        stream.Position = 0;
        using var reader = XmlReader.Create(stream, new XmlReaderSettings { DtdProcessing = DtdProcessing.Ignore, IgnoreWhitespace = true });
        XElement panel = XDocument.Load(reader).Root!;

        foreach (XElement element in panel.DescendantsAndSelf())
        {
            Restyle(element, prefix);
        }

        panel.SetAttributeValue("version", null);
        panel.SetAttributeValue(XNamespace.Xmlns + "xlink", null);
        panel.SetAttributeValue("x", Number(x));
        panel.SetAttributeValue("y", Number(y));
        return panel;
    }

    /// <summary>The plotting library writes every text as it is, and fails at one that XML cannot hold.</summary>
    private static void MakeValid(PlotModel model)
    {
        model.Title = Valid(model.Title);

        foreach (Axis axis in model.Axes)
        {
            axis.Title = Valid(axis.Title);

            if (axis is CategoryAxis { Labels: var labels })
            {
                string[] names = [.. labels.Select(ReportText.Valid)];
                labels.Clear();
                labels.AddRange(names);
            }
        }

        foreach (TextualAnnotation annotation in model.Annotations.OfType<TextualAnnotation>())
        {
            annotation.Text = Valid(annotation.Text);
        }
    }

    private static string? Valid(string? text) => text is null ? null : ReportText.Valid(text);

    /// <summary>Black becomes the page's text colour, and every id is one of this figure.</summary>
    private static void Restyle(XElement element, string prefix)
    {
        element.SetAttributeValue("font-family", null);

        if (element.Attribute(link + "href") is { } reference)
        {
            element.SetAttributeValue("href", reference.Value);
            element.SetAttributeValue("style", "image-rendering:pixelated");
            reference.Remove();
        }

        foreach (XAttribute attribute in element.Attributes())
        {
            attribute.Value = attribute.Name.LocalName switch
            {
                "id" => $"{prefix}-{attribute.Value}",
                "clip-path" => attribute.Value.Replace("url(#", $"url(#{prefix}-", StringComparison.Ordinal),
                "fill" when attribute.Value == "black" => "currentColor",
                "style" => attribute.Value
                    .Replace("stroke:black", "stroke:currentColor", StringComparison.Ordinal)
                    .Replace("fill:black", "fill:currentColor", StringComparison.Ordinal),
                _ => attribute.Value,
            };
        }
    }

    private double DrawLegend(XElement root, double y)
    {
        if (this.legend.Count == 0)
        {
            return y;
        }

        (double x, double line) = (16, y + 16);

        foreach (LegendItem item in this.legend)
        {
            double needed = 48 + (Letter * item.Text.Length);

            if (x + needed > width && x > 16)
            {
                (x, line) = (16, line + LegendLine);
            }

            string colour = (item.IsReference ? Look.ReferenceColour(item.Index) : Look.Colour(item.Index)).ToByteString();
            root.Add(
                new XElement(
                    svg + "line",
                    new XAttribute("x1", Number(x)),
                    new XAttribute("x2", Number(x + 28)),
                    new XAttribute("y1", Number(line - 4)),
                    new XAttribute("y2", Number(line - 4)),
                    new XAttribute("stroke", $"rgb({string.Join(',', colour.Split(',').TakeLast(3))})"),
                    new XAttribute("stroke-width", "2.5"),
                    Dashes(item) is { } dashes ? new XAttribute("stroke-dasharray", dashes) : null),
                new XElement(
                    svg + "text",
                    new XAttribute("x", Number(x + 34)),
                    new XAttribute("y", Number(line)),
                    new XAttribute("font-size", "12"),
                    new XAttribute("fill", "currentColor"),
                    ReportText.Valid(item.Text)));
            x += needed + 16;
        }

        return line + 12;
    }

    private static string? Dashes(LegendItem item) => (item.IsReference ? Look.ReferenceLine(item.Index) : Look.Line(item.Index)).GetDashArray() is { Length: > 0 } dashes
        ? string.Join(',', dashes.Select(dash => Number(2 * dash)))
        : null;

    private static string Number(double value) => value.ToString("0.##", CultureInfo.InvariantCulture);

    /// <summary>The library's own metrics of Arial, which it gives in points, as pixels; with room for the widest family that may stand in.</summary>
    private sealed class Metrics(double width, double height) : PdfRenderContext(width, height, OxyColors.Undefined)
    {
        public override OxySize MeasureText(string text, string fontFamily, double fontSize, double fontWeight)
        {
            OxySize points = base.MeasureText(text, fontFamily, fontSize, fontWeight);
            return new(points.Width * Widest * 96 / 72, points.Height * 96 / 72);
        }
    }
}
