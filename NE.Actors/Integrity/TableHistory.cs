using System.Globalization;
using NE.Actors.Journal;
using NE.Actors.RunDirectory;
using NE.Actors.Storage;
using NE.Actors.Telemetry;
using NE.Model;

namespace NE.Actors.Integrity;

/// <summary>Tables that the journal can tell again: eval.csv, topology.csv and phases.csv.</summary>
internal static class TableHistory
{
    /// <summary>Makes a table anew beside the damaged one and puts it in its place, if it has exactly the bytes that the commit names.</summary>
    /// <param name="run">The run.</param>
    /// <param name="path">The damaged table.</param>
    /// <param name="committed">What the commit names.</param>
    /// <param name="dry">Only tells whether it can be done.</param>
    /// <returns>False when the journal does not have it, or is damaged itself.</returns>
    internal static bool MakeAnew(RunPaths run, string path, FileMark committed, bool dry)
    {
        if (Rows(run, path) is not { } rows || committed.Sha256 is null)
        {
            return false;
        }
        // Beside a process that really makes it anew, a look has a file of its own.
        var made = $"{path}{(dry ? $".{Guid.NewGuid():N}" : "")}{DurableFile.TemporarySuffix}";
        try
        {
            File.Delete(made);
            using (var table = new CsvFile(made, FileMark.Nothing))
            {
                // Rows behind the commit may be in the journal's next commit, never the other way round.
                using var row = rows.GetEnumerator();
                while (table.Mark.Length < committed.Length && row.MoveNext())
                {
                    table.Append(row.Current);
                }
                if (table.Mark != committed)
                {
                    return false;
                }
                table.Flush();
            }
            if (!dry)
            {
                DurableFile.SyncIfPresent(made);
                File.Move(made, path, overwrite: true);
                RepairedTable.Forget(path);
                DurableFile.SyncFolder(run.Root);
            }
            return true;
        }
        catch (Exception error) when (error is InvalidDataException or InvalidOperationException)
        {
            return false;
        }
        finally
        {
            File.Delete(made);
        }
    }

    private static IEnumerable<(string, object)[]>? Rows(RunPaths run, string path) =>
        path == run.Evaluations ? Evaluations(path, Events(run))
        : path == run.Topology ? Events(run).OfType<History.RunEvent.TopologyChanged>().SelectMany(e => HistoryRows.Of(e.Item2))
        : path == run.Phases ? Events(run).OfType<History.RunEvent.PhaseStarted>().Select(e => HistoryRows.Of(e.Item2))
        : null;

    private static List<History.RunEvent> Events(RunPaths run)
    {
        using var journal = JournalReader.Open(run);
        return [.. journal.Events().Select(stored => stored.Event)];
    }

    /// <summary>
    /// What the journal does not have of eval.csv, as far as the damaged file still says it: steps upside down, behind the returns of the
    /// evaluation of the step.
    /// </summary>
    private static IEnumerable<(string, object)[]> Evaluations(string path, List<History.RunEvent> events)
    {
        var lines = File.Exists(path) ? File.ReadLines(path).Select(line => line.Split(',')).ToLookup(fields => fields[0]) : null;
        foreach (var evaluation in events.OfType<History.RunEvent.EvaluationEnded>().Select(e => e.Item2))
        {
            var without = HistoryRows.Of(evaluation, []);
            var line = lines?[evaluation.Step.ToString(CultureInfo.InvariantCulture)].FirstOrDefault() ?? [];
            var inverted = line.Skip(without.Length).Select(field => int.TryParse(field, CultureInfo.InvariantCulture, out var steps) ? steps : 0).ToArray();
            yield return inverted.Length == evaluation.Returns.Length ? HistoryRows.Of(evaluation, inverted) : without;
        }
    }
}
