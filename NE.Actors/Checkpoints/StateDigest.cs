using System.Globalization;
using System.Text;
using NE.Actors.Replay;
using NE.Actors.Storage;

namespace NE.Actors.Checkpoints;

/// <summary>What `ne digest` prints: two runs are in the same state exactly when <see cref="State"/> is the same.</summary>
/// <param name="Step">Environment steps.</param>
/// <param name="State">SHA-256 over the step and the components' digests in name order.</param>
/// <param name="Components">SHA-256 of each component's content; "replay" covers the window's bounds and rows.</param>
public sealed record StateDigest(long Step, string State, IReadOnlyDictionary<string, string> Components)
{
    const string ReplayName = "replay";

    public static StateDigest Of(CheckpointManifest manifest)
    {
        var components = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, component) in manifest.Components)
        {
            components[name] = component.Sha256;
        }
        if (manifest.Replay is { } replay)
        {
            components[ReplayName] = OfReplay(replay);
        }
        var text = new StringBuilder(Line("step", manifest.Step));
        foreach (var (name, sha) in components)
        {
            text.Append(Line(name, sha));
        }
        return new(manifest.Step, Hash(text), components);
    }

    /// <summary>Covers the rows, not where they lie: file names and epochs differ between a run that was resumed and one that was not.</summary>
    public static string OfReplay(ReplayManifest replay)
    {
        var text = new StringBuilder(Line("first", replay.First)).Append(Line("head", replay.Head));
        foreach (var segment in replay.Segments.OrderBy(s => s.Index))
        {
            text.Append(Line(segment.Index.ToString(CultureInfo.InvariantCulture), segment.Sha256));
        }
        return Hash(text);
    }

    private static string Line(string name, object value) => string.Create(CultureInfo.InvariantCulture, $"{name}={value}\n");

    private static string Hash(StringBuilder text) => DurableFile.Sha256(Encoding.UTF8.GetBytes(text.ToString()));
}
