using NE.Actors.Integrity;
using NE.Actors.Journal;
using NE.Actors.RunDirectory;
using NE.Shell.Commands;
using NE.Shell.Configuration;
using NE.Shell.Host;
using NE.Shell.RunFiles;

namespace NE.Shell.Verbs;

/// <summary>`ne repair`, and the part of it that every resume does.</summary>
internal static class RepairVerb
{
    public static ExitCode Repair(RepairCommand command, ShellHost host)
    {
        using RunFolder folder = RunFolder.Open(command.Runs, command.Name);
        SqliteRecovery.Recover(folder.Paths);
        string[] done =
        [
            .. MakeAnew(folder.Paths, StoredRunInfo.Of(folder.Paths), StoredConfiguration.Read(folder.Paths), writeInfo: true),
            .. RunRepair.Cut(folder.Paths),
        ];
        Array.ForEach(done, host.Output.WriteLine);
        Examination left = RunExamination.Examine(folder.Paths, deep: true);

        foreach (Finding finding in left.Findings)
        {
            host.Output.WriteLine($"cannot be repaired: {finding.File}{(finding.Place.Length > 0 ? $", {finding.Place}" : "")}: {finding.Problem}");
        }

        if (done.Length == 0 && left.Findings.Count == 0)
        {
            host.Output.WriteLine($"{command.Name} is whole; nothing was touched");
        }

        ExaminedCheckpoint[] resumable = [.. left.Checkpoints.Where(checkpoint => checkpoint.IsResumable)];
        host.Output.WriteLine(resumable is []
            ? $"{command.Name} has no checkpoint that can be resumed"
            : $"go on from step {Format.Count(resumable[0].Step)} with: ne resume {command.Name}{(resumable[0] == left.Checkpoints[0] ? "" : " --checkpoint previous")}");
        return left.Findings.Count == 0 ? ExitCode.Ok : ExitCode.Failed;
    }

    /// <summary>Makes anew what other files of the run know as well. The caller holds the run's lock.</summary>
    /// <param name="run">The run.</param>
    /// <param name="info">run.json as it was found.</param>
    /// <param name="configuration">config.yaml as it was found.</param>
    /// <param name="writeInfo">Write run.json too; a run that goes on does that itself.</param>
    /// <returns>What was done, a sentence for each file.</returns>
    public static IEnumerable<string> MakeAnew(RunPaths run, StoredRunInfo info, StoredConfiguration configuration, bool writeInfo)
    {
        if (info.Damage is { } damage)
        {
            if (writeInfo)
            {
                info.Info.Write(run.RunInfo);
            }

            yield return $"{damage.TrimEnd('.')}: it is made anew from the journal";
        }

        if (configuration.Damage is { } problem)
        {
            string kept = configuration.Restore(run) is { } file ? $"; what was found is {Path.GetFileName(file)}" : "";
            yield return $"{run.Configuration} {problem}. It is made anew from the journal{kept}. To change a key: ne resume {run.Name} key=value";
        }

        foreach (string made in RunRepair.MakeAnew(run))
        {
            yield return made;
        }
    }
}
