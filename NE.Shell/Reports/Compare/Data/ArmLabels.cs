using NE.Model;
using NE.Model.Tasks;

namespace NE.Shell.Reports.Compare.Data;

/// <summary>What the arms are called. Runs of one name have one configuration: where the label of a sweep, or the method, does not see to that, the name says more.</summary>
public static class ArmLabels
{
    private const string Length = "run.steps";
    private const string LongestEvaluation = "evaluation.maxSteps";

    /// <summary>Keys that say who, how long, where and how often something is written, not what is learned: they never make an arm of their own.</summary>
    private static readonly HashSet<string> Unimportant =
    [
        "run.environment", "run.seed", Length, "compute.threads", "compute.device", "checkpoint.every", "log.metricsEvery", "log.probeEvery", "log.tensorboard", "video.every",
        "schedule.workers",
        "external.startTimeout", "external.stepTimeout", "evaluation.every",
    ];

    /// <summary>Run name to arm.</summary>
    public static Dictionary<string, string> Of(IReadOnlyList<ReportedRun> runs)
    {
        var labels = runs.ToDictionary(run => run.Name, run => run.Label ?? run.Method);

        // A longer name may be one that another sweep gave: once more, until every name stands for one configuration.
        for (bool isSplit = true; isSplit;)
        {
            isSplit = false;

            foreach (IGrouping<string, ReportedRun> arm in runs.GroupBy(run => labels[run.Name]).ToArray())
            {
                isSplit |= Split(arm.Key, [.. arm], labels);
            }
        }

        return labels;
    }

    /// <summary>
    /// The arm of a cell without a run: that of the runs of the same sweep and label. What such a cell's configuration would be is not known,
    /// so it is not counted among the runs of others. What a resume changed in a run is no plan for the others.
    /// </summary>
    public static string Of(AbsentRun cell, IReadOnlyList<ReportedRun> runs, IReadOnlyDictionary<string, string> labels) =>
        runs
            .Where(run => run.Sweep == cell.Sweep && run.Label == cell.Label)
            .OrderBy(run => run.Environment == cell.Environment ? 0 : 1)
            .ThenBy(run => run.Changes.Count)
            .FirstOrDefault() is { } sibling
            ? labels[sibling.Name]
            : labels.Values.Contains(cell.Label) ? $"{cell.Sweep} {cell.Label}" : cell.Label;

    /// <summary>The keys whose change at a resume makes a run another arm than runs that always had its last values.</summary>
    public static IReadOnlyList<string> Changed(ReportedRun run) =>
        [.. run.Changes.Select(change => change.Key).Distinct().Where(key => !Unimportant.Contains(key) && Concerns(run, key))];

    /// <summary>Gives the runs of one name longer names where they differ.</summary>
    /// <returns>Whether they do.</returns>
    private static bool Split(string label, ReportedRun[] runs, Dictionary<string, string> labels)
    {
        ReportedRun[] swept = [.. runs.Where(run => run.Sweep is not null)];

        if (swept.Select(run => run.Sweep).Distinct().Skip(1).Any() && (Differing(swept).Length > 0 || DifferElsewhere(swept) || ShareSeed(swept)))
        {
            foreach (ReportedRun run in swept)
            {
                labels[run.Name] = $"{run.Sweep} {label}";
            }

            return true;
        }

        string[] keys = Differing(runs);

        foreach (ReportedRun run in runs)
        {
            labels[run.Name] = string.Join(" ", keys.Select(key => $"{Short(key, keys)}={(key == Length ? Steps(run) : Value(run, key) ?? "-")}").Prepend(label));
        }

        return keys.Length > 0;
    }

    /// <summary>
    /// Whether sweeps differ from each other on environments that they do not share: scores of one name are taken together over all
    /// environments. What differs between the environments of one sweep follows from these.
    /// </summary>
    private static bool DifferElsewhere(IReadOnlyList<ReportedRun> swept)
    {
        int sweeps = swept.Select(run => run.Sweep).Distinct().Count();
        return swept
            .GroupBy(run => run.Environment)
            .Where(environment => environment.Select(run => run.Sweep).Distinct().Count() < sweeps)
            .SelectMany(environment => environment)
            .GroupBy(run => run.TotalSteps)
            .SelectMany(Within)
            .Any();
    }

    private static bool ShareSeed(IEnumerable<ReportedRun> swept) =>
        swept.GroupBy(run => (run.Environment, run.Seed)).Any(seed => seed.Select(run => run.Sweep).Distinct().Skip(1).Any());

    /// <summary>Keys in which runs of one environment and length differ; and the length, where another one made other values of keys that were left to it.</summary>
    private static string[] Differing(IReadOnlyList<ReportedRun> runs)
    {
        string[] keys = [.. runs.GroupBy(run => (run.Environment, run.TotalSteps)).SelectMany(Within).Distinct().Order(StringComparer.Ordinal)];
        return runs.GroupBy(run => run.Environment).SelectMany(Within).Except(keys).Any() ? [.. keys, Length] : keys;
    }

    private static IEnumerable<string> Within(IEnumerable<ReportedRun> runs) => runs
        .SelectMany(run => run.Keys.Keys)
        .Distinct()
        .Where(key => !Unimportant.Contains(key) && runs.Select(run => Value(run, key)).Distinct().Skip(1).Any() && runs.Any(run => Concerns(run, key)));

    /// <summary>The value, with those before where a resume changed it. An old run that does not name a key has the value that all runs had then; null for a key that this version does not know.</summary>
    private static string? Value(ReportedRun run, string key)
    {
        string? value = run.Value(key) ?? OfOldRuns(key);
        // Both leave the end of an episode to the environment.
        return key == LongestEvaluation && value == "0" && HasTimeLimit(run.Environment) ? "auto" : value;
    }

    /// <summary>Whether episodes end by time, in every task of a cycle. Of environments that are not ours it is not known here.</summary>
    private static bool HasTimeLimit(string environment)
    {
        string[] tasks = TaskCycle.isCycle(environment) ? TaskCycle.tasks(environment) : [environment];
        return tasks.All(task => Registry.tryFind(task)?.Value.Info.TimeLimit < int.MaxValue);
    }

    private static string? OfOldRuns(string key) => SettingsModule.tryFind(key)?.Get.Invoke(SettingsModule.ofOldRuns);

    /// <summary>Whether the key can make a difference to the run. One of a method that this version does not know may be touched by any.</summary>
    private static bool Concerns(ReportedRun run, string key) =>
        run.SettingsOf("run.learner", "run.method", "compute.engine") is not { } settings || SettingsModule.concerns(settings, key);

    private static string Steps(ReportedRun run) => run.TotalSteps.ToString(System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>"engine" for "compute.engine", unless another key ends in the same way.</summary>
    private static string Short(string key, string[] keys)
    {
        string last = key[(key.LastIndexOf('.') + 1)..];
        return keys.Count(other => other == last || other.EndsWith("." + last, StringComparison.Ordinal)) > 1 ? key : last;
    }
}
