using NE.Actors.RunDirectory;
using NE.Shell.Host;
using NE.Shell.Sweeps.Cells;
using NE.Shell.Sweeps.Planning;

namespace NE.Shell.Sweeps.Processes;

/// <summary>A plan that does not contradict the sweep of its name.</summary>
/// <param name="Plan">What is to be run; trials have the labels of the sweep that is there.</param>
/// <param name="Paths">Where the sweep lies, or will.</param>
/// <param name="Stored">The sweep that is there; null for none.</param>
/// <param name="Gone">Names of cells that never began and are no longer part of it.</param>
internal sealed record CheckedSweep(SweepPlan Plan, SweepPaths Paths, StoredSweep? Stored, IReadOnlyList<string> Gone)
{
    /// <summary>Refuses what contradicts the sweep that is there; changes nothing.</summary>
    /// <param name="plan">What is to be run.</param>
    /// <param name="runs">Folder of the runs.</param>
    /// <exception cref="UserError">It does.</exception>
    public static CheckedSweep Of(SweepPlan plan, string runs)
    {
        var paths = SweepPaths.Of(runs, plan.Name);
        StoredSweep? stored = StoredSweep.TryRead(paths);
        plan = stored is null ? plan : TrialLabels.AsStored(plan, stored.Cells);
        IReadOnlyList<string> gone = stored?.RequireSameMeaning(plan, runs) ?? [];
        stored?.RequireSameSearch(plan, HalvingDecisions.Read(paths).All.Count);
        StoredRuns.RequireSameConfiguration(plan, runs);
        return new(plan, paths, stored, gone);
    }

    /// <summary>All cells of a sweep have their journals in one place: where those are that have begun.</summary>
    /// <param name="given">Where they would go; null for the folders of the runs.</param>
    /// <param name="asked">Somebody asked for that, so that another place is not taken instead.</param>
    /// <exception cref="UserError">The sweep's are elsewhere.</exception>
    public JournalPlace? Journal(JournalPlace? given, bool asked) =>
        this.Stored is null || this.Stored.Journal == given ? given
        : !asked ? this.Stored.Journal
        : throw new UserError($"the journals of the sweep '{this.Stored.Name}' are {(this.Stored.Journal is { } place ? $"at {place}" : "in the folders of its runs")}; give a sweep with other journals another name");
}
