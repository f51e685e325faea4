namespace NE.Actors.RunDirectory;

/// <summary>A run directory that this process may work on: it holds the lock until disposed.</summary>
public sealed class RunFolder : IDisposable
{
    /// <summary>Ends the names of the folders of sweeps, which lie beside the runs.</summary>
    public const string SweepSuffix = ".sweep";

    readonly RunLock held;

    private RunFolder(RunPaths paths, RunLock held) => (this.Paths, this.held) = (paths, held);

    public RunPaths Paths { get; }

    /// <summary>A new, empty run directory.</summary>
    /// <param name="runsFolder">Created when absent.</param>
    /// <param name="name">Letters, digits, '.', '-', '_'.</param>
    /// <param name="overwrite">Delete a run of that name first, unless a process works on it.</param>
    /// <exception cref="RunFolderException">The name is bad or taken; nothing was created.</exception>
    public static RunFolder Create(string runsFolder, string name, bool overwrite = false)
    {
        var paths = RunPaths.Of(runsFolder, name);
        if (File.Exists(paths.RunsFolder))
        {
            throw new RunFolderException($"Expected a folder for the runs at {paths.RunsFolder}, found a file. Give another --runs.");
        }
        if (File.Exists(paths.Root))
        {
            throw new RunFolderException($"Expected {paths.Root} to be free for a run directory, found a file of that name. Give another --name.");
        }
        if (name.EndsWith(SweepSuffix, StringComparison.Ordinal))
        {
            throw new RunFolderException($"A run's name does not end with {SweepSuffix}: those are the folders of sweeps. Give another --name.");
        }
        if (IsTaken(paths))
        {
            if (!IsRun(paths) && !File.Exists(paths.Lock))
            {
                throw new RunFolderException($"{paths.Root} is not a run directory (it has neither run.json nor a journal), so it is not touched. Give another --name.");
            }
            RequireFree(paths, overwrite);
        }
        Directory.CreateDirectory(paths.Root);
        var held = RunLock.Take(paths);
        try
        {
            // Another process may have made it, and ended, since we looked.
            RequireFree(paths, overwrite);
            foreach (var entry in new DirectoryInfo(paths.Root).EnumerateFileSystemInfos().Where(e => e.FullName != paths.Lock))
            {
                Delete(entry);
            }
            foreach (var folder in new[] { paths.Blobs, paths.Replay, paths.Logs })
            {
                Directory.CreateDirectory(folder);
            }
            Storage.DurableFile.SyncFolder(paths.Root);
            Storage.DurableFile.SyncFolder(paths.RunsFolder);
            return new RunFolder(paths, held);
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    /// <summary>An existing run directory, to go on with it.</summary>
    /// <exception cref="RunFolderException">There is no such run, or another process works on it.</exception>
    public static RunFolder Open(string runsFolder, string name)
    {
        var paths = Find(runsFolder, name);
        return new RunFolder(paths, RunLock.Take(paths));
    }

    /// <summary>The paths of an existing run, to look at it; other processes may be working on it.</summary>
    /// <exception cref="RunFolderException">There is no such run; the message lists those that there are.</exception>
    public static RunPaths Find(string runsFolder, string name)
    {
        var paths = RunPaths.Of(runsFolder, name);
        if (IsRun(paths))
        {
            return paths;
        }
        var known = List(runsFolder);
        var near = NE.Model.Nearest.ranked(1, name, known);
        throw new RunFolderException(
            $"There is no run '{name}' in {paths.RunsFolder}{(near.IsEmpty ? "." : $"; did you mean '{near.Head}'?")} "
            + (known.Count == 0 ? "There are no runs yet." : $"There is: {string.Join(", ", known)}."));
    }

    /// <summary>Names of the runs in a folder, damaged ones among them, in alphabetical order.</summary>
    public static IReadOnlyList<string> List(string runsFolder) => Directory.Exists(runsFolder)
        ? [.. Directory.EnumerateDirectories(runsFolder).Select(d => Path.GetFileName(d)).Where(d => RunName.IsValid(d) && IsRun(RunPaths.Of(runsFolder, d))).Order(StringComparer.Ordinal)]
        : [];

    public void Dispose() => this.held.Dispose();

    private static void RequireFree(RunPaths paths, bool overwrite)
    {
        if (!overwrite && IsTaken(paths))
        {
            throw new RunFolderException(
                $"The run '{paths.Name}' exists already. Choose: `ne resume {paths.Name}` to go on with it, `--name OTHER` for a new run beside it, or `--overwrite` to delete it.");
        }
    }

    private static bool IsRun(RunPaths paths) => File.Exists(paths.RunInfo) || File.Exists(paths.Journal);

    /// <summary>A folder that a start left when it was killed before it had described its run holds nothing and is free.</summary>
    private static bool IsTaken(RunPaths paths)
    {
        HashSet<string> left =
        [
            paths.Lock, paths.Blobs, paths.Replay, paths.Logs, paths.Configuration, paths.ConfigurationDifference, paths.Command, paths.Actor,
            .. new[] { paths.Configuration, paths.RunInfo, paths.Actor }.Select(file => file + Storage.DurableFile.TemporarySuffix),
        ];
        return Directory.Exists(paths.Root)
            && Directory.EnumerateFileSystemEntries(paths.Root).Any(entry => !File.Exists(paths.Lock) || !left.Contains(entry));
    }

    private static void Delete(FileSystemInfo entry)
    {
        if (entry is DirectoryInfo { LinkTarget: null } folder)
        {
            folder.Delete(recursive: true);
        }
        else
        {
            entry.Delete();
        }
    }
}
