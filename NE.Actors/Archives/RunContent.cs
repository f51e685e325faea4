using NE.Actors.Checkpoints;
using NE.Actors.Journal;
using NE.Actors.Replay;
using NE.Actors.RunDirectory;
using NE.Actors.Storage;
using NE.Actors.Stores;
using NE.Actors.Telemetry;

namespace NE.Actors.Archives;

/// <summary>What of a run directory belongs into an archive: everything that a resume or a report reads, and nothing that no checkpoint names.</summary>
/// <param name="Run">The run as the index names it.</param>
/// <param name="Items">Its files.</param>
/// <param name="Notes">What was left out because it is damaged, as sentences.</param>
public sealed record RunContent(ArchivedRun Run, IReadOnlyList<ArchiveItem> Items, IReadOnlyList<string> Notes)
{
    /// <summary>Why a run that was archived without its replay memory has none.</summary>
    private const string LeftOut = "was left out of the archive that it was restored from";

    /// <summary>Reads and verifies the last checkpoint with all that it names, the tables and the journal.</summary>
    /// <param name="folder">Locked, so nothing of it changes meanwhile.</param>
    /// <param name="id">Of the run.</param>
    /// <param name="withReplay">Whether it shall be resumable. A run that gave up its replay memory has none in any case.</param>
    /// <param name="withVideos">Take the folder of the videos too.</param>
    /// <returns>Null for a run that has no checkpoint yet.</returns>
    /// <exception cref="InvalidDataException">The run is damaged; the message says what is.</exception>
    /// <exception cref="IOException">Another program has its databases open.</exception>
    public static RunContent? Of(RunFolder folder, string id, bool withReplay, bool withVideos)
    {
        var run = folder.Paths;
        var dropped = DroppedReplay.Of(run);
        var hasReplay = withReplay && dropped is null;
        try
        {
            SqliteRecovery.RecoverAll(run);
            if (Manifests(run) is not { } manifests)
            {
                return null;
            }
            var newest = Load(run, CheckpointChoice.Last, hasReplay);
            RunTables.Require(run, newest.Files);
            var notes = new List<string>();
            var kept = new List<CheckpointManifest> { newest };
            if (manifests.Count > 1 && Previous(run, hasReplay, notes) is { } previous)
            {
                kept.Add(previous);
            }
            var items = new List<ArchiveItem>();
            items.AddRange(Files(run));
            if (!hasReplay)
            {
                items.Add(Item(run, run.DroppedReplay, (dropped ?? new(LeftOut, DateTimeOffset.UtcNow)).Bytes()));
            }
            items.AddRange(Named(run, kept, hasReplay, notes));
            items.AddRange(ArchiveItem.OfFolder($"{run.Name}/{Path.GetFileName(run.TensorBoard)}", run.TensorBoard));
            // What waits for Seq belongs to this run's next process; the copy would send it a second time.
            items.AddRange(ArchiveItem.OfFolder($"{run.Name}/{Path.GetFileName(run.Logs)}", run.Logs, name => !name.StartsWith("seq-buffer", StringComparison.Ordinal)));
            items.AddRange(withVideos ? ArchiveItem.OfFolder($"{run.Name}/{Path.GetFileName(run.Video)}", run.Video) : []);
            // Reading made an index of a log.
            SqliteRecovery.Recover(run);
            return new(new(run.Name, id, newest.Step, StateDigest.Of(newest).State, hasReplay), items, notes);
        }
        catch (Exception damage) when (damage is DamagedCheckpointException or InvalidDataException)
        {
            throw new InvalidDataException($"The run '{run.Name}' is damaged, so nothing was archived. {damage.Message}", damage);
        }
    }

    /// <summary>Blobs and committed rows that checkpoints name. Once they are written, these bytes never change.</summary>
    /// <param name="run">Whose.</param>
    /// <param name="kept">The checkpoints.</param>
    /// <param name="withReplay">With the rows.</param>
    /// <param name="notes">Is told what is damaged and left out.</param>
    internal static IEnumerable<ArchiveItem> Named(RunPaths run, List<CheckpointManifest> kept, bool withReplay, List<string> notes) =>
        [.. Blobs(run, kept, notes), .. withReplay ? Segments(run, kept) : []];

