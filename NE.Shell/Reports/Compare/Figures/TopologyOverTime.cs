using NE.Shell.Reports.Compare.Data;
using OxyPlot;
using OxyPlot.Axes;
using OxyPlot.Series;

namespace NE.Shell.Reports.Compare.Figures;

/// <summary>Density of every layer, and weights grown and pruned, over gradient steps.</summary>
internal static class TopologyOverTime
{
    /// <summary>Null when no run has a topology event.</summary>
    public static Figure? Draw(IReadOnlyList<Panel> panels)
    {
        var canvas = new Canvas("topology", 2);
        var data = new DataTable("topology", "Topology per layer, mean over seeds", "environment", "arm", "network", "layer", "gradientStep", "density", "grown", "pruned", "dormant", "seeds");
        (Panel Panel, Arm Arm)[] growing = [.. panels.SelectMany(panel => panel.Arms.Select(arm => (panel, arm))).Where(pair => pair.arm.Runs.Any(run => run.Topology.Rows > 0))];
        Row[] every = [.. growing.SelectMany(pair => pair.Arm.Runs).SelectMany(Rows)];
        // A layer that is dense and stays so is a line at 1.
        string[] names = [.. every.Where(row => row.Density < 1 || row.Grown + row.Pruned > 0).Select(row => row.Layer).Distinct().Order(StringComparer.Ordinal)];

        foreach ((Panel panel, Arm arm) in growing)
        {
            ReportedRun[] runs = [.. arm.Runs.Where(run => run.Topology.Rows > 0)];
            Dictionary<(string Layer, double Step), Row[]> rows = runs.SelectMany(Rows).GroupBy(row => (row.Layer, row.Step)).ToDictionary(group => group.Key, group => group.ToArray());
            double end = rows.Keys.Max(key => key.Step);
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

            foreach (string name in names)
            {
                var at = rows.Where(pair => pair.Key.Layer == name).OrderBy(pair => pair.Key.Step).Select(pair => (pair.Key.Step, pair.Value)).ToArray();

                if (at.Length == 0)
                {
                    continue;
                }

                int index = Array.IndexOf(names, name);
                double[] steps = [.. at.Select(point => point.Step)];
                Line(density, index, steps, [.. at.Select(point => point.Value.Average(row => row.Density))]);
                Line(changes, index, steps, [.. at.Select(point => point.Value.Average(row => row.Grown))]);
                Line(changes, index, steps, [.. at.Select(point => -point.Value.Average(row => row.Pruned))]);

                foreach ((double step, Row[] value) in at)
                {
                    string[] parts = name.Split(" layer ");
                    data.Add(
                        panel.Environment,
                        arm.Label,
                        parts[0],
                        parts[1],
                        step,
                        value.Average(row => row.Density),
                        value.Average(row => row.Grown),
                        value.Average(row => row.Pruned),
                        value.Average(row => row.Dormant),
                        value.Select(row => row.Run).Distinct().Count());
                }
            }

            canvas.Add((density, 230), (changes, 190));
        }

        canvas.Legend(names.Select((name, index) => new LegendItem(name, index)));
        return growing.Length == 0
            ? null
            : new(
                "topology",
                "Topology over time",
                "Above: active weights over all weights of every layer after each grow-prune event. Below: weights grown (up) and pruned (down) at that event. "
                + "Means over seeds, and over the twin critics. Layers that are dense from the start to the end are not drawn.",
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
                $"{table.Text(i, "network")} layer {table.Number(i, "layer") + 1:0}",
                table.Number(i, "gradientStep"),
                table.Number(i, "density"),
                table.Number(i, "grown"),
                table.Number(i, "pruned"),
                table.Number(i, "dormant"));
        }
    }

    private sealed record Row(string Run, string Layer, double Step, double Density, double Grown, double Pruned, double Dormant);
}
