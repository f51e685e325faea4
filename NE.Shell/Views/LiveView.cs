using NE.Actors.Runs;
using NE.Shell.Host;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace NE.Shell.Views;

/// <summary>The screen of a run while it works: a pure function of its status.</summary>
public static class LiveView
{
    private const int CurveWidth = 40;
    private const int ShownEnvironments = 8;

    /// <summary>Draws the status.</summary>
    public static IRenderable Render(RunTitle title, RunStatus status)
    {
        Table table = new Table { Border = TableBorder.None, ShowHeaders = false };
        table.AddColumn(new TableColumn("") { NoWrap = true, Padding = new Padding(0, 0, 2, 0) });
        table.AddColumn(new TableColumn("") { Padding = new Padding(0, 0, 0, 0) });

        foreach ((string label, string text) in Lines(status))
        {
            table.AddRow(new Text(label, Style.Parse("grey")), new Text(text));
        }

        List<IRenderable> rows = [new Text($"{title.Name}  ({title.Description})", Style.Parse("bold"))];

        if (status.Steps > 0)
        {
            rows.Add(Progress(status));
            rows.Add(table);
        }

        if (Notice(status) is { } notice)
        {
            rows.Add(notice);
        }

        return new Rows(rows);
    }

    /// <summary>Seconds until the last step at the speed of steps that are learned from; NaN before there was one.</summary>
    public static double SecondsLeft(RunStatus status) =>
        status.LearningStepsPerSecond > 0 ? (status.Steps - status.Step) / status.LearningStepsPerSecond : double.NaN;

    /// <summary>That learning has not begun; null when it has.</summary>
    internal static string? WarmUp(long steps) => steps > 0 ? $"warming up, {Format.Count(steps)} steps to go" : null;

    private static Text Progress(RunStatus status)
    {
        double fraction = status.Steps > 0 ? (double)status.Step / status.Steps : 0;
        string time = double.IsNaN(SecondsLeft(status)) && status.WarmUpSteps > 0 ? "" : $", {Format.Duration(SecondsLeft(status))} left";
        string warmUp = WarmUp(status.WarmUpSteps) is { } words ? $", {words}" : "";
        string left = status.Phase is RunPhase.Training ? time + warmUp : "";
        return new Text(
            $"{Sparkline.Bar(fraction, CurveWidth)}  {Format.Count(status.Step)} / {Format.Count(status.Steps)}  {Format.Percent(fraction)}  "
            + $"{Format.Duration(status.ElapsedSeconds)} gone{left}",
            Style.Parse("green"));
    }

