using NE.Actors.Fleet;
using NE.Actors.Fleet.Cells;
using NE.Actors.RunDirectory;
using NE.Model;
using NE.Shell.Commands;
using NE.Shell.Configuration;
using NE.Shell.Host;
using NE.Shell.Logging;
using NE.Shell.Running;
using NE.Shell.Serving;
using NE.Shell.Sweeps.Cells;
using NE.Shell.Sweeps.Fleet;
using NE.Shell.Sweeps.Planning;
using NE.Shell.Sweeps.Processes;
using NE.Shell.Views;

namespace NE.Shell.Verbs;

/// <summary>`ne sweep`</summary>
internal static class SweepVerb
{
    public static async Task<ExitCode> Sweep(SweepCommand command, ShellHost host)
    {
        if (command.Source is null && command.Resume is null)
        {
            return command is { Parallel: null, RetryFailed: false, DryRun: false, Smoke: false }
                ? List(host)
                : throw new UserError("which sweep? Give a file or a preset, or --resume NAME; a bare `ne sweep` lists the presets");
        }

        string? seq = SeqAddress.Of(command.Presentation.Seq, host);
        TelemetryExport.Collector(host);
        (SweepPlan plan, string? text) = Read(command, host);

        if (command.Fleet.Address is { } address)
        {
            return await InFleet(command, plan, text, seq, address, host);
        }

        if (command.Fleet.KeyFile is not null)
        {
            throw new UserError("--fleet-key is the key of a fleet: give --fleet HOST:PORT too");
        }

        var sweep = CheckedSweep.Of(plan, command.Runs);
        plan = sweep.Plan;
        JournalPlace? given = JournalAddress.Of(command.Journal, host);
        bool asked = command.Journal is not null;
        // What contradicts it is said by a dry run too.
        sweep.Journal(given, asked);
        RunPlan[] plans = [.. plan.Cells.Select(cell => cell.Plan).OfType<RunPlan>()];
        (int parallel, string why) = Parallel(command, plan, plans, host.Processors);

        if (RunPlan.MisfitTogether(plans, parallel, Hardware.MemoryBytes) is { } misfit)
        {
            host.Error.WriteLine($"ne: warning: {misfit}");
        }

        if (command.DryRun)
        {
            var failures = CellFailures.Read(sweep.Paths);
            var contests = Contests.Of(plan, sweep.Paths);
            CellState[] states = [.. plan.Cells.Select(cell => contests.Seen(
                cell.Cell,
                CellInspection.CloseLook(command.Runs, cell.Cell, cell.Steps, failures),
                CellProgress.Read(RunPaths.Of(command.Runs, cell.Name), CellProgress.None).Evaluated))];
            var estimate = SweepEstimate.Measure(command.Runs, plan.Cells.Zip(states).Where(pair => pair.Item2 is CellState.Complete).Select(pair => pair.Item1));
            SayWhatItIs(plan, host);
            Tables.Write(host, [.. SweepView.DryRun(plan, states, contests, estimate, parallel, command.RetryFailed)]);
            host.Output.WriteLine(why);
            return ExitCode.Ok;
        }

        using SweepStart start = SweepStart.Prepare(sweep, text, given, asked, host);
        SayWhatItIs(start.Plan, host);
        Array.ForEach([.. start.Notes], host.Output.WriteLine);
        SweepRun run = start.Run(host, new LocalCells(host, command.Runs, parallel, start.Journal), command.RetryFailed, seq);
        host.Output.WriteLine(SweepView.Counts(run.Status));
        host.Output.WriteLine(why);
        host.Output.WriteLine(run.Basis);
        await using PageServer? page = await ServeVerb.Beside(command.Presentation.Page, command.Runs, "", host);
        await Work(run, host, command.Presentation.Plain);
        return Say(run.Status, host);
    }

