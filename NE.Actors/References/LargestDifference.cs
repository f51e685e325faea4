namespace NE.Actors.References;

/// <summary>Keeps the largest difference seen. Nothing is larger than NaN.</summary>
internal sealed class LargestDifference(double tolerance)
{
    private double worst;
    private int at = -1;

    /// <summary>|ours - reference| / (1 + |reference|).</summary>
    internal void Add(int place, double ours, double reference) => this.Keep(place, Math.Abs(ours - reference) / (1 + Math.Abs(reference)));

    /// <summary>As `Add` for each; NaN when the sizes differ.</summary>
    internal void AddAll(int place, ReadOnlySpan<double> ours, ReadOnlySpan<double> reference)
    {
        if (ours.Length != reference.Length)
        {
            this.Keep(place, double.NaN);
            return;
        }

        for (var i = 0; i < ours.Length; i++)
        {
            this.Add(place, ours[i], reference[i]);
        }
    }

    /// <summary>Relative differences; absolute ones where the reference is (nearly) 0.</summary>
    internal void AddRelative(ReadOnlySpan<double> ours, ReadOnlySpan<double> reference)
    {
        if (ours.Length != reference.Length)
        {
            this.Keep(0, double.NaN);
            return;
        }

        for (var i = 0; i < ours.Length; i++)
        {
            var size = Math.Abs(reference[i]);
            this.Keep(i, Math.Abs(ours[i] - reference[i]) / (size > 1e-9 ? size : 1));
        }
    }

    internal QuantityDifference Named(string quantity) => new(quantity, this.worst, tolerance, this.at);

    private void Keep(int place, double difference)
    {
        if (difference > this.worst || (double.IsNaN(difference) && !double.IsNaN(this.worst)))
        {
            this.worst = difference;
            this.at = place;
        }
    }
}
