using NE.Model.Statistics;
using NE.Shell.Host;

namespace NE.Shell.Reports.Compare.Data;

/// <summary>Sorts runs into environments and arms.</summary>
public static class Grouping
{
    /// <summary>One panel per environment, in the order of the runs.</summary>
    /// <param name="selection">What was named.</param>
    /// <param name="at">Compare at this step instead of the runs' length.</param>
    /// <exception cref="UserError">Runs of one environment have several lengths and no step was given, or nothing can be compared at the step.</exception>
    public static IReadOnlyList<Panel> Of(Selection selection, long? at)
    {
        if (at is { } end)
        {
            // What was changed at a resume behind the step is no part of what is compared.
            selection = selection with { Runs = [.. selection.Runs.Select(run => run.UnchangedFrom(end))] };
        }

        ReportedRun[] runs = [.. selection.Runs.Where(run => !run.Returns.IsEmpty)];
        Dictionary<string, string> labels = ArmLabels.Of(selection.Runs);
        (AbsentRun Cell, string Label)[] absent = [.. selection.Absent.Select(cell => (cell, ArmLabels.Of(cell, selection.Runs, labels)))];
        string[] order = [.. selection.Runs.Select(run => labels[run.Name]).Concat(absent.Select(cell => cell.Label)).Distinct()];
        return [.. runs.Select(run => run.Environment).Distinct().Select(environment => Panel(environment, selection, labels, absent, order, at))];
    }

    /// <summary>What every arm's runs have where arms differ: key to value by arm. Keys in which an arm's own runs differ have several values.</summary>
    public static IReadOnlyList<(string Key, IReadOnlyDictionary<string, string> ByArm)> Differences(IReadOnlyList<Panel> panels)
    {
        (string Label, ReportedRun Run)[] runs = [.. panels.SelectMany(panel => panel.Arms).SelectMany(arm => arm.Runs.Select(run => (arm.Label, run)))];
        string[] keys = [.. runs.SelectMany(run => run.Run.Keys.Keys).Distinct()];
        var differences = new List<(string, IReadOnlyDictionary<string, string>)>();

        foreach (string key in keys.Where(key => key is not ("run.environment" or "run.seed")))
        {
            Dictionary<string, string> byArm = runs.GroupBy(run => run.Label).ToDictionary(
                arm => arm.Key, arm => string.Join(" / ", arm.Select(run => run.Run.Value(key) ?? "-").Distinct()));

            if (byArm.Values.Distinct().Count() > 1)
            {
                differences.Add((key, byArm));
            }
        }

        return differences;
    }

    private static Panel Panel(
        string environment, Selection selection, Dictionary<string, string> labels, (AbsentRun Cell, string Label)[] unstarted, string[] order, long? at)
    {
        ReportedRun[] all = [.. selection.Runs.Where(run => run.Environment == environment)];
        (AbsentRun Cell, string Label)[] absent = [.. unstarted.Where(cell => cell.Cell.Environment == environment)];
        long[] lengths = [.. all.Select(run => run.TotalSteps).Distinct().Order()];
        bool byEpisodes = all.Any(run => run.EndsByEpisodes);

        if (byEpisodes && at is not null)
        {
            throw new UserError($"the phases on {environment} are counted in episodes, so at step {at} every run may be on another task: report them without --at");
        }

        if (lengths.Length > 1 && at is null)
        {
            throw new UserError(
                $"the runs on {environment} have lengths of {string.Join(" and ", lengths.Select(Format.Count))} steps, and values such as the growth schedule depend on it: "
                + (byEpisodes ? "report them apart" : $"report them apart, or compare all of them at one step with --at {lengths[0]}"));
        }

        if (at > lengths[^1])
        {
            throw new UserError($"--at {at} lies behind the end of the runs on {environment} ({Format.Count(lengths[^1])} steps)");
        }

        double horizon = at ?? lengths[^1];
        long[] seeds = [.. all.Select(run => run.Seed).Concat(absent.Select(cell => cell.Cell.Seed)).Distinct().Order()];
        Arm[] arms =
        [
            .. order
                .Select((label, index) => Arm(
                    label, index, environment, horizon, seeds, [.. all.Where(run => labels[run.Name] == label)], [.. absent.Where(cell => cell.Label == label).Select(cell => cell.Cell)]))
                .OfType<Arm>(),
        ];

        if (at is { } step && arms.All(arm => arm.Scores.Count == 0))
        {
            RequireEvaluations(environment, step, all);
        }

        string[] tasks = [.. arms.SelectMany(arm => arm.Scores).Select(score => score.Task).OfType<string>().Distinct()];
        return tasks.Length < 2
            ? new(environment, byEpisodes ? all.Max(run => run.Reached) : horizon, arms)
            : throw new UserError(
                $"at step {Format.Count((long)horizon)} the runs on {environment} are on several tasks ({string.Join(" and ", tasks)}), whose returns cannot be compared: report them apart");
    }

