using System.Reflection;
using System.Text.RegularExpressions;

namespace NE.Shell.Sweeps.Planning;

/// <summary>The sweeps that come with the executable: the files of `presets/paper/`, embedded.</summary>
public static partial class SweepPresets
{
    private const string Prefix = "sweep:";

    /// <summary>Names of all presets, such as paper/figure-6, by figure and then table, in the order of their numbers.</summary>
    public static IReadOnlyList<string> Names { get; } =
        [.. typeof(SweepPresets).Assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith(Prefix, StringComparison.Ordinal))
            .Select(name => name[Prefix.Length..])
            // figure-9 before figure-11.
            .OrderBy(name => Number().Replace(name, digits => digits.Value.PadLeft(4, '0')), StringComparer.Ordinal)];

    /// <summary>The names in lines, for help.</summary>
    public static string List() => string.Join('\n', Names.Chunk(6).Select(line => "  " + string.Join("  ", line)));

    [GeneratedRegex(@"\d+")]
    private static partial Regex Number();

    /// <summary>The preset's full name and YAML; null when there is none of that name. The folder may be left out.</summary>
    public static (string Name, string Text)? TryRead(string name)
    {
        foreach (string full in (ReadOnlySpan<string>)[name, $"paper/{name}"])
        {
            using Stream? stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(Prefix + full);

            if (stream is not null)
            {
                using var reader = new StreamReader(stream);
                return (full, reader.ReadToEnd());
            }
        }

        return null;
    }
}
