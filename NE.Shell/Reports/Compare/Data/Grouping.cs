using NE.Model.Statistics;
using NE.Shell.Commands;
using NE.Shell.Views;

namespace NE.Shell.Reports.Compare.Data;

/// <summary>Sorts runs into environments and arms.</summary>
public static class Grouping
{
    /// <summary>Share of the length whose evaluations make the final score.</summary>
    public const double LastShare = 0.1;

    /// <summary>Keys that say who and where, not what: they never make an arm of their own.</summary>
    private static readonly HashSet<string> Unimportant =
    [
        "run.environment", "run.method", "run.seed", "run.steps", "compute.threads", "compute.device", "checkpoint.every", "checkpoint.keep", "log.metricsEvery",
        "video.every", "external.startTimeout", "external.stepTimeout", "evaluation.every",
    ];

    /// <summary>One panel per environment, in the order of the runs.</summary>
    /// <param name="selection">What was named.</param>
    /// <param name="at">Compare at this step instead of the runs' length.</param>
    /// <exception cref="UserError">Runs of one environment have several lengths and no step was given.</exception>
    public static IReadOnlyList<Panel> Of(Selection selection, long? at)
    {
        ReportedRun[] runs = [.. selection.Runs.Where(run => !run.Returns.IsEmpty)];
        Dictionary<string, string> labels = Labels(selection.Runs);
        string[] order = [.. selection.Runs.Select(run => labels[run.Name]).Concat(selection.Absent.Select(cell => cell.Label)).Distinct()];
        return [.. runs.Select(run => run.Environment).Distinct().Select(environment => Panel(environment, selection, labels, order, at))];
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
                arm => arm.Key, arm => string.Join(" / ", arm.Select(run => run.Run.Keys.GetValueOrDefault(key, "-")).Distinct()));

            if (byArm.Values.Distinct().Count() > 1)
            {
                differences.Add((key, byArm));
            }
        }

        return differences;
    }

    private static Panel Panel(string environment, Selection selection, Dictionary<string, string> labels, string[] order, long? at)
    {
        ReportedRun[] all = [.. selection.Runs.Where(run => run.Environment == environment)];
        AbsentRun[] absent = [.. selection.Absent.Where(cell => cell.Environment == environment)];
        long[] lengths = [.. all.Select(run => run.TotalSteps).Distinct().Order()];

        if (lengths.Length > 1 && at is null)
        {
            throw new UserError(
                $"the runs on {environment} have lengths of {string.Join(" and ", lengths.Select(Format.Count))} steps, and values such as the growth schedule depend on it: "
                + $"report them apart, or compare all of them at one step with --at {lengths[0]}");
        }

        if (at > lengths[^1])
        {
            throw new UserError($"--at {at} lies behind the end of the runs on {environment} ({Format.Count(lengths[^1])} steps)");
        }

        double horizon = at ?? lengths[^1];
        long[] seeds = [.. all.Select(run => run.Seed).Concat(absent.Select(cell => cell.Seed)).Distinct().Order()];
        Arm[] arms =
        [
            .. order
                .Select((label, index) => Arm(label, index, environment, horizon, seeds, [.. all.Where(run => labels[run.Name] == label)], [.. absent.Where(cell => cell.Label == label)]))
                .OfType<Arm>(),
        ];
        return new(environment, horizon, lengths[^1], arms);
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

        IEnumerable<string> unfinished = runs.Where(run => !run.Covers(horizon)).OrderBy(run => run.Seed).Select(run =>
            $"seed {run.Seed} ({run.State}, evaluated up to {Format.Count((long)run.Reached)} of {Format.Count((long)horizon)} steps)");
        IEnumerable<string> unstarted = Evidence.missing(seeds, runs.Select(run => run.Seed)).Select(seed =>
            absent.Any(cell => cell.Seed == seed) ? $"seed {seed} (not started)" : $"seed {seed} (no run)");
        return new Arm
        {
            Label = label,
            Environment = environment,
            Index = index,
            Runs = shown,
            Scores = [.. shown.Where(run => run.Covers(horizon)).Select(run => Score(run, horizon))],
            Missing = [.. unfinished, .. unstarted],
        };
    }

    private static RunScore Score(ReportedRun run, double horizon)
    {
        Curve curve = run.Returns.Until(horizon);
        return new(run, Curves.meanOfLast(LastShare, horizon, curve.Steps, curve.Values), Curves.areaUnder(curve.Steps, curve.Values));
    }

    /// <summary>Run name to arm: a sweep's label, or the method with the keys in which runs of the same method differ.</summary>
    private static Dictionary<string, string> Labels(IReadOnlyList<ReportedRun> runs)
    {
        var labels = new Dictionary<string, string>();

        foreach (ReportedRun run in runs.Where(run => run.Label is { Length: > 0 }))
        {
            labels[run.Name] = run.Label!;
        }

        ReportedRun[] plain = [.. runs.Where(run => run.Label is not { Length: > 0 })];

        foreach (IGrouping<string, ReportedRun> method in plain.GroupBy(run => run.Method))
        {
            string[] keys = [.. method.GroupBy(run => (run.Environment, run.TotalSteps)).SelectMany(Differing).Distinct().Order(StringComparer.Ordinal)];

            foreach (ReportedRun run in method)
            {
                labels[run.Name] = string.Join(" ", keys.Select(key => $"{Short(key, keys)}={run.Keys.GetValueOrDefault(key, "-")}").Prepend(method.Key));
            }
        }

        return labels;
    }

    private static IEnumerable<string> Differing(IEnumerable<ReportedRun> runs) => runs
        .SelectMany(run => run.Keys.Keys)
        .Distinct()
        .Where(key => !Unimportant.Contains(key) && runs.Select(run => run.Keys.GetValueOrDefault(key)).Distinct().Skip(1).Any());

    /// <summary>"engine" for "compute.engine", unless another key ends in the same way.</summary>
    private static string Short(string key, string[] keys)
    {
        string last = key[(key.LastIndexOf('.') + 1)..];
        return keys.Count(other => other == last || other.EndsWith("." + last, StringComparison.Ordinal)) > 1 ? key : last;
    }
}
