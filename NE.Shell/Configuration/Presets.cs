using System.Reflection;

namespace NE.Shell.Configuration;

/// <summary>The configurations that come with the executable: the files of `presets/`, embedded.</summary>
public static class Presets
{
    private const string Prefix = "preset:";

    /// <summary>Names of all presets, in order.</summary>
    public static IReadOnlyList<string> Names { get; } =
        [.. typeof(Presets).Assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith(Prefix, StringComparison.Ordinal))
            .Select(name => name[Prefix.Length..])
            .Order(StringComparer.Ordinal)];

    /// <summary>The preset's YAML; null when there is none of that name.</summary>
    public static string? TryRead(string name)
    {
        using Stream? stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(Prefix + name);

        if (stream is null)
        {
            return null;
        }

        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
