using NE.Actors.Journal;
using NE.Actors.RunDirectory;
using NE.Actors.Storage;
using NE.Actors.Stores;

namespace NE.Actors.Archives;

/// <summary>Puts what an archive holds among the runs of a folder: all of it or nothing.</summary>
public static class Restoration
{
    private const string LockFile = "restore.lock";

    /// <summary>Extracts into a hidden folder beside the runs, where every byte is verified, and renames from there.</summary>
    /// <param name="archive">Just opened.</param>
    /// <param name="runsFolder">Created when absent.</param>
    /// <param name="name">Another name for the run; null for its own. The runs of a sweep keep theirs.</param>
    /// <returns>The names that the folders have now, those of runs first.</returns>
    /// <exception cref="RunFolderException">A name is taken, cannot be a run's, or another process restores it; nothing was created.</exception>
    /// <exception cref="InvalidDataException">The archive is damaged; nothing is left of it.</exception>
    /// <exception cref="IOException">There is no room, or the disk is failing; nothing is left.</exception>
    public static IReadOnlyList<string> Restore(ArchiveReader archive, string runsFolder, string? name)
    {
        var index = archive.Index;
        if (name is not null && index.IsSweep)
        {
            throw new RunFolderException($"The archive is of the sweep '{index.Name}', whose runs are named after it, so it keeps its name: leave out --name, or give another --runs.");
        }
        if (name?.EndsWith(RunFolder.SweepSuffix, StringComparison.Ordinal) == true)
        {
            throw new RunFolderException($"A run's name does not end with {RunFolder.SweepSuffix}: those are the folders of sweeps. Give another --name.");
        }
        var runs = Path.GetFullPath(runsFolder);
        (string From, string To)[] folders = [.. index.Folders.Select(folder => (folder, name is null ? folder : RunName.Validate(name)))];
        RequireFree(runs, folders.Select(folder => folder.To), index.Bytes);
        var isNew = !Directory.Exists(runs);
        Directory.CreateDirectory(runs);
        var hidden = Path.Combine(runs, $".restoring-{folders[^1].To}");
        Directory.CreateDirectory(hidden);
        using var held = RunLock.Take(Path.Combine(hidden, LockFile), $"The folder {hidden}, to which an archive is restored,");
        try
        {
            // What a restore that was killed has left.
            Directory.GetDirectories(hidden).ToList().ForEach(folder => Directory.Delete(folder, recursive: true));
            archive.Extract(hidden);
            foreach (var run in index.Runs)
            {
                Complete(new RunPaths(Path.Combine(hidden, run.Name)), run);
            }
            Sync(hidden);
            Move(hidden, runs, folders);
            return [.. folders.Select(folder => folder.To)];
        }
        finally
        {
            Directory.Delete(hidden, recursive: true);
            if (isNew && !Directory.EnumerateFileSystemEntries(runs).Any())
            {
                Directory.Delete(runs);
            }
        }
    }

    private static void RequireFree(string runs, IEnumerable<string> names, long bytes)
    {
        if (File.Exists(runs))
        {
            throw new RunFolderException($"Expected a folder for the runs at {runs}, found a file. Give another --runs.");
        }
        foreach (var name in names)
        {
            if (Path.Exists(Path.Combine(runs, name)))
            {
                throw new RunFolderException($"{Path.Combine(runs, name)} is there already, and a restore replaces nothing. Give another --runs, or --name for a single run.");
            }
        }
        if (Hardware.FreeDiskBytes(runs) is var free && free < bytes)
        {
            throw new DiskFullException($"The archive takes {bytes:N0} bytes, and {free:N0} are free at {runs}. Free some space, or give another --runs; nothing was created.");
        }
    }

    /// <summary>The folders that a run expects, and the digest that the archive promised.</summary>
    private static void Complete(RunPaths run, ArchivedRun promised)
    {
        foreach (var folder in new[] { run.Blobs, run.Replay, run.Logs })
        {
            Directory.CreateDirectory(folder);
        }
        string digest;
        try
        {
            digest = CheckpointReader.Digest(run, CheckpointChoice.Last).State;
        }
        catch (RunFolderException error)
        {
            throw new InvalidDataException($"The archive's run '{promised.Name}' cannot be used: {error.Message} Nothing was restored.", error);
        }
        if (digest != promised.Digest)
        {
            throw new InvalidDataException($"The archive's run '{promised.Name}' should have the digest {promised.Digest}, but has {digest}. Nothing was restored.");
        }
        // Reading made an index of a log.
        SqliteRecovery.Recover(run);
    }

    /// <summary>The files themselves were synced as they were written.</summary>
    private static void Sync(string hidden)
    {
        foreach (var folder in Directory.EnumerateDirectories(hidden, "*", SearchOption.AllDirectories))
        {
            DurableFile.SyncFolder(folder);
        }
    }

    /// <summary>A sweep's own folder comes last: it is there when all its runs are. What cannot be finished is taken back.</summary>
    private static void Move(string hidden, string runs, (string From, string To)[] folders)
    {
        var moved = new List<string>();
        try
        {
            foreach (var (from, to) in folders)
            {
                var target = Path.Combine(runs, to);
                Directory.Move(Path.Combine(hidden, from), target);
                moved.Add(target);
            }
            DurableFile.SyncFolder(runs);
        }
        catch
        {
            moved.ForEach(folder => Directory.Delete(folder, recursive: true));
            throw;
        }
    }
}
