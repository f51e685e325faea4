using System.Security.Cryptography;

namespace NE.Actors.Environments;

/// <summary>What an environment that we do not ship is made of, as sha256 sums by name. It is stored with every saved environment, so that a run
/// is never continued on something else than it began with.</summary>
public sealed record EnvironmentFingerprint
{
    /// <summary>The part that is another one with every version of MuJoCo.</summary>
    public const string CompiledModel = "its compiled model";

    private EnvironmentFingerprint(string text) => this.Text = text;

    /// <summary>One line per part: the sum, a space, the part's name.</summary>
    public string Text { get; }

    /// <summary>The text of another fingerprint whose runs may be continued on this environment; null for none.</summary>
    public string? Equivalent { get; init; }

    /// <summary>What it is equivalent to is no part of what it is.</summary>
    public bool Equals(EnvironmentFingerprint? other) => other is not null && other.Text == this.Text;

    public override int GetHashCode() => this.Text.GetHashCode(StringComparison.Ordinal);

    public static EnvironmentFingerprint Of(params (string Part, byte[] Bytes)[] parts) =>
        new(string.Join('\n', parts.Select(part => $"{Convert.ToHexStringLower(SHA256.HashData(part.Bytes))} {part.Part}")));

    /// <summary>Reads what `Text` was.</summary>
    public static EnvironmentFingerprint OfText(string text) => new(text);

    /// <summary>Throws EnvironmentUnusableException that says which parts differ when this is not what was stored.</summary>
    /// <param name="environment">The environment's id.</param>
    /// <param name="stored">What the run began with.</param>
    /// <param name="found">What is there now; null for an environment without a fingerprint.</param>
    /// <param name="onOtherMuJoCo">The compiled model may be another one, as it is with another version of MuJoCo.</param>
    public static void Require(string environment, EnvironmentFingerprint? stored, EnvironmentFingerprint? found, bool onOtherMuJoCo = false)
    {
        if (stored == found || (stored is not null && stored.Text == found?.Equivalent))
        {
            return;
        }

        var (before, now) = (Parts(stored), Parts(found));
        string[] changed =
        [
            .. before.Keys.Union(now.Keys).Where(part =>
                before.GetValueOrDefault(part) != now.GetValueOrDefault(part)
                && !(onOtherMuJoCo && part == CompiledModel && before.ContainsKey(part) && now.ContainsKey(part))),
        ];
        if (changed.Length == 0)
        {
            return;
        }

        var described = changed.Select(part => $"{part} (was {Short(before.GetValueOrDefault(part))}, is {Short(now.GetValueOrDefault(part))})");
        var library = changed.Contains(CompiledModel) ? " (another version of MuJoCo compiles another one)" : "";
        throw new EnvironmentUnusableException(
            $"The environment {environment} is not the one that this run began with; changed since: {string.Join(", ", described)}{library}. "
            + "Restore what the run began with to continue it, or start a new run.");
    }

    private static Dictionary<string, string> Parts(EnvironmentFingerprint? fingerprint) =>
        (fingerprint?.Text.Split('\n') ?? []).ToDictionary(line => line[(line.IndexOf(' ') + 1)..], line => line[..line.IndexOf(' ')]);

    private static string Short(string? sum) => sum is null ? "not there" : $"sha256 {sum[..12]}...";
}