    private static IEnumerable<(string Label, string Text)> Lines(RunStatus status)
    {
        if (status.Task is { } task)
        {
            yield return ("task", task);
        }

        yield return ("speed",
            $"{Format.Rate(status.StepsPerSecond)} steps/s   {Format.Rate(status.UpdatesPerSecond)} updates/s   "
            + $"{Format.Value(status.SampleToInsert)} samples per insert   learner waits {Format.Percent(status.LearnerWaiting)}");

        if (status.GradientStepsOwed > 0)
        {
            yield return ("learning", $"{Format.Counted(status.GradientStepsOwed, "gradient step")} before the next environment step");
        }

        if (status.EpisodeReturns.Count > 0)
        {
            yield return ("returns", $"{Sparkline.Render(status.EpisodeReturns, CurveWidth)}  last {Format.Value(status.EpisodeReturns[^1])}");
        }

        if (status.Evaluations.Count > 0)
        {
            (long step, double mean) = status.Evaluations[^1];
            (long bestStep, double best) = status.Evaluations.MaxBy(evaluation => evaluation.Mean);
            yield return ("evaluation",
                $"{Sparkline.Render(status.Evaluations.Select(evaluation => evaluation.Mean), CurveWidth)}  {Format.Value(mean)} at {Format.Count(step)}, "
                + $"best {Format.Value(best)} at {Format.Count(bestStep)}");
        }

        if (Late(status) is { } late)
        {
            yield return ("", late);
        }

        foreach (string network in (string[])["actor", "critic"])
        {
            if (Network(status, network) is { Length: > 0 } text)
            {
                yield return (network, text);
            }
        }

        if (status.Metrics.TryGetValue("actor_effective_rank", out double actorRank) && status.Metrics.TryGetValue("critic_effective_rank", out double criticRank))
        {
            yield return ("features", $"effective rank: actor {Format.Value(actorRank)}, critic {Format.Value(criticRank)}");
        }

        if (status.Metrics.TryGetValue("review_fraction", out double reviewed))
        {
            string probability = status.Metrics.TryGetValue("review_probability", out double next) ? $", probability now {Format.Percent(next)}" : "";
            yield return ("review", $"{Format.Percent(reviewed)} of batches{probability}");
        }

        double fill = status.ReplayCapacity > 0 ? (double)status.ReplaySize / status.ReplayCapacity : 0;
        yield return ("replay", $"{Sparkline.Bar(fill, 20)}  {Format.Count(status.ReplaySize)} / {Format.Count(status.ReplayCapacity)}  {Format.Percent(fill)}");
        yield return ("checkpoint", status.CheckpointStep is { } checkpoint
            ? $"step {Format.Count(checkpoint)}, {Format.Duration(status.CheckpointAgeSeconds)} ago, {Format.Bytes(status.CheckpointBytes)}, learner paused {Format.Value(status.CheckpointPauseMilliseconds)} ms"
            : "none yet");

        foreach (EnvironmentStatus environment in status.Environments.Take(ShownEnvironments))
        {
            string restarts = environment.Restarts == 0 ? "" : environment.Restarts == 1 ? "   restarted once" : $"   restarted {environment.Restarts} times";
            yield return ($"environment {environment.Index}", $"{Format.Counted(environment.Episodes, "episode")}   last return {Format.Value(environment.LastReturn)}{restarts}");
        }

        if (status.Environments.Count > ShownEnvironments)
        {
            EnvironmentStatus[] others = [.. status.Environments.Skip(ShownEnvironments)];
            yield return ($"{others.Length} more", $"{Format.Counted(others.Sum(other => other.Episodes), "episode")}   restarted {Format.Counted(others.Sum(other => other.Restarts), "time")}");
        }
    }

    /// <summary>Which evaluation a checkpoint was made without; null when there is none.</summary>
    internal static string? Late(RunStatus status) => status.LateEvaluations switch
    {
        [] => null,
        [var step] => $"late: the evaluation of step {Format.Count(step)}",
        [var step, ..] => $"late: the evaluation of step {Format.Count(step)}, and {status.LateEvaluations.Count - 1} more",
    };

    /// <summary>Density and activated ratios of a network, as far as they were measured.</summary>
    internal static string Network(RunStatus status, string network)
    {
        (string Metric, string Name)[] shown = [("density", "density"), ("anr_0", "activated"), ("anr_0.1", "activated above 0.1"), ("fau", "active units")];
        return string.Join("   ", shown
            .Where(pair => status.Metrics.ContainsKey($"{network}_{pair.Metric}"))
            .Select(pair => $"{pair.Name} {Format.Percent(status.Metrics[$"{network}_{pair.Metric}"])}"));
    }

    private static Text? Notice(RunStatus status) => status.Phase switch
    {
        RunPhase.Starting => new Text("starting ..."),
        RunPhase.Paused => new Text($"paused: {status.Message ?? "the last checkpoint could not be written; trying again"}", Style.Parse("yellow")),
        RunPhase.Stopping => new Text($"stopping{(status.Message is { } why ? $" ({why})" : "")}: writing the last checkpoint; Ctrl-C again ends at once", Style.Parse("yellow")),
        RunPhase.Failed => new Text($"failed: {status.Message}", Style.Parse("red")),
        RunPhase.Interrupted => new Text("interrupted", Style.Parse("yellow")),
        RunPhase.Completed => new Text("completed", Style.Parse("green")),
        _ => status.Message is { } message ? new Text(message, Style.Parse("yellow")) : null,
    };
}
