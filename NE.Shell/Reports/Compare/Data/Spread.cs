using NE.Model.Statistics;
using NE.Shell.RunFiles;

namespace NE.Shell.Reports.Compare.Data;

/// <summary>Mean and spread of several seeds at one step.</summary>
/// <param name="Step">Environment steps.</param>
/// <param name="Mean">Over the seeds that have got there.</param>
/// <param name="Deviation">Standard deviation over them (n - 1); NaN for one.</param>
/// <param name="Seeds">How many have got there.</param>
public sealed record SpreadPoint(double Step, double Mean, double Deviation, int Seeds);

/// <summary>
/// Curves of several seeds taken together. Their points may lie at other steps in every seed: between two points of a seed its value lies on the line between them, outside of its points
/// it has none.
/// </summary>
public static class Spread
{
    /// <summary>Mean and deviation at every step that any seed has, as far as `least` seeds have got.</summary>
    /// <param name="seeds">Curves of the seeds.</param>
    /// <param name="least">Seeds that a point needs.</param>
    /// <param name="most">Points at most: of more steps, some at equal distances.</param>
    public static IReadOnlyList<SpreadPoint> Of(IReadOnlyList<Curve> seeds, int least, int most = int.MaxValue) => Of(seeds, least, double.PositiveInfinity, most);

    /// <summary>The same up to a step.</summary>
    public static IReadOnlyList<SpreadPoint> Until(IReadOnlyList<Curve> seeds, int least, double end) => Of(seeds, least, end, int.MaxValue);

    private static List<SpreadPoint> Of(IReadOnlyList<Curve> seeds, int least, double end, int most)
    {
        var points = new List<SpreadPoint>();
        double[] steps = [.. seeds.SelectMany(curve => curve.Steps).Where(step => step <= end).Distinct().Order()];
        int stride = (int)Math.Max(1, Math.Ceiling(steps.Length / (double)most));

        foreach (double step in steps.Where((_, index) => index % stride == 0 || index == steps.Length - 1))
        {
            double[] values = [.. seeds.Select(curve => curve.Between(step)).Where(double.IsFinite)];

            if (values.Length >= Math.Max(1, least))
            {
                points.Add(new(step, Descriptive.mean(values), Descriptive.standardDeviation(values), values.Length));
            }
        }

        return points;
    }
}
