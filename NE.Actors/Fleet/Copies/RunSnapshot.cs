using Microsoft.Data.Sqlite;
using NE.Actors.Archives;
using NE.Actors.Checkpoints;
using NE.Actors.Integrity;
using NE.Actors.Journal;
using NE.Actors.RunDirectory;
using NE.Actors.Storage;

namespace NE.Actors.Fleet.Copies;

/// <summary>A run of this machine as it was at its newest commit, whatever its process does meanwhile: the journal is copied, and what its checkpoints
/// name is held by second names. Those bytes do not change, though files may grow behind them.</summary>
internal sealed class RunSnapshot : IDisposable
{
    private readonly RunPaths place;

    private RunSnapshot(RunPaths place, CopyManifest manifest) => (this.place, this.Manifest) = (place, manifest);

    public CopyManifest Manifest { get; }

    /// <param name="run">Whose journal is in its own directory.</param>
    /// <param name="folder">On the same disk; what is there of an earlier snapshot goes.</param>
    /// <param name="hashes">Of earlier ones.</param>
    /// <returns>Null before the first commit.</returns>
    /// <exception cref="IOException">It cannot be taken now; later it may.</exception>
    public static RunSnapshot? Take(RunPaths run, string folder, PieceHashes hashes)
    {
        var place = new RunPaths(Path.Combine(folder, run.Name));
        Delete(place.Root);
        Directory.CreateDirectory(place.Root);
        if (!File.Exists(run.Journal))
        {
            return Nothing(run);
        }
        // Snapshots first: what one knows of is then in the journal.
        Copy(run.Snapshots, place.Snapshots);
        Copy(run.Journal, place.Journal);
        if (File.Exists(run.RunInfo))
        {
            File.Copy(run.RunInfo, place.RunInfo);
        }
        List<CheckpointManifest> kept;
        using (var journal = JournalReader.Open(place))
        {
            kept = [.. journal.Manifests()];
        }
        if (kept.Count == 0)
        {
            return Nothing(run);
        }
        var newest = kept[0];
        var files = new List<CopiedFile>();
        void add(string file, long length)
        {
            var path = Path.GetRelativePath(run.Root, file).Replace(Path.DirectorySeparatorChar, '/');
            var held = Path.Combine(place.Root, path);
            if (!File.Exists(held))
            {
                Directory.CreateDirectory(Path.GetDirectoryName(held)!);
                Posix.Link(file, held);
            }
            files.Add(hashes.Of(path, held, length));
        }
        void addWhole(string file)
        {
            if (new FileInfo(file) is { Exists: true, Length: var length })
            {
                add(file, length);
            }
        }
        // What the checkpoint before the last one alone names may have been deleted by a commit that came meanwhile.
        foreach (var item in RunContent.Named(run, [newest], withReplay: DroppedReplay.Of(run) is null, []))
        {
            add(Path.Combine(run.RunsFolder, item.Path), item.Length);
        }
        // Tables and logs with what they have behind the commit, which a resume cuts off: at the run's end nothing is missing.
        foreach (var file in (string[])
        [
            .. RunContent.Tables(run), run.Events, run.Log, run.Configuration, run.ConfigurationDifference, run.Command, run.Actor, run.DroppedReplay,
        ])
        {
            addWhole(file);
        }
        foreach (var file in new[] { place.Snapshots, place.Journal, place.RunInfo })
        {
            if (File.Exists(file))
            {
                files.Add(hashes.Of(Path.GetFileName(file), file, new FileInfo(file).Length));
            }
        }
        // Behind the journal, which it speaks of.
        addWhole(run.Committed);
        var manifest = new CopyManifest(newest.Step, files);
        hashes.Keep(manifest);
        return new RunSnapshot(place, manifest);
    }

    /// <exception cref="IOException">There was a commit, and the journal that had it is lost.</exception>
    private static RunSnapshot? Nothing(RunPaths run) => RunExamination.LostJournal(run, []) is { } lost ? throw new IOException(lost) : null;

    /// <summary>A piece of a file; empty where there is none, or it cannot be read.</summary>
    public byte[] Read(int file, int piece)
    {
        if (file < 0 || file >= this.Manifest.Files.Count || this.Manifest.Files[file] is var named && (piece < 0 || piece >= named.Pieces.Count))
        {
            return [];
        }
        try
        {
            var path = Path.Combine(this.place.Root, named.Path);
            var bytes = new byte[CopyManifest.LengthOf(named, piece)];
            using var handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            PieceHashes.Read(handle, path, bytes, (long)piece * CopyManifest.PieceBytes);
            return bytes;
        }
        catch (IOException)
        {
            return [];
        }
    }

    public void Dispose() => Delete(this.place.Root);

    internal static void Delete(string folder)
    {
        try
        {
            Directory.Delete(folder, recursive: true);
        }
        catch (DirectoryNotFoundException)
        {
        }
    }

    /// <summary>A database as its last transaction left it, as one file.</summary>
    private static void Copy(string database, string copy)
    {
        if (!File.Exists(database))
        {
            return;
        }
        try
        {
            using var from = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = database, Mode = SqliteOpenMode.ReadOnly, Pooling = false }.ToString());
            using var to = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = copy, Pooling = false }.ToString());
            from.Open();
            to.Open();
            from.BackupDatabase(to);
            using var command = to.CreateCommand();
            command.CommandText = "PRAGMA journal_mode=DELETE";
            command.ExecuteScalar();
        }
        catch (SqliteException problem)
        {
            throw new IOException($"{database} cannot be copied now: {problem.Message}", problem);
        }
    }
}