    /// <summary>The retained checkpoints, newest first; null when there are none.</summary>
    private static IReadOnlyList<CheckpointManifest>? Manifests(RunPaths run)
    {
        if (JournalStore.Of(run) is PostgresStore server)
        {
            throw new RunFolderException($"The journal of the run '{run.Name}' is on a server ({server.Where}), and an archive is one file. Bring it into the run's folder first: ne journal copy {run.Name} --to sqlite");
        }
        using var journal = JournalReader.TryOpen(run);
        if (journal is null)
        {
            return null;
        }
        // Reading every record is what verifies it.
        journal.Events();
        return journal.Manifests() is { Count: > 0 } manifests ? manifests : null;
    }

    private static CheckpointManifest Load(RunPaths run, CheckpointChoice which, bool withReplay) =>
        (withReplay ? CheckpointReader.Load(run, which) : CheckpointReader.LoadWithoutReplay(run, which)).Manifest;

    /// <summary>The checkpoint before the last one; one that is damaged is of no use in the copy either.</summary>
    private static CheckpointManifest? Previous(RunPaths run, bool withReplay, List<string> notes)
    {
        try
        {
            return Load(run, CheckpointChoice.Previous, withReplay);
        }
        catch (DamagedCheckpointException damage)
        {
            notes.Add($"the checkpoint before the last one of '{run.Name}' is damaged and was left out: {damage.File} should have {damage.Expected}, but has {damage.Found}");
            return null;
        }
    }

    /// <summary>The tables, and the notes of what repairs have left of them.</summary>
    internal static IEnumerable<string> Tables(RunPaths run) =>
        new[] { run.Metrics, run.Layers, run.Evaluations, run.Topology, run.Phases, run.Timing }.SelectMany(table => new[] { table, table + RepairedTable.Suffix });

    private static IEnumerable<ArchiveItem> Files(RunPaths run) =>
        new[] { run.RunInfo, run.Configuration, run.ConfigurationDifference, run.Command, run.Actor, run.Journal, run.Snapshots, run.Committed }
        .Concat(Tables(run))
        .Where(File.Exists)
        .Select(file => ArchiveItem.OfFile(Named(run, file), file));

    private static IEnumerable<ArchiveItem> Blobs(RunPaths run, List<CheckpointManifest> manifests, List<string> notes)
    {
        var store = new BlobStore(run.Blobs);
        var names = manifests.SelectMany(manifest => manifest.Components.Values).ToHashSet();
        // The best policy is no part of a checkpoint, so it was not verified with one.
        foreach (var best in manifests.Select(manifest => manifest.Best).OfType<BestCheckpoint>().Where(best => !names.Contains(best.Parameters)).DistinctBy(best => best.Parameters))
        {
            if (store.Damage(best.Parameters) is not { } damage)
            {
                names.Add(best.Parameters);
            }
            else
            {
                notes.Add($"the best policy of '{run.Name}', of step {best.Step:N0}, is damaged and was left out: {damage.File} should have {damage.Expected}, but has {damage.Found}");
            }
        }
        return names.OrderBy(blob => blob.Sha256, StringComparer.Ordinal)
            .Select(blob => (Blob: blob, File: store.PathOf(blob.Sha256)))
            .Select(blob => ArchiveItem.OfFile(Named(run, blob.File), blob.File, blob.Blob.Length, blob.Blob.Sha256));
    }

    /// <summary>
    /// Segments as far as the checkpoints count rows in them. What a file has behind those was reserved, means nothing, and is read by nobody: a
    /// resume maps whole segments alone and copies the rows of the last one into a file of its own.
    /// </summary>
    private static IEnumerable<ArchiveItem> Segments(RunPaths run, List<CheckpointManifest> manifests) => manifests
        .Select(manifest => manifest.Replay)
        .OfType<ReplayManifest>()
        .SelectMany(replay => replay.Segments, (replay, segment) => (Segment: segment, Length: segment.Rows * replay.RowFloats * sizeof(float)))
        .GroupBy(named => named.Segment.File)
        .Select(file => file.MaxBy(named => named.Length))
        .OrderBy(named => named.Segment.File, StringComparer.Ordinal)
        .Select(named => (named.Segment, named.Length, File: Path.Combine(run.Replay, named.Segment.File)))
        .Select(named => ArchiveItem.OfFile(Named(run, named.File), named.File, named.Length, named.Segment.Sha256));

    private static ArchiveItem Item(RunPaths run, string file, byte[] content) => ArchiveItem.OfBytes(Named(run, file), content);

    private static string Named(RunPaths run, string file) => $"{run.Name}/{Path.GetRelativePath(run.Root, file)}";
}
