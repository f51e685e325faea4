using NE.Model.Statistics;
using NE.Shell.RunFiles;

namespace NE.Shell.Reports.Compare.Data;

/// <summary>Mean and spread of several seeds at one step.</summary>
/// <param name="Step">Environment steps.</param>
/// <param name="Mean">Over the seeds that have got there.</param>
/// <param name="Deviation">Standard deviation over them (n - 1); NaN for one.</param>
/// <param name="Seeds">How many have got there.</param>
public sealed record SpreadPoint(double Step, double Mean, double Deviation, int Seeds);

/// <summary>Curves of the seeds of an arm taken together.</summary>
public static class Spread
{
    /// <summary>Mean and deviation at every step that any seed has, as far as `least` seeds have got.</summary>
    public static IReadOnlyList<SpreadPoint> Of(IReadOnlyList<Curve> seeds, int least) => Of(seeds, least, double.PositiveInfinity, (curve, step) => curve.At(step));

    /// <summary>
    /// The same up to a step, of curves whose points lie at other steps in every seed: between two points of a seed its value lies on the line between them, outside of its points it
    /// has none.
    /// </summary>
    public static IReadOnlyList<SpreadPoint> Interpolated(IReadOnlyList<Curve> seeds, int least, double end) => Of(seeds, least, end, (curve, step) => curve.Between(step));

    private static List<SpreadPoint> Of(IReadOnlyList<Curve> seeds, int least, double end, Func<Curve, double, double> valueAt)
    {
        var points = new List<SpreadPoint>();

        foreach (double step in seeds.SelectMany(curve => curve.Steps).Where(step => step <= end).Distinct().Order())
        {
            double[] values = [.. seeds.Select(curve => valueAt(curve, step)).Where(double.IsFinite)];

            if (values.Length >= Math.Max(1, least))
            {
                points.Add(new(step, Descriptive.mean(values), Descriptive.standardDeviation(values), values.Length));
            }
        }

        return points;
    }
}