    /// <summary>Hands the sweep to a fleet and watches it there. Ctrl-C lets its cells commit and stop, as it does on one machine; whatever else becomes of
    /// this process, the sweep goes on.</summary>
    private static async Task<ExitCode> InFleet(SweepCommand command, SweepPlan plan, string? text, string? seq, FleetAddress address, ShellHost host)
    {
        if (command.DryRun || command.Parallel is not null || command.Presentation.Page is not null)
        {
            string option = command.DryRun ? "--dry-run" : command.Parallel is not null ? "--parallel" : "--serve";
            throw new UserError($"{option} is for a sweep of this machine; in a fleet the nodes say how many cells they work on (ne node --slots), and any of them can serve the page");
        }

        using var log = NodeLog.Open("ne sweep", _ => { }, null, null);
        await using SweepDesk desk = await SweepDesk.Open(address, command.Fleet.Key(host, mayCreate: false), [NE.Actors.Cast.SerilogLogger.TypeName]);
        var submitted = new SubmittedSweep(StoredSweep.Of(plan), text, command.RetryFailed, seq) { Journal = JournalAddress.Of(command.Journal, host), AsksForJournal = command.Journal is not null };
        SayWhatItIs(plan, host);
        SweepAccepted accepted = await desk.Submit(submitted.ToJson());
        host.Output.WriteLine(accepted.Text);
        var sweep = new WatchedSweep(desk, plan.Name, host.Clock);
        using StopSignals signals = new StopSignals(sweep.RequestStop, () => StopSignals.LeaveNow((int)ExitCode.Interrupted)).Listen();
        await new SweepPresenter(host, command.Presentation.Plain).Show(sweep, sweep.Watch());
        return Say(sweep.Status, host);
    }

    private static async Task Work(SweepRun run, ShellHost host, bool plain)
    {
        void EndAtOnce()
        {
            run.Kill();
            StopSignals.LeaveNow((int)ExitCode.Interrupted);
        }

        using StopSignals signals = new StopSignals(run.RequestStop, EndAtOnce).Listen();
        await new SweepPresenter(host, plain).Show(run, run.Work());
    }

    private static (SweepPlan Plan, string? Text) Read(SweepCommand command, ShellHost host)
    {
        if (command.Resume is { } name)
        {
            StoredSweep stored = StoredSweep.Read(command.Runs, name);
            return (SweepPlanner.Of(stored, SweepPaths.Of(command.Runs, name).Cells, host), null);
        }

        string source = command.Source!;
        (string file, string? text) = host.ReadFile(source) is { } read ? (source, read)
            : SweepPresets.TryRead(source) is { } preset ? (preset.Name, preset.Text)
            : (source, null);

        if (text is null)
        {
            if (SweepPaths.List(command.Runs).Contains(source))
            {
                throw new UserError($"there is no file '{source}'; to go on with the sweep of that name: ne sweep --resume {source}");
            }

            string near = source.EndsWith(SmokeSweep.Suffix, StringComparison.Ordinal) && SweepPresets.TryRead(source[..^SmokeSweep.Suffix.Length]) is { } full
                ? $"; the short form of a preset is: ne sweep {full.Name} --smoke"
                : Nearest.ranked(1, source, SweepPresets.Names).FirstOrDefault() is { } known ? $"; did you mean '{known}'?" : "; `ne sweep` lists the presets";
            throw new UserError($"there is no file '{source}', and no preset of that name{near}");
        }

        SweepFile sweep = SweepReader.Read(text, file, host.ReadFile);
        return command.Smoke
            ? (SweepPlanner.Of(SmokeSweep.Of(sweep), host), $"# Shortened by --smoke: cells.json has what is run.\n{text}")
            : (SweepPlanner.Of(sweep, host), text);
    }

