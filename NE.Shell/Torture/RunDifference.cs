using NE.Actors.Checkpoints;
using NE.Actors.Journal;
using NE.Actors.RunDirectory;
using NE.Model.Runs;

namespace NE.Shell.Torture;

/// <summary>Whether two runs are the same run, as docs/architecture.md promises it: state digest, ordered history, tables.</summary>
internal static class RunDifference
{
    private static readonly string[] Tables = ["metrics.csv", "layers.csv", "eval.csv", "topology.csv", "phases.csv"];

    /// <summary>The first difference, from what is most telling to what is least; null when there is none.</summary>
    /// <param name="found">The run that was attacked.</param>
    /// <param name="expected">The run that was left alone.</param>
    /// <param name="tables">Whether the tables have to be equal too.</param>
    public static string? First(RunPaths found, RunPaths expected, bool tables = true)
    {
        StateDigest state = CheckpointReader.Digest(found, CheckpointChoice.Last), wanted = CheckpointReader.Digest(expected, CheckpointChoice.Last);

        if (state.Step != wanted.Step)
        {
            return $"step: {state.Step} instead of {wanted.Step}";
        }

        if (wanted.Components.FirstOrDefault(component => state.Components.GetValueOrDefault(component.Key) != component.Value) is { Key: { } component })
        {
            return $"component {component}";
        }

        string[] history = History(found), wantedHistory = History(expected);
        int at = Enumerable.Range(0, Math.Max(history.Length, wantedHistory.Length)).FirstOrDefault(i => history.ElementAtOrDefault(i) != wantedHistory.ElementAtOrDefault(i), -1);

        if (at >= 0)
        {
            return $"history event {at}: {history.ElementAtOrDefault(at) ?? "none"} instead of {wantedHistory.ElementAtOrDefault(at) ?? "none"}".ReplaceLineEndings(" ");
        }

        return tables ? Tables.FirstOrDefault(table => !Read(found, table).AsSpan().SequenceEqual(Read(expected, table))) : null;
    }

    private static string[] History(RunPaths run)
    {
        using JournalReader journal = JournalReader.Open(run);
        return [.. journal.Events().Select(stored => stored.Event).Where(RunEvents.isHistory).Select(happened => happened.ToString()!)];
    }

    private static byte[] Read(RunPaths run, string table) => Path.Combine(run.Root, table) is var path && File.Exists(path) ? File.ReadAllBytes(path) : [];
}
