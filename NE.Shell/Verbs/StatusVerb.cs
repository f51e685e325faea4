using System.Text.Json;
using NE.Actors.RunDirectory;
using NE.Actors.Stores;
using NE.Shell.Commands;
using NE.Shell.Host;
using NE.Shell.Reports;
using NE.Shell.Sweeps.Cells;
using NE.Shell.Sweeps.Planning;
using NE.Shell.Views;

namespace NE.Shell.Verbs;

/// <summary>`ne status`</summary>
internal static class StatusVerb
{
    public static ExitCode Status(StatusCommand command, ShellHost host)
    {
        if (command.Name is { } sweep && StoredSweep.IsNamed(command.Runs, sweep))
        {
            return Sweep(SweepReport.Read(command.Runs, sweep), command.Json, host);
        }

        if (command.Name is { } name)
        {
            RunReport report = RunReport.Read(command.Runs, name);

            if (command.Json)
            {
                host.Output.WriteLine(JsonSerializer.Serialize(report, Json.Options));
            }
            else
            {
                One(report, host);
            }

            return ExitCode.Ok;
        }

        return All(command, host);
    }

    /// <summary>What is damaged is said, and does not hide the others.</summary>
    private static ExitCode All(StatusCommand command, ShellHost host)
    {
        var damaged = new List<string>();
        // A sweep's runs are in the table of runs too.
        IReadOnlyList<string> sweeps = command.Json ? [] : SweepPaths.List(command.Runs);
        RunReport[] all = [.. RunFolder.List(command.Runs).Select(
            run => Read(run, () => RunReport.Read(command.Runs, run), damaged, why => RunReport.Damaged(command.Runs, run, why.Message, why is JournalUnavailableException))!)];

        if (command.Json)
        {
            host.Output.WriteLine(JsonSerializer.Serialize(all, Json.Options));
        }
        else if (all.Length == 0 && sweeps.Count == 0)
        {
            string folder = Path.GetFullPath(command.Runs);
            host.Output.WriteLine($"there {(Directory.Exists(folder) ? $"are no runs in {folder}" : $"is no folder {folder}, and so no run")}; start one with: ne train");
        }
        else
        {
            Many(all, host);

            if (sweeps.Count > 0)
            {
                host.Output.WriteLine();
                Tables.Write(host, SweepView.Table([.. sweeps.Select(
                    found => (found, Read(found, () => SweepReport.Read(command.Runs, found), damaged, _ => null)))]));
            }
        }

        damaged.ForEach(host.Error.WriteLine);
        return damaged.Count == 0 ? ExitCode.Ok : ExitCode.Failed;
    }

    /// <summary>Whatever a damaged file makes of its reader, it concerns this one alone.</summary>
    private static T? Read<T>(string name, Func<T?> read, List<string> damaged, Func<Exception, T?> instead)
        where T : class
    {
        try
        {
            return read();
        }
        catch (Exception problem)
        {
            damaged.Add($"ne: {name} {(problem is JournalUnavailableException ? "has its journal on a server" : "is damaged")}: {problem.Message}");
            return instead(problem);
        }
    }

    private static ExitCode Sweep(SweepReport sweep, bool json, ShellHost host)
    {
        CellReport[] damaged = [.. sweep.Cells.Where(cell => cell.Damage is not null)];
        Array.ForEach(damaged, cell => host.Error.WriteLine($"ne: {cell.Name} is damaged: {cell.Damage}"));
        ExitCode code = damaged.Length == 0 ? ExitCode.Ok : ExitCode.Failed;

        if (json)
        {
            host.Output.WriteLine(JsonSerializer.Serialize(sweep, Json.Options));
            return code;
        }

        host.Output.WriteLine(SweepView.Title(sweep.Sweep, sweep.Smoke) + (sweep.Description.Length > 0 ? $": {sweep.Description}" : ""));
        host.Output.WriteLine(sweep.ProcessId is { } process ? $"process {process} works on it" : $"no process works on it; go on with: ne sweep --resume {sweep.Sweep}");
        Tables.Write(host, SweepView.Table(sweep));

        foreach (HalvingDecision decision in sweep.Decisions)
        {
            host.Output.WriteLine(decision.Sentence);
        }

        foreach (CellReport cell in sweep.Cells.Where(cell => cell.Error is not null))
        {
            host.Output.WriteLine($"{cell.Name} failed: {cell.Error}");
        }

        return code;
    }

