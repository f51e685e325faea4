using System.Globalization;
using NE.Actors.Configuration;
using NE.Model;

namespace NE.Shell.Sweeps.Planning;

/// <summary>
/// A random search (Bergstra and Bengio 2012): so many points of a space, each an arm; with <paramref name="Halving"/>, of which ever fewer go on.
/// </summary>
/// <param name="Trials">Points per arm.</param>
/// <param name="Seed">What the points follow from; the same seed gives the same points, and more trials are added behind them.</param>
/// <param name="Space">Keys with what they may be.</param>
/// <param name="Halving">When it is decided which go on; null when all run to the end.</param>
public sealed record SweepSearch(int Trials, long Seed, IReadOnlyList<SearchedKey> Space, SweepHalving? Halving)
{
    /// <summary>The points in their order, each a value per key and what it is called.</summary>
    public IEnumerable<(string Label, IReadOnlyList<ConfigurationEntry> Entries)> Points()
    {
        for (int trial = 1; trial <= this.Trials; trial++)
        {
            yield return (
                TrialLabels.Of(trial, this.Trials),
                [.. this.Space.Select((key, index) => new ConfigurationEntry(key.Key, key.Values.Draw(Draws.At(this.Seed, Purpose.Statistics, trial, index, 0)), key.Where))]);
        }
    }
}

/// <summary>Successive halving: the trials of an arm are compared at ever later steps, and one in so many goes on.</summary>
/// <param name="From">[environment steps] Where they are compared first.</param>
/// <param name="Factor">One in so many goes on, so many times as far.</param>
public sealed record SweepHalving(long From, int Factor);

/// <param name="Key">section.name</param>
/// <param name="Values">What it may be.</param>
/// <param name="Where">The line of the key.</param>
public sealed record SearchedKey(string Key, SearchedValues Values, string Where);

/// <summary>The values that a key may take in a search.</summary>
public abstract record SearchedValues
{
    private SearchedValues() { }

    /// <summary>Draws one, as the text of a configuration.</summary>
    public abstract string Draw(Draws draws);

    /// <summary>Reads `LOW .. HIGH`, with `log` or `integer` or both in front; null when it is neither.</summary>
    public static SearchedValues? OfRange(string text)
    {
        string[] words = text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        string[] kinds = [.. words.TakeWhile(word => word is "log" or "integer")];
        return words[kinds.Length..] is [var low, "..", var high]
            && kinds.Distinct().Count() == kinds.Length
            && TryNumber(low, out double from) && TryNumber(high, out double to)
            && from < to && (from > 0 || !kinds.Contains("log"))
            && (!kinds.Contains("integer") || (double.IsInteger(from) && double.IsInteger(to)))
            ? new Range(from, to, kinds.Contains("log"), kinds.Contains("integer"))
            : null;
    }

    private static bool TryNumber(string text, out double number) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out number) && double.IsFinite(number);

    /// <summary>One of these, each as likely as the others.</summary>
    public sealed record Choice(IReadOnlyList<string> Values) : SearchedValues
    {
        public override string Draw(Draws draws) => this.Values[(int)draws.NextInt(this.Values.Count)];
    }

    /// <summary>Between two numbers, both included, uniformly or, with <paramref name="IsLog"/>, with a uniform logarithm; with three digits that say something.</summary>
    public sealed record Range(double Low, double High, bool IsLog, bool IsInteger) : SearchedValues
    {
        public override string Draw(Draws draws)
        {
            // An integer's ends are as likely as what lies between them.
            double margin = this.IsInteger ? 0.5 : 0;
            double drawn = this.IsLog
                ? Math.Exp(draws.Uniform(Math.Log(this.Low - margin), Math.Log(this.High + margin)))
                : draws.Uniform(this.Low - margin, this.High + margin);
            return this.IsInteger
                ? Math.Clamp(Math.Round(drawn), this.Low, this.High).ToString("F0", CultureInfo.InvariantCulture)
                : Math.Clamp(double.Parse(drawn.ToString("G3", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture), this.Low, this.High).ToString("R", CultureInfo.InvariantCulture);
        }
    }
}
