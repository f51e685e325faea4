using NE.Actors.Archives;
using NE.Actors.Configuration;
using NE.Actors.RunDirectory;
using NE.Shell.Commands;
using NE.Shell.Host;
using NE.Shell.Sweeps.Planning;

namespace NE.Shell.Verbs;

/// <summary>`ne archive`</summary>
internal static class ArchiveVerb
{
    public static ExitCode Archive(ArchiveCommand command, ShellHost host)
    {
        string file = command.File ?? $"{command.Name}.tar.gz";
        // Before gigabytes are read.
        TargetFile.RequireFree(file, ".tar.gz", command.Overwrite);
        var held = new List<IDisposable>();

        try
        {
            bool isSweep = StoredSweep.IsNamed(command.Runs, command.Name);
            string[] names = isSweep ? Cells(command, held) : [command.Name];
            // All locks first: what is at work is said before anything is read.
            RunFolder[] folders = [.. names.Select(name => Open(command.Runs, name, held))];
            RunContent[] runs = [.. folders.Select(folder => Read(folder, command, isSweep, host)).OfType<RunContent>()];

            if (runs.Length == 0)
            {
                throw new UserError($"no run of the sweep '{command.Name}' has a checkpoint yet, so there is nothing to archive");
            }

            IEnumerable<ArchiveItem> sweep = isSweep ? SweepFiles(SweepPaths.Of(command.Runs, command.Name)) : [];
            ArchiveItem[] items = [.. runs.SelectMany(run => run.Items), .. sweep];
            var heading = new ArchiveIndex(
                ArchiveIndex.CurrentFormat, OwnVersion.Text, host.Clock.GetUtcNow(), command.Name, isSweep, [.. runs.Select(run => run.Run)], []);
            Say(ArchiveWriter.Write(file, command.Overwrite, heading, items), file, host);
            return ExitCode.Ok;
        }
        finally
        {
            held.ForEach(each => each.Dispose());
        }
    }

    /// <summary>The cells of a sweep that have a run. The sweep's lock is taken.</summary>
    private static string[] Cells(ArchiveCommand command, List<IDisposable> held)
    {
        var paths = SweepPaths.Of(command.Runs, command.Name);
        held.Add(RunLock.Take(paths.Lock, $"The sweep '{command.Name}'"));
        return [.. StoredSweep.RunsOf(command.Runs, command.Name)];
    }

    private static RunFolder Open(string runs, string name, List<IDisposable> held)
    {
        var folder = RunFolder.Open(runs, name);
        held.Add(folder);
        return folder;
    }

    /// <summary>Null for a cell that has no checkpoint yet: the sweep begins it again.</summary>
    private static RunContent? Read(RunFolder folder, ArchiveCommand command, bool isSweep, ShellHost host)
    {
        RunPaths paths = folder.Paths;
        StoredRunInfo info = StoredRunInfo.Of(paths);

        if (RunContent.Of(folder, info.Info.Id, !command.WithoutReplay, command.Videos) is not { } content)
        {
            return isSweep
                ? Note<RunContent>(host, $"{paths.Name} has no checkpoint yet and was left out; the sweep begins it again")
                : throw new UserError($"the run '{paths.Name}' has no checkpoint yet, so there is nothing to archive; to begin it: ne resume {paths.Name}");
        }

        foreach (string note in content.Notes)
        {
            Note<RunContent>(host, note);
        }

        if (info.Damage is { } damage)
        {
            Note<RunContent>(host, $"{damage.TrimEnd('.')}: archived as it is, a resume makes it anew from the journal");
        }

        if (StoredConfiguration.Read(paths).Damage is { } problem)
        {
            Note<RunContent>(host, $"{paths.Configuration} {problem}: archived as it is, a resume makes it anew from the journal");
        }

        return content;
    }

    private static T? Note<T>(ShellHost host, string text)
        where T : class
    {
        host.Error.WriteLine($"ne: note: {text}");
        return null;
    }

    private static IEnumerable<ArchiveItem> SweepFiles(SweepPaths paths)
    {
        string folder = Path.GetFileName(paths.Root);
        return new[] { paths.Description, paths.Cells, paths.Failures, paths.Decisions }
            .Where(File.Exists)
            .Select(file => ArchiveItem.OfFile($"{folder}/{Path.GetFileName(file)}", file))
            .Concat(ArchiveItem.OfFolder($"{folder}/{Path.GetFileName(paths.Logs)}", paths.Logs));
    }

    private static void Say(ArchiveIndex index, string file, ShellHost host)
    {
        foreach (ArchivedRun run in index.Runs)
        {
            host.Output.WriteLine($"{run.Name} at step {Format.Count(run.Step)}{(run.HasReplay ? "" : ", without its replay memory: it cannot be resumed when it is restored")}");
            host.Output.WriteLine($"  state {run.Digest}");
        }

        host.Output.WriteLine($"{file}: {Format.Bytes(new FileInfo(file).Length)}, {Format.Count(index.Files.Count)} files of {Format.Bytes(index.Bytes)}; to unpack it: ne restore {file}");
    }
}
