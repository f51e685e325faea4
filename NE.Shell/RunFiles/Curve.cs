using NE.Model.Statistics;

namespace NE.Shell.RunFiles;

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

    /// <summary>The value on the straight line between the points around a step; NaN before the first and behind the last.</summary>
    public double Between(double step) => Curves.valueAt(step, this.Steps, this.Values);
}
