using NE.Actors.Rendering;
using NE.Model;
using NE.Model.Agents;
using NE.Shell.Reports.Compare.Data;
using OxyPlot;
using OxyPlot.Annotations;
using OxyPlot.Axes;

namespace NE.Shell.Reports.Compare.Figures;

/// <summary>Gradients of stored networks on one batch, layer by layer, as the paper's Figure 11.</summary>
internal static class HeatMap
{
    /// <summary>Powers of ten below the largest gradient of a layer that still have a colour.</summary>
    private const double Decades = 6;

    /// <summary>Pixels of a picture's side.</summary>
    private const int LeastPixels = 256;

    private static readonly OxyColor[] colours = [.. OxyPalettes.Viridis(256).Colors];

    /// <summary>Weights without a gradient.</summary>
    private static readonly OxyColor nothing = OxyColor.FromRgb(0xD9, 0xD9, 0xD9);

    /// <param name="runs">Name, step and gradients of every run, all of the same task and batch.</param>
    /// <param name="source">The run whose replay memory the batch is from.</param>
    /// <param name="learners">What each of them learns with.</param>
    public static Figure Draw(IReadOnlyList<(string Run, long Step, LayerGradient[] Layers)> runs, string source, IReadOnlyList<LearnerKind> learners)
    {
        var canvas = new Canvas("gradients", Math.Clamp(runs.Count, 1, 3));
        var layers = new DataTable("gradients", "Gradients per layer", "run", "step", "network", "stack", "layer", "outputs", "inputs", "zero", "mean", "largest");
        var neurons = new DataTable("gradients-neurons", "Gradients per neuron", "run", "network", "stack", "layer", "neuron", "zero", "mean");

        foreach ((string run, long step, LayerGradient[] all) in runs)
        {
            foreach (LayerGradient layer in all)
            {
                float[] values = layer.Magnitudes;
                layers.Add(run, step, layer.Network, layer.Stack, layer.Layer + 1, layer.Outputs, layer.Inputs, Zeros(values), values.Average(), values.Max());

                for (int neuron = 0; neuron < layer.Outputs; neuron++)
                {
                    float[] row = values[(neuron * layer.Inputs)..((neuron + 1) * layer.Inputs)];
                    neurons.Add(run, layer.Network, layer.Stack, layer.Layer + 1, neuron, Zeros(row), row.Average());
                }
            }
        }

        // The first critic stands for both: they are two draws of the same thing.
        foreach ((string network, int layer) in runs[0].Layers.Where(layer => layer.Stack == 0).Select(layer => (layer.Network, layer.Layer)))
        {
            double top = runs.SelectMany(run => run.Layers).Where(other => other.Network == network && other.Layer == layer && other.Stack == 0).Max(other => other.Magnitudes.Max());
            double high = top > 0 ? Math.Log10(top) : 0;

            foreach ((string run, _, LayerGradient[] all) in runs)
            {
                if (all.FirstOrDefault(other => other.Network == network && other.Layer == layer && other.Stack == 0) is { } found)
                {
                    canvas.Add((Panel($"{run}: {network}, layer {layer + 1}", found, high), 250));
                }
            }
        }

        return new(
            "gradients",
            "Gradients of stored networks",
            $"|dL/dW| of every weight on one batch of {GradientMap.Rows} transitions of {source}'s replay memory: L is the squared TD error of the critics, and for the actor {ActorLosses(learners)}. "
            + "A row is a neuron, a column one of its inputs. Grey: exactly zero. The colour scale is logarithmic and the same for a layer of all runs. The first of the twin critics is drawn; both are in the data.",
            canvas.Compose(),
            [layers, neurons])
        {
            Warning = learners.Distinct().ToArray() is { Length: > 1 } several
                ? $"The gradients are of several learners ({string.Join(", ", several.Select(LearnerKindModule.nameOf))}): their losses differ, so how large the gradients are cannot be compared."
                : null,
        };
    }

