using System.Text.Json;

namespace NE.Actors.MuJoCo;

/// <summary>The layouts of layouts.json, oldest first. Another version is an entry there and nothing else.</summary>
internal static class MuJoCoLayouts
{
    private static readonly Lazy<MuJoCoLayout[]> known = new(Read);

    internal static IReadOnlyList<MuJoCoLayout> Known => known.Value;

    /// <summary>The version that everything is tested with, and that is taken unless another one is named: Debian's 2.2.2.</summary>
    internal static MuJoCoLayout Reference => Known[0];

    /// <summary>Known versions, for messages.</summary>
    internal static string KnownNames => string.Join(", ", Known.Select(layout => layout.VersionName));

    /// <summary>The layout of a version; null when nobody knows it.</summary>
    internal static MuJoCoLayout? For(int version) => For(Known, version);

    /// <summary>As above, from a table in ascending order. A version between two that have the same layout has it too.</summary>
    internal static MuJoCoLayout? For(IReadOnlyList<MuJoCoLayout> table, int version)
    {
        var before = table.LastOrDefault(layout => layout.Version <= version);
        var after = table.FirstOrDefault(layout => layout.Version >= version);
        return before is not null && after is not null && Named(before, version) == Named(after, version) ? Named(before, version) : null;
    }

    /// <summary>A version number as people write it: 337 is 3.3.7, 3006000 is 3.6.0.</summary>
    internal static string NameOf(int version) => version < 1000
        ? $"{version / 100}.{version / 10 % 10}.{version % 10}"
        : $"{version / 1_000_000}.{version / 1000 % 1000}.{version % 1000}";

    private static MuJoCoLayout Named(MuJoCoLayout layout, int version) => layout with { Version = version, VersionName = NameOf(version) };

    private static MuJoCoLayout[] Read()
    {
        using var stream = typeof(MuJoCoLayouts).Assembly.GetManifestResourceStream("mujoco/layouts")!;
        return JsonSerializer.Deserialize(stream, MuJoCoLayoutJson.Default.MuJoCoLayoutArray)!;
    }
}
