using System.Text.Json;
using NE.Actors.Checkpoints;
using NE.Actors.Integrity;
using NE.Actors.Journal;
using NE.Actors.RunDirectory;
using NE.Actors.Storage;
using NE.Shell.Commands;
using NE.Shell.Host;

namespace NE.Shell.Verbs;

/// <summary>`ne digest`</summary>
internal static class DigestVerb
{
    private const int Attempts = 5;

    public static ExitCode Digest(DigestCommand command, ShellHost host)
    {
        RunPaths paths = RunFolder.Find(command.Runs, command.Name);
        StateDigest digest = Verified(paths, command.Of);

        if (DroppedReplay.Of(paths) is { } dropped)
        {
            host.Error.WriteLine($"ne: note: its replay memory {dropped.Why}; the digest of 'replay' is what the checkpoint says of it");
        }

        if (command.Json)
        {
            host.Output.WriteLine(JsonSerializer.Serialize(digest, Json.Options));
            return ExitCode.Ok;
        }

        Spectre.Console.Table table = Tables.Create("", "");
        table.Add("step", Format.Count(digest.Step));
        table.Add("state", digest.State);

        foreach ((string name, string sha) in digest.Components)
        {
            table.Add(name, sha);
        }

        Tables.Write(host, table);
        return ExitCode.Ok;
    }

    /// <summary>Whether two runs are the same run. What their checkpoints name is read by <see cref="Digest"/> and `ne verify`.</summary>
    public static ExitCode Compare(CompareDigestCommand command, ShellHost host)
    {
        RunIdentity run = At(command.Name), other = At(command.Other);
        string? difference = run.FirstDifference(other);

        if (command.Json)
        {
            host.Output.WriteLine(JsonSerializer.Serialize(new { command.Name, command.Other, same = difference is null, difference }, Json.Options));
        }
        else
        {
            host.Output.WriteLine(
                difference is null
                    ? $"'{command.Name}' and '{command.Other}' are the same run: step {Format.Count(run.State.Step)}, {Format.Counted(run.History.Count, "event")}, {Format.Counted(run.Tables.Count, "table")}, state {run.State.State}"
                    : $"'{command.Name}' and '{command.Other}' are not the same run. First difference: {difference}");
        }

        return difference is null ? ExitCode.Ok : ExitCode.Failed;

        RunIdentity At(string name)
        {
            RunPaths paths = RunFolder.Find(command.Runs, name);
            return RunLock.Holder(paths) is { } holder
                ? throw new UserError($"process {holder.ProcessId} of {holder.Host} works on '{name}', so that it changes while it is compared; compare it when it has ended")
                : RunIdentity.Of(paths);
        }
    }

    /// <summary>The digest of a checkpoint after every byte of it that is there was read and compared.</summary>
    private static StateDigest Verified(RunPaths paths, CheckpointChoice choice)
    {
        for (int attempt = 1; ; attempt++)
        {
            StateDigest named = CheckpointReader.Digest(paths, choice);

            try
            {
                return StateDigest.Of(Load(paths, choice).Manifest);
            }
            // A run that works on may have committed twice meanwhile and let these files go.
            catch (DamagedCheckpointException) when (attempt < Attempts && CheckpointReader.Digest(paths, choice).State != named.State)
            {
            }
        }
    }

    private static LoadedCheckpoint Load(RunPaths paths, CheckpointChoice choice) =>
        DroppedReplay.Of(paths) is null ? CheckpointReader.Load(paths, choice) : CheckpointReader.LoadWithoutReplay(paths, choice);
}
