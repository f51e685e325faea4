using NE.Model.Statistics;

namespace NE.Shell.Reports.Compare.Data;

/// <summary>Values over rising steps.</summary>
/// <param name="Steps">Environment steps, rising.</param>
/// <param name="Values">One per step.</param>
public sealed record Curve(double[] Steps, double[] Values)
{
    public bool IsEmpty => this.Steps.Length == 0;

    /// <summary>The last step; 0 for an empty curve.</summary>
    public double End => this.IsEmpty ? 0 : this.Steps[^1];

    /// <summary>The part up to a step.</summary>
    public Curve Until(double step)
    {
        int count = this.Steps.TakeWhile(at => at <= step).Count();
        return count == this.Steps.Length ? this : new Curve(this.Steps[..count], this.Values[..count]);
    }

    /// <summary>The part behind a step.</summary>
    public Curve After(double step)
    {
        int count = this.Steps.TakeWhile(at => at <= step).Count();
        return count == 0 ? this : new Curve(this.Steps[count..], this.Values[count..]);
    }

    /// <summary>The newest value at a step; NaN before the first and behind the last.</summary>
    public double At(double step) => this.IsEmpty || step > this.End ? double.NaN : Curves.valueAt(step, this.Steps, this.Values);

    /// <summary>The value on the straight line between the points around a step; NaN before the first and behind the last.</summary>
    public double Between(double step)
    {
        int index = Array.BinarySearch(this.Steps, step);

        if (index >= 0)
        {
            return this.Values[index];
        }

        int next = ~index;
        return next == 0 || next == this.Steps.Length
            ? double.NaN
            : this.Values[next - 1] + ((this.Values[next] - this.Values[next - 1]) * (step - this.Steps[next - 1]) / (this.Steps[next] - this.Steps[next - 1]));
    }
}

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
