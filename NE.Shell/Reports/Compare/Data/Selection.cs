using System.Runtime.ExceptionServices;
using NE.Actors.Configuration;
using NE.Actors.RunDirectory;
using NE.Shell.Host;
using NE.Shell.Sweeps.Cells;
using NE.Shell.Sweeps.Planning;

namespace NE.Shell.Reports.Compare.Data;

/// <summary>A cell of a sweep that has no run to show.</summary>
public sealed record AbsentRun(string Sweep, string Name, string Environment, string Label, long Seed)
{
    /// <summary>Its run is there, but its files cannot be read; else it was not started.</summary>
    public bool IsUnreadable { get; init; }
}

/// <summary>The runs of a report: given by name, or as the cells of sweeps.</summary>
/// <param name="Runs">In the order in which they were named.</param>
/// <param name="Absent">Cells of sweeps without such a run.</param>
/// <param name="Smoke">Sweeps that say of themselves that they are no evidence.</param>
/// <param name="Sweeps">Name and text of every sweep's file.</param>
public sealed record Selection(
    IReadOnlyList<ReportedRun> Runs, IReadOnlyList<AbsentRun> Absent, IReadOnlyList<string> Smoke, IReadOnlyList<(string Name, string Text)> Sweeps)
{
    private const string SweepEnding = ".sweep";

    /// <summary>What searches have decided, a sentence each.</summary>
    public IReadOnlyList<string> Decided { get; init; } = [];

    /// <summary>Runs that cannot be read at all, a sentence each.</summary>
    public IReadOnlyList<string> Unreadable { get; init; } = [];

    /// <summary>The sweep of this name; null when there is none. NAME.sweep is the same as NAME, for a name that a run has too.</summary>
    /// <exception cref="RunFolderException">The name cannot be a sweep's.</exception>
    public static SweepPaths? SweepOf(string runs, string name)
    {
        SweepPaths paths = SweepPaths.Of(runs, name.EndsWith(SweepEnding, StringComparison.Ordinal) ? name[..^SweepEnding.Length] : name);
        return File.Exists(paths.Cells) ? paths : null;
    }

    /// <summary>Reads everything that is named. Of several runs those that can be read are enough; where none can, what is wrong with the first one is thrown.</summary>
    /// <exception cref="RunFolderException">There is no run or sweep of a name, or a cell's name cannot be a run's.</exception>
    /// <exception cref="ShellFailure">A sweep's list of cells is damaged.</exception>
    /// <exception cref="UserError">Nothing was evaluated yet.</exception>
    public static Selection Read(string runs, IReadOnlyList<string> names)
    {
        var found = new List<ReportedRun>();
        var absent = new List<AbsentRun>();
        var smoke = new List<string>();
        var sweeps = new List<(string, string)>();
        var decided = new List<string>();
        var unreadable = new List<(string Name, Exception Problem)>();

        foreach (string name in names.Distinct())
        {
            SweepPaths? paths = StoredRunInfo.Exists(new RunPaths(Path.GetFullPath(Path.Combine(runs, name)))) ? null : SweepOf(runs, name);

            if (paths is null || StoredSweep.TryRead(paths) is not { } sweep)
            {
                // One that there is not is a mistake of whoever named it.
                RunFolder.Find(runs, name);

                if (TryRead(runs, name, unreadable) is { } run)
                {
                    found.Add(run);
                }

                continue;
            }

            sweeps.Add((sweep.Name, File.Exists(paths.Description) ? File.ReadAllText(paths.Description) : ""));

            if (sweep.Smoke)
            {
                smoke.Add(sweep.Name);
            }

            var decisions = HalvingDecisions.Read(paths);
            decided.AddRange(decisions.All.Select(decision => decision.Sentence));

            // Of a search, those are compared that it let run to the end.
            foreach (SweepCell cell in sweep.Cells.Where(cell => !decisions.IsDropped(cell)))
            {
                bool isThere = StoredRunInfo.Exists(RunPaths.Of(runs, cell.Name));

                if (isThere && TryRead(runs, cell.Name, unreadable) is { } run)
                {
                    found.Add(run with { Sweep = sweep.Name, Label = cell.Label });
                }
                else
                {
                    absent.Add(new(sweep.Name, cell.Name, cell.Environment, cell.Label, cell.Seed) { IsUnreadable = isThere });
                }
            }
        }

        if (found.Count == 0 && unreadable.Count > 0)
        {
            ExceptionDispatchInfo.Throw(unreadable[0].Problem);
        }

        // A cell that is named beside its sweep is that cell, with its label.
        ReportedRun[] distinct = [.. found.GroupBy(run => run.Name).Select(copies => copies.FirstOrDefault(run => run.Label is not null) ?? copies.First())];
        return distinct.Any(run => !run.Returns.IsEmpty)
            ? new(distinct, absent, smoke, sweeps)
            {
                Decided = decided,
                Unreadable = [.. unreadable.DistinctBy(run => run.Name).Select(run => $"{run.Name} cannot be read and is not shown: {run.Problem.Message.ReplaceLineEndings(" ")}")],
            }
            : throw new UserError(
                $"{string.Join(", ", names)}: nothing was evaluated yet. A run's first evaluations are in its eval.csv after its first checkpoint (checkpoint.every); try again then.");
    }

    private static ReportedRun? TryRead(string runs, string name, List<(string Name, Exception Problem)> unreadable)
    {
        try
        {
            return ReportedRun.Read(runs, name);
        }
        catch (Exception problem) when (ReportedRun.IsDamage(problem))
        {
            unreadable.Add((name, problem));
            return null;
        }
    }
}