    /// <summary>Runs that have got to a step and still have no score were evaluated too seldom for it.</summary>
    private static void RequireEvaluations(string environment, long step, IEnumerable<ReportedRun> runs)
    {
        double[] evaluated = [.. runs.Where(run => run.Covers(step)).SelectMany(run => run.Returns.Steps).Where(other => other > 0)];

        if (evaluated.Length > 0)
        {
            throw new UserError(
                $"no run on {environment} has an evaluation in the last 10 % up to step {step}; the nearest step that works is --at {evaluated.MinBy(other => Math.Abs(other - step)):0}");
        }
    }

    private static Arm? Arm(string label, int index, string environment, double horizon, long[] seeds, ReportedRun[] runs, AbsentRun[] absent)
    {
        if (runs.Length + absent.Length == 0)
        {
            return null;
        }

        ReportedRun[] shown = [.. runs.Where(run => !run.Returns.IsEmpty).OrderBy(run => run.Seed).ThenBy(run => run.Name, StringComparer.Ordinal)];

        if (runs.GroupBy(run => run.Seed).FirstOrDefault(seed => seed.Count() > 1) is { } twice)
        {
            throw new UserError(
                $"{string.Join(" and ", twice.Select(run => run.Name))} are the same arm ({label}) and seed {twice.Key} on {environment}, so they are not independent: name one of them");
        }

        RunScore[] scores = [.. shown.Where(run => run.Covers(horizon)).Select(run => RunScore.Of(run, horizon))];
        IEnumerable<string> unscored = runs
            .OrderBy(run => run.Seed)
            .Where(run => !scores.Any(score => score.Run.Name == run.Name && double.IsFinite(score.Final)))
            .Select(run => $"seed {run.Seed} ({(run.Covers(horizon) ? RunScore.Lack(run, horizon) : Progress(run, horizon))})");
        IEnumerable<string> unstarted = Evidence.missing(seeds, runs.Select(run => run.Seed)).Select(seed =>
            $"seed {seed} ({(absent.FirstOrDefault(cell => cell.Seed == seed) is not { } cell ? "no run" : cell.IsUnreadable ? "cannot be read" : "not started")})");
        RunScore[] finite = [.. scores.Where(score => double.IsFinite(score.Final))];
        return new Arm
        {
            Label = label,
            Environment = environment,
            Index = index,
            Runs = shown,
            Scores = finite,
            Missing = [.. unscored, .. unstarted],
            Seeds = runs.Length + absent.Length,
            Lost = [.. runs.Where(run => (run.State == "failed" || run.HasDiverged(horizon)) && finite.All(score => score.Run.Name != run.Name))],
            Lengths = [.. runs.Select(run => run.TotalSteps).Distinct().Order()],
        };
    }

    private static string Progress(ReportedRun run, double horizon) =>
        $"{run.State}, evaluated up to {Format.Count((long)run.Reached)} of {(run.EndsByEpisodes ? "at most " : "")}{Format.Count((long)horizon)} steps";
}
