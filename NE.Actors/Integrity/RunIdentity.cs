using System.Text;
using NE.Actors.Checkpoints;
using NE.Actors.Journal;
using NE.Actors.RunDirectory;
using NE.Model.Runs;

namespace NE.Actors.Integrity;

/// <summary>
/// All that makes a run the run that it is: the state of its last commit, its history in order, the bytes of its tables. Two runs with the same are the same run, whatever
/// happened to their processes (docs/architecture.md, promise 1); timing.csv and logs tell of processes and clocks.
/// </summary>
/// <param name="State">Of the last commit.</param>
/// <param name="History">Every event of the history, with step and ordinal, as text.</param>
/// <param name="Tables">Bytes by file name; a run that is no cycle has no phases.csv.</param>
public sealed record RunIdentity(StateDigest State, IReadOnlyList<string> History, IReadOnlyDictionary<string, byte[]> Tables)
{
    private static readonly string[] tables = ["metrics.csv", "layers.csv", "eval.csv", "topology.csv", "phases.csv"];

    /// <summary>Of a run at which no process works.</summary>
    /// <exception cref="RunFolderException">It has no commit.</exception>
    /// <exception cref="InvalidDataException">Its journal is damaged.</exception>
    public static RunIdentity Of(RunPaths run)
    {
        using var journal = JournalReader.Open(run);
        return new(
            CheckpointReader.Digest(run, CheckpointChoice.Last),
            [.. journal.Events().Select(stored => stored.Event).Where(RunEvents.isHistory).Select(happened => happened.ToString())],
            tables.Select(table => Path.Combine(run.Root, table)).Where(File.Exists).ToDictionary(file => Path.GetFileName(file), File.ReadAllBytes));
    }

    /// <summary>What differs first, from what is most telling to what is least, as a text for people; null for the same run.</summary>
    /// <param name="other">What it is compared with.</param>
    /// <param name="withTables">Whether the tables have to be the same too.</param>
    public string? FirstDifference(RunIdentity other, bool withTables = true)
    {
        if (this.State.Step != other.State.Step)
        {
            return $"step: {this.State.Step} instead of {other.State.Step}";
        }
        var component = this.State.Components.Keys.Union(other.State.Components.Keys)
            .FirstOrDefault(name => this.State.Components.GetValueOrDefault(name) != other.State.Components.GetValueOrDefault(name));
        return FirstDifference("history event", this.History, other.History) is { } happened ? happened + (component is null ? "" : $"; and component {component}")
            : component is not null ? $"component {component}"
            : withTables ? tables.Select(table => FirstDifference(table, this.Tables.GetValueOrDefault(table), other.Tables.GetValueOrDefault(table))).FirstOrDefault(difference => difference is not null)
            : null;
    }

    private static string? FirstDifference(string table, byte[]? found, byte[]? wanted) =>
        (found ?? []).AsSpan().SequenceEqual(wanted ?? []) ? null
        : FirstDifference($"{table}, line", Lines(found), Lines(wanted), first: 1) ?? $"{table}: other ends of lines";

    private static string[] Lines(byte[]? table) => Encoding.UTF8.GetString(table ?? []).Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private static string? FirstDifference(string what, IReadOnlyList<string> found, IReadOnlyList<string> wanted, int first = 0)
    {
        var at = Enumerable.Range(0, Math.Max(found.Count, wanted.Count)).FirstOrDefault(i => found.ElementAtOrDefault(i) != wanted.ElementAtOrDefault(i), -1);
        return at < 0 ? null : $"{what} {first + at}: {found.ElementAtOrDefault(at) ?? "none"} instead of {wanted.ElementAtOrDefault(at) ?? "none"}".ReplaceLineEndings(" ");
    }
}
