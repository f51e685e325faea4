using System.Globalization;
using System.Text.RegularExpressions;

namespace NE.Shell.Sweeps.Planning;

/// <summary>Seeds as people write them: 3, 0-7, or several of both.</summary>
internal static partial class SeedList
{
    /// <summary>More seeds than this are a slip of the finger.</summary>
    private const int Most = 1000;

    [GeneratedRegex(@"^\s*(\d+)\s*-\s*(\d+)\s*\z")]
    private static partial Regex Range();

    /// <summary>Reads values that may hold several seeds each. Returns a problem instead when one cannot be read or comes twice.</summary>
    public static (IReadOnlyList<long> Seeds, (string Text, string Where)? Problem) Read(IEnumerable<(string Value, string Where)> values)
    {
        var seeds = new List<long>();

        foreach ((string value, string where) in values)
        {
            foreach (string word in value.Split(',', StringSplitOptions.TrimEntries))
            {
                if (Of(word) is not { } some)
                {
                    return ([], ($"seeds expects whole numbers or ranges such as 0-7, found '{word}'", where));
                }

                if (some.FirstOrDefault(seeds.Contains, long.MinValue) is var twice && twice != long.MinValue)
                {
                    return ([], ($"seeds names {twice} twice", where));
                }

                seeds.AddRange(some);
            }
        }

        return seeds.Count <= Most ? (seeds, null) : ([], ($"seeds expects at most {Most} seeds, found {seeds.Count}", values.First().Where));
    }

    private static IReadOnlyList<long>? Of(string word)
    {
        if (Range().Match(word) is { Success: true } range)
        {
            return long.TryParse(range.Groups[1].Value, NumberStyles.None, CultureInfo.InvariantCulture, out long first)
                && long.TryParse(range.Groups[2].Value, NumberStyles.None, CultureInfo.InvariantCulture, out long last)
                && first <= last && last - first <= Most
                ? [.. Enumerable.Range(0, (int)(last - first) + 1).Select(offset => first + offset)]
                : null;
        }

        return long.TryParse(word, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long seed) ? [seed] : null;
    }
}
