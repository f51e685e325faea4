namespace NE.Shell.Reports.Compare.Data;

/// <summary>
/// The columns of a run's tables that tables and figures read. Hundreds of runs are in the memory at once, so the others are passed over; a figure that asks for another one says so
/// when it is drawn.
/// </summary>
internal static class ReportedColumns
{
    private static readonly string[] ratios = ["_fau", "_anr_0", "_anr_0.025", "_anr_0.1", "_probe", "_probe_error"];

    public static bool OfEvaluations(string name) => name is "step" or "mean" || name.StartsWith("inverted", StringComparison.Ordinal);

    public static bool OfMetrics(string name) =>
        name == "step" || name.StartsWith("review_", StringComparison.Ordinal) || ratios.Any(ending => name.EndsWith(ending, StringComparison.Ordinal));

    /// <summary>Beside the network, which is a text.</summary>
    public static bool OfTopology(string name) => name is "gradientStep" or "layer" or "density" or "grown" or "pruned" or "dormant";
}