    /// <summary>What the actors of these learners minimise, with the learners where they differ.</summary>
    private static string ActorLosses(IReadOnlyList<LearnerKind> learners)
    {
        (string Loss, string Learners)[] losses = [.. learners.Distinct().GroupBy(ActorLoss).Select(same => (same.Key, string.Join(", ", same.Select(LearnerKindModule.nameOf))))];
        return losses is [var (only, _)] ? only : string.Join("; ", losses.Select(loss => $"{loss.Loss} ({loss.Learners})"));
    }

    /// <summary>L_pi of docs/algorithm.md 2.12 to 2.14 in words.</summary>
    private static string ActorLoss(LearnerKind learner) =>
        learner.HasTemperature ? "the temperature times the action's log probability, less the lower critic's value"
        : learner.IsDrqV2 ? "the lower critic's negative value"
        : "the first critic's negative value";

    /// <summary>Share of the values that are exactly zero.</summary>
    public static double Zeros(float[] values) => values.Count(value => value == 0) / (double)values.Length;

    private static PlotModel Panel(string title, LayerGradient layer, double high)
    {
        PlotModel model = Look.Panel(title);
        LinearAxis across = Look.Axis(AxisPosition.Bottom, $"{layer.Inputs} inputs");
        LinearAxis down = Look.Axis(AxisPosition.Left, layer.Outputs == 1 ? "1 neuron" : $"{layer.Outputs} neurons");
        (across.Minimum, across.Maximum, across.MajorGridlineStyle) = (0, layer.Inputs, LineStyle.None);
        (down.Minimum, down.Maximum, down.MajorGridlineStyle) = (0, layer.Outputs, LineStyle.None);
        (across.MinimumMajorStep, down.MinimumMajorStep) = (1, 1);
        model.Axes.Add(across);
        model.Axes.Add(down);
        model.Axes.Add(new LinearColorAxis
        {
            Position = AxisPosition.Right,
            Palette = new OxyPalette(colours),
            Minimum = high - Decades,
            Maximum = high,
            Title = "log10 |dL/dW|",
            FontSize = 10,
            TitleFontSize = 10,
            AxisTitleDistance = 8,
            MajorStep = 2,
            MinorTickSize = 0,
        });
        model.Annotations.Add(new ImageAnnotation
        {
            ImageSource = new OxyImage(Picture(layer, high)),
            X = new PlotLength(0, PlotLengthUnit.Data),
            Y = new PlotLength(0, PlotLengthUnit.Data),
            Width = new PlotLength(layer.Inputs, PlotLengthUnit.Data),
            Height = new PlotLength(layer.Outputs, PlotLengthUnit.Data),
            HorizontalAlignment = HorizontalAlignment.Left,
            VerticalAlignment = VerticalAlignment.Bottom,
            Interpolate = false,
            Layer = AnnotationLayer.BelowAxes,
        });
        return model;
    }

    /// <summary>One square of pixels per weight, large enough that no viewer smooths it away; the last neuron's row first, so that neuron 0 is at the bottom.</summary>
    private static byte[] Picture(LayerGradient layer, double high)
    {
        (int across, int down) = ((LeastPixels + layer.Inputs - 1) / layer.Inputs, (LeastPixels + layer.Outputs - 1) / layer.Outputs);
        (int width, int height) = (across * layer.Inputs, down * layer.Outputs);
        var rgb = new byte[3 * width * height];

        for (int y = 0; y < height; y++)
        {
            int neuron = layer.Outputs - 1 - (y / down);

            for (int x = 0; x < width; x++)
            {
                float value = layer.Magnitudes[(neuron * layer.Inputs) + (x / across)];
                double place = value > 0 ? (Math.Log10(value) - high + Decades) / Decades : 0;
                OxyColor colour = value == 0 ? nothing : colours[(int)Math.Clamp(place * 255, 0, 255)];
                int at = 3 * ((y * width) + x);
                (rgb[at], rgb[at + 1], rgb[at + 2]) = (colour.R, colour.G, colour.B);
            }
        }

        return PngPicture.Encode(width, height, rgb);
    }
}