    private static void Many(IEnumerable<RunReport> runs, ShellHost host)
    {
        Spectre.Console.Table table = Tables.Create("run", "state", ">step", ">of", ">evaluation", ">actor density", ">steps/s");

        foreach (RunReport run in runs)
        {
            if (run.IsDamaged)
            {
                table.Add(run.Run, run.State, "-", "-", "-", "-", "-");
                continue;
            }

            table.Add(
                run.Run,
                run.State,
                Format.Count(run.Step),
                Format.Count(run.Steps),
                Format.Value(run.LastEvaluation?.Mean ?? double.NaN),
                Format.Percent(run.Networks.GetValueOrDefault("actor")?.Density ?? double.NaN),
                Format.Rate(run.StepsPerSecond ?? double.NaN));
        }

        Tables.Write(host, table);
    }

    private static void One(RunReport run, ShellHost host)
    {
        Spectre.Console.Table table = Tables.Create("", "");
        var dropped = DroppedReplay.Of(new RunPaths(run.Folder));
        string next = dropped is null ? $"; go on with: ne resume {run.Run}" : "";
        table.Add("run", $"{run.Run}  ({run.Environment}, {run.Method}, seed {run.Seed})");
        table.Add("learner", $"{run.Engine}, {run.Threads} {(run.Threads == 1 ? "thread" : "threads")}");
        table.Add("state", run.State switch
        {
            "running" => $"running in process {run.ProcessId}",
            "killed" => $"stopped without a word (killed, or the machine went down){next}",
            "interrupted" => $"interrupted ({run.Reason}){next}",
            "failed" => $"failed: {run.Reason}",
            _ => run.State,
        });
        table.Add("step", $"{Format.Count(run.Step)} of {Format.Count(run.Steps)} ({Format.Percent((double)run.Step / run.Steps)}), gradient step {Format.Count(run.GradientStep)}");
        table.Add("evaluation", run.LastEvaluation is { } evaluation
            ? $"{Format.Value(evaluation.Mean)} at step {Format.Count(evaluation.Step)}" + (run.BestStep is { } best ? $", best at step {Format.Count(best)}" : "")
            : "none yet");
        table.Add("speed", $"{Format.Rate(run.StepsPerSecond ?? double.NaN)} steps/s   {Format.Rate(run.UpdatesPerSecond ?? double.NaN)} updates/s");

        if (run.State is "running")
        {
            table.Add("left", LiveView.WarmUp(run.WarmUpSteps) ?? Format.Duration(run.SecondsLeft ?? double.NaN));
        }

        foreach ((string network, NetworkReport values) in run.Networks)
        {
            table.Add(network, $"density {Format.Percent(values.Density)}   activated {Format.Percent(values.Activated ?? double.NaN)}   active units {Format.Percent(values.ActiveUnits ?? double.NaN)}");
        }

        table.Add("checkpoint", run.LastCheckpoint is { } checkpoint
            ? $"step {Format.Count(checkpoint.Step)}, {Format.Bytes(checkpoint.Bytes)}" + (checkpoint.At is { } at ? $", {Format.Duration((host.Clock.GetUtcNow() - at).TotalSeconds)} ago" : "")
            : "none yet");

        if (dropped is not null)
        {
            table.Add("replay", $"{dropped.Why}, so the run cannot be resumed");
        }

        table.Add("resumed", run.Resumes == 1 ? "once" : $"{run.Resumes} times");
        table.Add("files", run.Folder);
        Tables.Write(host, table);
    }
}
