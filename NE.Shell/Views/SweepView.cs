using System.Globalization;
using NE.Shell.Configuration;
using NE.Shell.Host;
using NE.Shell.Sweeps.Cells;
using NE.Shell.Sweeps.Planning;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace NE.Shell.Views;

/// <summary>A sweep as text: the screen while it works, one plain line, the table of `--dry-run`, and what is said at the end.</summary>
public static class SweepView
{
    /// <summary>Stands wherever a smoke test is shown.</summary>
    public const string SmokeLabel = "a smoke test, never evidence";

    private const int BarWidth = 40;
    private const int ShownFailures = 5;

    /// <summary>The screen while it works.</summary>
    public static IRenderable Live(SweepStatus status)
    {
        double done = Done(status);
        List<IRenderable> rows =
        [
            new Text(Title(status.Name, status.Smoke), Style.Parse("bold")),
            new Text(
                $"{Sparkline.Bar(done, BarWidth)}  {Format.Percent(done)} of all steps  {Format.Duration(status.ElapsedSeconds)} gone, {Format.Duration(status.LeftSeconds)} left",
                Style.Parse("green")),
            new Text(Counts(status)),
        ];
        CellStatus[] running = [.. status.Cells.Where(cell => cell.State is CellState.Running)];

        if (running.Length > 0)
        {
            Table table = Tables.Create("cell", ">step", ">of", ">steps/s", ">evaluation", ">left");

            foreach (CellStatus cell in running)
            {
                table.Add(
                    cell.Foreign ? $"{cell.Name} (another process)" : cell.Name,
                    Format.Count(cell.Progress.Step),
                    Format.Count(cell.Steps),
                    Format.Rate(cell.Progress.StepsPerSecond ?? double.NaN),
                    Format.Value(cell.Progress.Evaluation ?? double.NaN),
                    Format.Duration(cell.LeftSeconds));
            }

            rows.Add(table);
        }

        foreach (CellStatus cell in status.Cells.Where(cell => cell.State is CellState.Failed).Take(ShownFailures))
        {
            rows.Add(new Text($"{cell.Name} failed: {cell.Error}", Style.Parse("red")));
        }

        if (status.Stopping is { } why)
        {
            rows.Add(new Text($"stopping ({why}): every run writes its last checkpoint; Ctrl-C again ends them at once", Style.Parse("yellow")));
        }

        else if (status.Rebuilt)
        {
            rows.Add(new Text("the program was rebuilt: no further cell is started, and the sweep ends when those that work have ended", Style.Parse("yellow")));
        }

        return new Rows(rows);
    }

    /// <summary>One line, without thousands separators so that other programs read it.</summary>
    public static string Plain(SweepStatus status)
    {
        string running = string.Join("  ", status.Cells.Where(cell => cell.State is CellState.Running).Select(cell =>
            string.Create(CultureInfo.InvariantCulture, $"{cell.Name} {cell.Progress.Step}/{cell.Steps}")
            + (cell.Progress.Evaluation is { } mean ? $" evaluation {Format.Value(mean)}" : "")));
        return $"{Counts(status)}  {Format.Percent(Done(status))}  left {Format.Duration(status.LeftSeconds)}" + (running.Length > 0 ? $"  {running}" : "");
    }

    /// <summary>"6 cells: 2 complete, 1 running, 1 failed, 2 waiting".</summary>
    public static string Counts(SweepStatus status)
    {
        (CellState State, string Word)[] words =
        [
            (CellState.Complete, "complete"), (CellState.Running, "running"), (CellState.Failed, "failed"),
            (CellState.Interrupted, "interrupted"), (CellState.Paused, "paused"), (CellState.Dropped, "dropped"), (CellState.Waiting, "waiting"),
        ];
        string parts = string.Join(", ", words.Select(word => (Count: status.Count(word.State), word.Word)).Where(part => part.Count > 0).Select(part => $"{part.Count} {part.Word}"));
        return $"{Cells(status.Cells.Count)}: {parts}";
    }

