using NE.Actors.Checkpoints;
using NE.Actors.Journal;
using NE.Actors.RunDirectory;
using NE.Actors.Storage;
using NE.Actors.Telemetry;

namespace NE.Actors.Integrity;

/// <summary>Does about damage what can be done, and never touches what is whole. For whoever holds the run's lock.</summary>
public static class RunRepair
{
    /// <summary>
    /// Makes anew what something else has the content of: snapshots, and tables that the journal tells. What nothing else has and no checkpoint needs is said.
    /// </summary>
    /// <returns>A sentence for each file.</returns>
    public static IReadOnlyList<string> MakeAnew(RunPaths run)
    {
        using var journal = JournalReader.TryOpen(run);
        if (journal is null)
        {
            return [];
        }
        var said = new List<string>();
        if (SnapshotFile.Problem(run, journal) is { } problem)
        {
            SnapshotFile.PutAway(run);
            said.Add($"{run.Snapshots}: {problem.TrimEnd('.')}; it is made anew from the journal. The file as it was is snapshots.db.damaged");
        }
        said.AddRange(PutBack(run, journal));
        if (journal.Manifests() is [{ Best: { } best }, ..] && new BlobStore(run.Blobs) is var blobs && blobs.Damage(best.Parameters) is not null)
        {
            said.Add($"{blobs.PathOf(best.Parameters.Sha256)} is not what was written; it was the best policy, of step {best.Step:N0}, and the run goes on without it");
        }
        foreach (var (path, committed, _, _) in DamagedTables(run, journal))
        {
            if (TableHistory.MakeAnew(run, path, committed, dry: false))
            {
                said.Add($"{path} was not what was written; it is made anew from the journal, byte for byte");
            }
        }
        return said;
    }

    /// <summary>A blob is named by its content, so what lies under a wrong name is known for what it is.</summary>
    private static List<string> PutBack(RunPaths run, JournalReader journal)
    {
        var said = new List<string>();
        var blobs = new BlobStore(run.Blobs);
        var damaged = journal.Manifests().SelectMany(manifest => manifest.Blobs).Distinct().Where(blob => blobs.Damage(blob) is not null).ToList();
        if (damaged.Count == 0)
        {
            return said;
        }
        // Read before any is written: two may have changed places.
        var found = Directory.EnumerateFiles(run.Blobs).Select(File.ReadAllBytes).GroupBy(bytes => DurableFile.Sha256(bytes)).ToDictionary(same => same.Key, same => same.First());
        foreach (var blob in damaged.Where(blob => found.ContainsKey(blob.Sha256)))
        {
            blobs.Put(found[blob.Sha256]);
            said.Add($"{blobs.PathOf(blob.Sha256)} was not what its name says; its content lay under another name and is put back");
        }
        return said;
    }

    /// <summary>Goes on without what is lost of tables that cannot be made anew; the state of the run has none of it.</summary>
    /// <returns>A sentence for each file.</returns>
    public static IReadOnlyList<string> Cut(RunPaths run)
    {
        using var journal = JournalReader.TryOpen(run);
        return journal is null
            ? []
            : [.. DamagedTables(run, journal).Select(table => $"{table.Path}: {TableRepair.Cut(table.Path, table.Marks, table.Retained)}")];
    }

    private static IReadOnlyList<DamagedTable> DamagedTables(RunPaths run, JournalReader journal)
    {
        var manifests = journal.Manifests();
        return manifests is not [var newest, ..]
            ? []
            : [.. from file in newest.Files
                  where Path.GetExtension(file.Key) == ".csv"
                  let path = Path.Combine(run.Root, file.Key)
                  where !RunExamination.IsWhole(path, RepairedTable.Of(path, file.Value))
                  orderby file.Key
                  let retained = manifests.Select(manifest => manifest.Files.GetValueOrDefault(file.Key)).OfType<FileMark>().Distinct()
                  select new DamagedTable(path, file.Value, [.. retained], RunExamination.MarksOf(journal, file.Key))];
    }

    /// <param name="Path">The table.</param>
    /// <param name="Committed">What the newest commit names of it.</param>
    /// <param name="Retained">What the retained commits name.</param>
    /// <param name="Marks">What all commits named, oldest first.</param>
    private sealed record DamagedTable(string Path, FileMark Committed, IReadOnlyList<FileMark> Retained, IReadOnlyList<FileMark> Marks);
}
