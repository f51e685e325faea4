using NE.Shell.Reports.Compare.Data;
using NE.Shell.RunFiles;
using OxyPlot;
using OxyPlot.Axes;
using OxyPlot.Series;

namespace NE.Shell.Reports.Compare.Figures;

/// <summary>Density of every layer, and weights grown and pruned, over gradient steps.</summary>
internal static class TopologyOverTime
{
    /// <summary>Null when no run's topology is sparse or changes.</summary>
    public static Figure? Draw(IReadOnlyList<Panel> panels)
    {
        var canvas = new Canvas("topology", 2);
        var data = new DataTable("topology", "Topology per layer, mean over seeds", "environment", "arm", "network", "layer", "gradientStep", "density", "grown", "pruned", "dormant", "seeds");
        // ReDo's events draw neurons anew and leave all weights where they are: there is nothing to draw.
        (Panel Panel, Arm Arm)[] growing = [.. panels.SelectMany(panel => panel.Arms.Select(arm => (panel, arm))).Where(pair => pair.arm.Runs.SelectMany(Rows).Any(Changes))];
        Row[] every = [.. growing.SelectMany(pair => pair.Arm.Runs).SelectMany(Rows)];
        // A layer that is dense and stays so is a line at 1.
        Layer[] drawn = [.. InOrder(every.Where(Changes))];

        foreach ((Panel panel, Arm arm) in growing)
        {
            ReportedRun[] runs = [.. arm.Runs.Where(run => run.Topology.Rows > 0)];
            Row[] rows = [.. runs.SelectMany(Rows)];
            double end = rows.Max(row => row.Step);
            PlotModel density = Look.Panel(panels.Count > 1 || growing.Length > 1 ? $"{panel.Environment}, {arm.Label}" : arm.Label);
            LinearAxis shared = Look.Steps(end, named: false);
            density.Axes.Add(shared);
            density.Axes.Add(Look.Share("density"));
            PlotModel changes = Look.Panel(null);
            LinearAxis below = Look.Steps(end, named: true);
            below.Title = "gradient steps";
            changes.Axes.Add(below);
            LinearAxis weights = Look.Axis(AxisPosition.Left, "weights per event");
            weights.LabelFormatter = value => Look.Short(Math.Abs(value));
            changes.Axes.Add(weights);

            foreach (Layer layer in InOrder(rows))
            {
                Point[] points = [.. rows.Where(row => row.Layer == layer).GroupBy(row => row.Step).OrderBy(step => step.Key).Select(step => Point.Of(step.Key, [.. step]))];

                foreach (Point point in points)
                {
                    data.Add(
                        panel.Environment, arm.Label, layer.Network, layer.Number, point.Step, point.Density, point.Grown, point.Pruned, point.Dormant, point.Seeds);
                }

                int index = Array.IndexOf(drawn, layer);

                if (index >= 0)
                {
                    // Where a seed has ended the mean of the others would jump.
                    Point[] all = [.. points.Where(point => point.Seeds == runs.Length)];
                    double[] steps = [.. all.Select(point => point.Step)];
                    Line(density, index, steps, [.. all.Select(point => point.Density)]);
                    Line(changes, index, steps, [.. all.Select(point => point.Grown)]);
                    Line(changes, index, steps, [.. all.Select(point => -point.Pruned)]);
                }
            }

            canvas.Add((density, 230), (changes, 190));
        }

        canvas.Legend(drawn.Select((layer, index) => new LegendItem($"{layer.Network} layer {layer.Number}", index)));
        return growing.Length == 0
            ? null
            : new(
                "topology",
                "Topology over time",
                "Above: active weights over all weights of every layer after each grow-prune event. Below: weights grown (up) and pruned (down) at that event. "
                + "Means over seeds, as far as all of an arm have got, and over the twin critics. Layers that are dense from the start to the end are in the data, but not drawn.",
                canvas.Compose(),
                [data]);
    }

    private static void Line(PlotModel model, int index, double[] steps, double[] values)
    {
        var line = new LineSeries { Color = Look.Colour(index), StrokeThickness = 1.5, LineStyle = Look.Line(index) };
        line.Points.AddRange(Look.Points(steps, values));
        model.Series.Add(line);
    }

    private static IEnumerable<Row> Rows(ReportedRun run)
    {
        CsvTable table = run.Topology;

        for (int i = 0; i < table.Rows; i++)
        {
            yield return new(
                run.Name,
                new(table.Text(i, "network"), (int)table.Number(i, "layer") + 1),
                table.Number(i, "gradientStep"),
                table.Number(i, "density"),
                table.Number(i, "grown"),
                table.Number(i, "pruned"),
                table.Number(i, "dormant"));
        }
    }

    private static bool Changes(Row row) => row.Density < 1 || row.Grown + row.Pruned > 0;

    private static IEnumerable<Layer> InOrder(IEnumerable<Row> rows) =>
        rows.Select(row => row.Layer).Distinct().OrderBy(layer => layer.Network, StringComparer.Ordinal).ThenBy(layer => layer.Number);

    /// <summary>A layer of a network, counted from 1.</summary>
    private readonly record struct Layer(string Network, int Number);

    private sealed record Row(string Run, Layer Layer, double Step, double Density, double Grown, double Pruned, double Dormant);

    /// <summary>Means of a layer over the rows of one step.</summary>
    private sealed record Point(double Step, double Density, double Grown, double Pruned, double Dormant, int Seeds)
    {
        public static Point Of(double step, Row[] rows) => new(
            step,
            rows.Average(row => row.Density),
            rows.Average(row => row.Grown),
            rows.Average(row => row.Pruned),
            rows.Average(row => row.Dormant),
            rows.Select(row => row.Run).Distinct().Count());
    }
}
