using NE.Model.Statistics;
using NE.Shell.Host;
using NE.Shell.Reports.Compare.Data;

namespace NE.Shell.Reports.Compare;

/// <summary>What must be read before any number of a report, a sentence or two each.</summary>
internal static class ReportWarnings
{
    private const string Simulator = "MuJoCo";

    public static IEnumerable<string> Of(Selection selection, IReadOnlyList<Panel> panels) =>
    [
        .. OfSweeps(selection),
        .. selection.Unreadable.Select(Sentence),
        .. selection.Runs.SelectMany(run => run.Damage.Select(damage => Sentence($"{run.Name} {damage}"))),
        .. panels.SelectMany(OfPanel),
        .. NotShown(selection, panels),
    ];

    private static IEnumerable<string> OfSweeps(Selection selection)
    {
        if (selection.Smoke.Count > 0)
        {
            yield return $"{ComparisonReport.SmokeBanner}: {string.Join(", ", selection.Smoke)}";
        }

        if (selection.Decided.Count > 0)
        {
            yield return $"A search chose the trials that are shown by these very runs, so they look better than they are; compare them on seeds of their own. {string.Join(". ", selection.Decided)}.";
        }
    }

    private static IEnumerable<string> OfPanel(Panel panel)
    {
        Arm[] few = [.. panel.Arms.Where(arm => !arm.IsEvidence)];

        if (few.Length > 0)
        {
            yield return $"{panel.Environment}: {string.Join(", ", few.Select(arm => $"{arm.Label} ({arm.Scores.Count} complete)"))} "
                + $"{(few.Length == 1 ? "has" : "have")} fewer than {Evidence.LeastSeeds} seeds, so no interval and no comparison is given.";
        }

        (string Arm, int Repeat)[] steps = [.. panel.Arms.SelectMany(arm => arm.Runs.Select(run => (arm.Label, run.ActionRepeat))).Distinct()];

        if (steps.Select(step => step.Repeat).Distinct().Skip(1).Any())
        {
            yield return $"{panel.Environment}: {string.Join(", ", steps.Select(step => $"a step of {step.Arm} is {Format.Counted(step.Repeat, "control step")}"))}. "
                + "So at one step of the report the arms have not spent as long in the task.";
        }

        foreach (Arm arm in panel.Arms)
        {
            if (arm.Survival is { } survival)
            {
                yield return $"{panel.Environment}, {arm.Label}: {survival}.";
            }

            foreach (IGrouping<string, ReportedRun> same in arm.Runs.Where(run => ArmLabels.Changed(run).Count > 0).GroupBy(Changes))
            {
                yield return $"{panel.Environment}, {Names(same)}: a resume changed {same.Key}. Runs that had one value from their start to their end are another arm.";
            }

            if (Simulators(arm) is { Length: > 1 } simulators)
            {
                yield return $"{panel.Environment}, {arm.Label}: its runs were simulated by several versions of {Simulator}, whose results differ: {string.Join("; ", simulators)}.";
            }
        }
    }

    private static IEnumerable<string> NotShown(Selection selection, IReadOnlyList<Panel> panels)
    {
        // What cannot be read has been named.
        IEnumerable<AbsentRun> unstarted = selection.Absent.Where(cell => !cell.IsUnreadable);

        foreach (IGrouping<string, AbsentRun> environment in unstarted.GroupBy(cell => cell.Environment).Where(group => panels.All(panel => panel.Environment != group.Key)))
        {
            IEnumerable<string> cells = environment.GroupBy(cell => cell.Label).Select(arm => $"{arm.Key}, {(arm.Count() == 1 ? "seed" : "seeds")} {string.Join(", ", arm.Select(cell => cell.Seed))}");
            yield return $"{environment.Key} is not shown: no run on it has an evaluation yet (not started: {string.Join("; ", cells)}).";
        }

        foreach (ReportedRun run in selection.Runs.Where(run => run.Returns.IsEmpty))
        {
            yield return $"{run.Name} has no evaluation yet ({run.State}) and is not shown.";
        }
    }

    /// <summary>"learner.polyak 0.005 -> 0.01 at 240,000", for every key that makes another arm.</summary>
    private static string Changes(ReportedRun run) => string.Join(", ", ArmLabels.Changed(run).Select(key => $"{key} {run.Value(key)}"));

    /// <summary>The versions with which an arm's runs were simulated, with the runs; a run that went on with another one has both.</summary>
    private static string[] Simulators(Arm arm)
    {
        // A program has a simulator of its own.
        if (arm.Environment.StartsWith("external:", StringComparison.Ordinal))
        {
            return [];
        }

        var used = arm.Runs.SelectMany(run => run.Stretches.Select(stretch => (Run: run, Version: stretch.Versions.GetValueOrDefault(Simulator))));
        return [.. used.Where(one => one.Version is not null).GroupBy(one => one.Version).Select(version => $"{version.Key} ({Names(version.Select(one => one.Run).Distinct())})")];
    }

    private static string Names(IEnumerable<ReportedRun> runs) => string.Join(", ", runs.Select(run => run.Name));

    private static string Sentence(string text) => text.TrimEnd('.', ' ') + ".";
}