    /// <summary>A run keeps its learner's threads busy, and one more with its environments and evaluations. What it takes of memory beside its replay must
    /// fit as well.</summary>
    private static (int Parallel, string Why) Parallel(SweepCommand command, SweepPlan plan, RunPlan[] plans, int processors)
    {
        if ((command.Parallel ?? plan.Parallel) is { } given)
        {
            return (given, $"{given} at a time, as {(command.Parallel is null ? "the file says" : "--parallel says")}");
        }

        int threads = plan.Cells.Max(cell => cell.Settings.Compute.Threads.Value);
        int parallel = Math.Max(1, processors / (threads + 1));
        int fit = RunPlan.FitTogether(plans, Hardware.MemoryBytes);

        if (fit < parallel)
        {
            string most = Format.Bytes(plans.Max(run => run.MemoryBesideReplay));
            return (fit, $"{fit} at a time: {Format.Bytes(Hardware.MemoryBytes)} of memory, and a run takes up to {most} beside its replay (--parallel K changes it)");
        }

        string learner = threads == 1 ? "one thread" : $"{threads} threads";
        return (parallel, $"{parallel} at a time: {processors} cores, and a run keeps {learner} of its learner and one of its environments busy (--parallel K changes it)");
    }

    private static ExitCode List(ShellHost host)
    {
        Spectre.Console.Table table = Tables.Create("preset", ">cells", "what it is");

        foreach (string name in SweepPresets.Names)
        {
            SweepFile sweep = SweepReader.Read(SweepPresets.TryRead(name)!.Value.Text, name, host.ReadFile);
            table.Add(name, Format.Count(SweepExpansion.Of(sweep).Count), sweep.Smoke ? $"{SweepView.SmokeLabel}: {sweep.Description}" : sweep.Description);
        }

        Tables.Write(host, table);
        host.Output.WriteLine("Start one with: ne sweep PRESET; a file of your own: docs/sweeps.md; sweeps that were started: ne status");
        return ExitCode.Ok;
    }

    private static void SayWhatItIs(SweepPlan plan, ShellHost host) =>
        host.Output.WriteLine(SweepView.Title(plan.Name, plan.Smoke) + (plan.Description.Length > 0 ? $": {plan.Description}" : ""));

    private static ExitCode Say(SweepStatus status, ShellHost host)
    {
        int complete = status.Count(CellState.Complete);

        int dropped = status.Count(CellState.Dropped);

        if (complete + dropped == status.Cells.Count)
        {
            string others = dropped > 0 ? $", and {Format.Counted(dropped, "cell")} of trials that the search dropped (ne status {status.Name})" : "";
            LastWords.Say(host.Output, $"{SweepView.Title(status.Name, status.Smoke)} is complete: {SweepView.Cells(complete)}{others}.");
            return ExitCode.Ok;
        }

        CellStatus[] unhappy = [.. status.Cells.Where(cell => cell.State is CellState.Failed || (cell.Error is not null && status.Stopping is null))];

        foreach (CellStatus cell in unhappy)
        {
            string what = cell.State is CellState.Failed ? "failed" : "did not end";
            LastWords.Say(host.Error, $"ne: {cell.Name} {what}: {cell.Error}\n    its output: {cell.Log}");
        }

        int failed = status.Count(CellState.Failed);
        string retry = failed > 0 ? $"; with failed cells once more: ne sweep --resume {status.Name} --retry-failed" : "";
        string stopped = status.Stopping is { } why ? $" was interrupted ({why})" : status.Rebuilt ? " started no further cell, because the program was rebuilt while it worked" : "";
        string next = status.Rebuilt ? "Start the sweep again, it goes on with the new build" : "Go on with";
        LastWords.Say(host.Error, $"ne: {SweepView.Title(status.Name, status.Smoke)}{stopped}: {SweepView.Counts(status)}. {next}: ne sweep --resume {status.Name}{retry}");
        // Trials that wait though nothing failed or was stopped wait in vain: too few of their search can be compared.
        return status.Stopping is null && !status.Rebuilt && (failed > 0 || unhappy.Length == 0) ? ExitCode.Failed : ExitCode.Interrupted;
    }
}
