using NE.Actors.Configuration;
using NE.Actors.RunDirectory;
using NE.Model;
using NE.Shell.Sweeps.Planning;

namespace NE.Shell.Sweeps.Cells;

/// <summary>What `ne status` says about a sweep.</summary>
/// <param name="Sweep">Its name.</param>
/// <param name="Description">One line for people; may be empty.</param>
/// <param name="Smoke">Too short to be evidence of anything.</param>
/// <param name="ProcessId">The process that works on it; null when none does.</param>
/// <param name="Cells">Its runs, in order.</param>
/// <param name="Folder">Where it lies.</param>
/// <param name="Decisions">What its search has decided; empty for other sweeps.</param>
public sealed record SweepReport(
    string Sweep, string Description, bool Smoke, int? ProcessId, IReadOnlyList<CellReport> Cells, string Folder, IReadOnlyList<HalvingDecision> Decisions)
{
    /// <summary>Reads a sweep's files and those of its runs; they may be working.</summary>
    public static SweepReport Read(string runs, string name)
    {
        var paths = SweepPaths.Of(runs, name);
        StoredSweep stored = StoredSweep.Read(runs, name);
        var failures = CellFailures.Read(paths);
        var decisions = HalvingDecisions.Read(paths);
        CellReport[] cells = [.. stored.Cells.Select(cell => Cell(runs, cell, failures))];
        var contests = Contests.Of(stored.Halving, stored.Cells.Zip(cells, (cell, report) => (cell, report.Steps)), decisions);
        CellReport[] seen = [.. stored.Cells.Zip(cells, (cell, report) => report with { State = contests.Seen(cell, report.State, report.Evaluated) })];
        return new(stored.Name, stored.Description, stored.Smoke, RunLock.Holder(paths.Lock)?.ProcessId, seen, paths.Root, decisions.All);
    }

    public int Count(CellState state) => this.Cells.Count(cell => cell.State == state);

    private static CellReport Cell(string runs, SweepCell cell, CellFailures failures)
    {
        var paths = RunPaths.Of(runs, cell.Name);
        (RunInfo? info, string? damage) = Info(paths);
        CellProgress progress = CellProgress.Read(paths, CellProgress.None);
        long steps = info?.TotalSteps
            ?? (cell.Settings.TryGetValue("run.steps", out string? given) && long.TryParse(given, out long wanted) ? wanted : SettingsModule.defaults.Run.Steps);
        CellState state = CellInspection.CloseLook(runs, cell, steps, failures);
        string? error = state is CellState.Failed ? CellInspection.ErrorOf(runs, cell, failures) : null;
        return new(cell.Name, cell.Environment, cell.Label, cell.Method, cell.Seed, state, progress.Step, steps, progress.Evaluation, error, damage, progress.Evaluated);
    }

    private static (RunInfo? Info, string? Damage) Info(RunPaths paths)
    {
        try
        {
            return (StoredRunInfo.Exists(paths) ? StoredRunInfo.Of(paths).Info : null, null);
        }
        catch (Exception problem) when (problem is InvalidDataException or RunFolderException)
        {
            return (null, problem.Message);
        }
    }
}

/// <param name="Name">The run's name.</param>
/// <param name="Environment">As `run.environment`.</param>
/// <param name="Label">The arm of the comparison.</param>
/// <param name="Method">As `run.method`.</param>
/// <param name="Seed">As `run.seed`.</param>
/// <param name="State">Where it is.</param>
/// <param name="Step">Of the newest row of timing.csv.</param>
/// <param name="Steps">Length of the run.</param>
/// <param name="Evaluation">The newest mean return; null before the first.</param>
/// <param name="Error">Why it failed.</param>
/// <param name="Damage">Why its run.json cannot be read; null when it can.</param>
/// <param name="Evaluated">Step of the newest evaluation; -1 before the first.</param>
public sealed record CellReport(
    string Name, string Environment, string Label, string Method, long Seed, CellState State, long Step, long Steps, double? Evaluation, string? Error, string? Damage, long Evaluated);
