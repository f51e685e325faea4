using NE.Actors.Archives;
using NE.Shell.Commands;
using NE.Shell.Host;

namespace NE.Shell.Verbs;

/// <summary>`ne restore`</summary>
internal static class RestoreVerb
{
    public static ExitCode Restore(RestoreCommand command, ShellHost host)
    {
        if (!File.Exists(command.File))
        {
            throw new UserError(Directory.Exists(command.File) ? $"{command.File} is a folder; name an archive in it" : $"there is no file {command.File}");
        }

        using var archive = ArchiveReader.Open(command.File);
        IReadOnlyList<string> folders = Restoration.Restore(archive, command.Runs, command.Name);
        string elsewhere = command.Runs == host.DefaultRuns ? "" : $" --runs {command.Runs}";

        foreach ((ArchivedRun run, string name) in archive.Index.Runs.Zip(folders))
        {
            host.Output.WriteLine($"{name} is restored at step {Format.Count(run.Step)}");
            host.Output.WriteLine($"  state {run.Digest}");
            host.Output.WriteLine(run.HasReplay
                ? $"  go on with: ne resume {name}{elsewhere}"
                : "  it has no replay memory: it can be evaluated, recorded and reported, and not be resumed");
        }

        if (archive.Index.IsSweep)
        {
            host.Output.WriteLine($"the sweep {archive.Index.Name} is restored; go on with: ne sweep --resume {archive.Index.Name}{elsewhere}");
        }

        return ExitCode.Ok;
    }
}