    /// <summary>What `--dry-run` prints: every cell, and the totals.</summary>
    /// <param name="plan">The sweep.</param>
    /// <param name="states">Each cell's state, in the plan's order.</param>
    /// <param name="contests">How far trials of a search go.</param>
    /// <param name="estimate">How long cells take.</param>
    /// <param name="parallel">Runs at a time.</param>
    /// <param name="retryFailed">Whether failed cells are to do; otherwise they are left alone.</param>
    public static IReadOnlyList<IRenderable> DryRun(SweepPlan plan, IReadOnlyList<CellState> states, Contests contests, SweepEstimate estimate, int parallel, bool retryFailed)
    {
        double Seconds(PlannedCell cell) => estimate.Seconds(cell) * contests.LikelySteps(cell.Cell, cell.Steps) / cell.Steps;
        // Environment and seed are in the name.
        Table table = Tables.Create("cell", "arm", "state", ">steps", ">time", ">disk");

        foreach ((PlannedCell cell, CellState state) in plan.Cells.Zip(states))
        {
            table.Add(
                cell.Name,
                cell.Cell.Label,
                Word(state),
                Format.Count(cell.Steps),
                Format.Duration(Seconds(cell)),
                cell.Plan is { } takes ? Format.Bytes(takes.DiskBytes) : "-");
        }

        PlannedCell[] left = [.. plan.Cells.Zip(states).Where(pair => pair.Item2 is not (CellState.Complete or CellState.Dropped) && (retryFailed || pair.Item2 is not CellState.Failed)).Select(pair => pair.Item1)];
        int failed = retryFailed ? 0 : states.Count(state => state is CellState.Failed);
        RunPlan[] known = [.. plan.Cells.Where(cell => cell.Plan is not null).Select(cell => cell.Plan!)];
        string unknown = known.Length < plan.Cells.Count ? $", and {Cells(plan.Cells.Count - known.Length)} whose size only their own programs know" : "";
        Table totals = Tables.Create("", "");
        totals.Add("cells", $"{plan.Cells.Count}, {left.Length} of them to do{(failed > 0 ? $"; {failed} failed and left alone without --retry-failed" : "")}");
        totals.Add("steps", $"{Format.Count(plan.Cells.Sum(cell => cell.Steps))}, {Format.Count(left.Sum(cell => cell.Steps))} of them to do");
        string[] rungs = [.. contests.Rungs.Select(rung => $"{Format.Count(rung.Survivors)} at step {Format.Count(rung.Step)}")];

        if (rungs.Length > 0)
        {
            totals.Add("search", $"of the trials of an arm go on: {string.Join(", ", rungs)}; times are those until a trial is likely to be dropped, disk is that of all");
        }

        double[] times = [.. left.Select(Seconds).Where(double.IsFinite)];
        string untimed = times.Length < left.Length ? $", and {Cells(left.Length - times.Length)} of which nothing is known" : "";
        totals.Add("time", $"about {Format.Duration(SweepEstimate.Together(times, parallel))} for what is to do, {parallel} at a time{untimed}");
        totals.Add("disk", $"up to {Format.Bytes(known.Sum(plan => (double)plan.DiskBytes))} for all cells{unknown}");
        totals.Add("memory", $"up to {Format.Bytes(known.Select(plan => (double)plan.MemoryBytes).OrderDescending().Take(parallel).Sum())} at a time");
        return [table, new Text("\n"), totals, new Text(estimate.Basis)];
    }

    /// <summary>Every cell of a sweep, for `ne status NAME`.</summary>
    public static IRenderable Table(SweepReport sweep)
    {
        Table table = Tables.Create("cell", "state", ">step", ">of", ">evaluation");

        foreach (CellReport cell in sweep.Cells)
        {
            table.Add(cell.Name, cell.Damage is null ? Word(cell.State) : "damaged", Format.Count(cell.Step), Format.Count(cell.Steps), Format.Value(cell.Evaluation ?? double.NaN));
        }

        return table;
    }

    /// <summary>One line per sweep, for `ne status`; without a report for one whose files cannot be read.</summary>
    public static IRenderable Table(IEnumerable<(string Name, SweepReport? Report)> sweeps)
    {
        Table table = Tables.Create("sweep", ">cells", ">complete", ">running", ">failed", ">interrupted", ">waiting", ">dropped", "");

        foreach ((string name, SweepReport? found) in sweeps)
        {
            if (found is not { } sweep)
            {
                table.Add(name, "-", "-", "-", "-", "-", "-", "-", "damaged");
                continue;
            }

            table.Add(
                sweep.Sweep,
                Format.Count(sweep.Cells.Count),
                Format.Count(sweep.Count(CellState.Complete)),
                Format.Count(sweep.Count(CellState.Running)),
                Format.Count(sweep.Count(CellState.Failed)),
                Format.Count(sweep.Count(CellState.Interrupted)),
                Format.Count(sweep.Count(CellState.Waiting) + sweep.Count(CellState.Paused)),
                Format.Count(sweep.Count(CellState.Dropped)),
                sweep.Smoke ? SmokeLabel : "");
        }

        return table;
    }

    /// <summary>The name, with the label of a smoke test.</summary>
    public static string Title(string name, bool smoke) => smoke ? $"{name} ({SmokeLabel})" : name;

    /// <summary>"1 cell", "6 cells".</summary>
    public static string Cells(int count) => Format.Counted(count, "cell");

    private static string Word(CellState state) => state.ToString().ToLowerInvariant();

    private static double Done(SweepStatus status)
    {
        double all = status.Cells.Sum(cell => (double)(cell.State is CellState.Dropped ? Math.Min(cell.Progress.Step, cell.Steps) : cell.Steps));
        return all > 0 ? status.Cells.Sum(cell => cell.State is CellState.Complete ? (double)cell.Steps : Math.Min(cell.Progress.Step, cell.Steps)) / all : 0;
    }
}
