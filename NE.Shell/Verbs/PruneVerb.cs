using NE.Actors.Archives;
using NE.Actors.Configuration;
using NE.Actors.Journal;
using NE.Actors.RunDirectory;
using NE.Actors.Stores;
using NE.Shell.Commands;
using NE.Shell.Host;
using NE.Shell.Reports;
using NE.Shell.Sweeps.Planning;

namespace NE.Shell.Verbs;

/// <summary>`ne prune`</summary>
internal static class PruneVerb
{
    public static ExitCode Prune(PruneCommand command, ShellHost host)
    {
        var outcome = new Outcome();
        string[] names = command.Names.Count == 0 ? [.. RunFolder.List(command.Runs)] : [.. command.Names.SelectMany(name => StoredSweep.RunsOf(command.Runs, name)).Distinct()];

        foreach (string name in names)
        {
            try
            {
                Look(RunFolder.Find(command.Runs, name), command, outcome, host);
            }
            catch (Exception problem) when (problem is UserError || Failures.IsUserError(problem) || Failures.IsExpected(problem))
            {
                host.Error.WriteLine($"ne: {name} was left alone: {problem.Message}");
                outcome.Failed++;
            }
        }

        Say(outcome, command, host);
        return outcome.Failed == 0 ? ExitCode.Ok : ExitCode.Failed;
    }

    private static void Look(RunPaths paths, PruneCommand command, Outcome outcome, ShellHost host)
    {
        if (RunLock.Holder(paths) is not null)
        {
            outcome.AtWork++;
            return;
        }

        using RunFolder? folder = command.Yes ? RunFolder.Open(command.Runs, paths.Name) : null;

        if (folder is not null)
        {
            // A commit that only its log has is one that its files belong to.
            SqliteRecovery.RecoverAll(paths);
        }

        RunInfo info = StoredRunInfo.Of(paths).Info;
        string state = RunReport.StateOf(paths, info, holder: null);

        if (Judge(paths, info, state, command, outcome, host) is { } pruning)
        {
            if (folder is not null)
            {
                pruning.Delete(folder);
            }

            outcome.Rows.Add((paths.Name, state, pruning));
        }
    }

    /// <returns>What is to be deleted; null when the rules leave the run alone.</returns>
    private static Pruning? Judge(RunPaths paths, RunInfo info, string state, PruneCommand command, Outcome outcome, ShellHost host)
    {
        if ((command.States.Count > 0 && !command.States.Contains(state)) || (command.OlderThan is { } days && host.Clock.GetUtcNow() - LastStored(paths, info) < TimeSpan.FromDays(days)))
        {
            return null;
        }

        bool isComplete = state == "completed";
        outcome.Unfinished += command.Replay && !isComplete ? 1 : 0;
        Pruning chosen = Pruning.Of(paths, isComplete).Choose(command.Replay, command.Videos);
        return chosen.Bytes == 0 ? null : chosen;
    }

    /// <summary>When the run last committed, or noted that it started, stopped or failed.</summary>
    private static DateTimeOffset LastStored(RunPaths paths, RunInfo info)
    {
        DateTimeOffset started = info.Stretches.LastOrDefault()?.Started ?? DateTimeOffset.MinValue;

        using JournalReader? journal = JournalReader.TryOpen(paths);
        JournalSummary? summary = journal?.Summary();
        return new[] { started, summary?.CommittedAt ?? started, summary?.LastOperational?.Stored ?? started }.Max();
    }

    private static void Say(Outcome outcome, PruneCommand command, ShellHost host)
    {
        if (outcome.Rows.Count > 0)
        {
            static string Size(IReadOnlyList<PrunableFile> files) => files.Count == 0 ? "-" : Format.Bytes(Pruning.SizeOf(files));
            Spectre.Console.Table table = Tables.Create("run", "state", ">replay", ">videos", ">left-overs");

            foreach ((string name, string state, Pruning pruning) in outcome.Rows)
            {
                table.Add(name, state, Size(pruning.Replay), Size(pruning.Videos), Size(pruning.LeftOvers));
            }

            Tables.Write(host, table);
        }

        string all = $"{Format.Bytes(outcome.Rows.Sum(row => row.Pruning.Bytes))} of {Runs(outcome.Rows.Count)}";
        host.Output.WriteLine(outcome.Rows.Count == 0 ? "there is nothing to delete"
            : command.Yes ? $"deleted: {all}"
            : $"to be deleted: {all}; nothing was deleted yet, the same command with --yes does it");

        if (outcome.Rows.Any(row => row.Pruning.Replay.Count > 0))
        {
            host.Output.WriteLine("without its replay memory a run can be evaluated, recorded and reported, and never be resumed or extended");
        }

        if (outcome.Unfinished > 0)
        {
            host.Output.WriteLine($"not complete, so the replay memory stays, which a resume needs: {Runs(outcome.Unfinished)}");
        }

        if (outcome.AtWork > 0)
        {
            host.Output.WriteLine($"at work, and left alone: {Runs(outcome.AtWork)}");
        }
    }

    private static string Runs(int count) => count == 1 ? "1 run" : $"{count} runs";

    private sealed class Outcome
    {
        public List<(string Name, string State, Pruning Pruning)> Rows { get; } = [];

        public int AtWork { get; set; }

        /// <summary>Runs whose replay memory was asked for and stays.</summary>
        public int Unfinished { get; set; }

        public int Failed { get; set; }
    }
}
