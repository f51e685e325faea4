using NE.Actors.Configuration;
using NE.Actors.Hosting;
using NE.Actors.Integrity;
using NE.Actors.RunDirectory;
using NE.Actors.Stores;
using NE.Shell.Commands;
using NE.Shell.Host;

namespace NE.Shell.Verbs;

/// <summary>`ne repair`</summary>
internal static class RepairVerb
{
    public static ExitCode Repair(RepairCommand command, ShellHost host)
    {
        using RunFolder folder = RunFolder.Open(command.Runs, command.Name);
        SqliteRecovery.Recover(folder.Paths);
        string[] done =
        [
            .. RunMending.MakeAnew(folder.Paths, StoredRunInfo.Of(folder.Paths), StoredConfiguration.Read(folder.Paths), writeInfo: true),
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
}
