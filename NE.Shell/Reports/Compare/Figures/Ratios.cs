using NE.Shell.Reports.Compare.Data;
using NE.Shell.RunFiles;
using OxyPlot;
using OxyPlot.Axes;

namespace NE.Shell.Reports.Compare.Figures;

/// <summary>Panels of the two activated ratios: what the paper's figures most likely show, since the official code logs it, and what Eq. 1 defines (docs/algorithm.md 2.2).</summary>
internal static class Ratios
{
    /// <summary>Beginning of the columns of metrics.csv, and what the network is called.</summary>
    public static readonly (string Column, string Name)[] Networks = [("actor", "actor"), ("critic", "critics")];

    /// <summary>The same of the channels of a learner that sees pictures.</summary>
    private static readonly (string Column, string Name) encoder = ("encoder", "channels");

    /// <summary>Whether any arm has channels.</summary>
    public static bool HaveChannels(IReadOnlyList<Arm> arms) => arms.Any(arm => arm.Metric($"{encoder.Column}_{Drawn[0].Column}").Length > 0);

    /// <summary>What the arms have ratios of.</summary>
    public static IReadOnlyList<(string Column, string Name)> Of(IReadOnlyList<Arm> arms) => HaveChannels(arms) ? [.. Networks, encoder] : Networks;

    /// <summary>End of the columns that are drawn, and what the ratio is called.</summary>
    public static readonly (string Column, string Name)[] Drawn =
        [("fau", "activated ratio of the paper's figures (fau)"), ("anr_0", "Eq. 1: activated neuron ratio (anr, tau 0)")];

    /// <summary>End of the columns that are only in the data.</summary>
    public static readonly string[] Others = ["anr_0.025", "anr_0.1"];

    /// <summary>What a caption says of both.</summary>
    public const string Explanation =
        "The fraction of active units (fau), the share of pairs of a sample and a unit above zero, is what the official code logs, so most likely the activated ratio of the paper's figures; "
        + "the activated neuron ratio (anr) at tau = 0 is what Eq. 1 defines.";

    /// <summary>A column of metrics.csv for every arm.</summary>
    /// <param name="title">Above the panel; null for none.</param>
    /// <param name="axis">Beside it.</param>
    /// <param name="end">Of the step axis.</param>
    /// <param name="named">Whether the step axis has its name.</param>
    public static PlotModel Panel(IReadOnlyList<Arm> arms, string column, string? title, string axis, double end, bool named)
    {
        PlotModel model = Look.Panel(title);
        // Longer than the plot, which has the numbers of the axis on its left.
        (model.TitleFontSize, model.TitleFontWeight, model.ClipTitle) = (11, FontWeights.Normal, false);
        model.TitleHorizontalAlignment = TitleHorizontalAlignment.CenteredWithinView;
        LinearAxis share = Look.Share(axis);
        model.Axes.Add(Look.Steps(end, named));
        model.Axes.Add(share);
        double lowest = double.NaN;

        foreach (Arm arm in arms)
        {
            Curve[] curves = arm.Metric(column);
            lowest = Look.Lowest(curves, lowest);
            LearningCurves.Add(model, arm, curves, _ => { });
        }

        Look.Narrow(share, lowest);
        return model;
    }
}
