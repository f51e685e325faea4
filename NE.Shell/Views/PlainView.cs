using System.Globalization;
using NE.Actors.Runs;
using NE.Shell.Host;

namespace NE.Shell.Views;

/// <summary>The status in one plain line, for files and pipes.</summary>
public static class PlainView
{
    /// <summary>`key value` parts separated by `  `, without thousands separators so that other programs read them.</summary>
    public static string Line(RunStatus status)
    {
        if (status.Phase is RunPhase.Starting && status.Message is null)
        {
            return "starting";
        }

        var parts = new List<string>
        {
            $"step {status.Step}/{status.Steps}",
            $"{Format.Percent(status.Steps > 0 ? (double)status.Step / status.Steps : 0)}",
            status.WarmUpSteps > 0 ? $"warming up {status.WarmUpSteps}" : $"left {Format.Duration(LiveView.SecondsLeft(status))}",
            string.Create(CultureInfo.InvariantCulture, $"{status.StepsPerSecond:0.#} steps/s"),
            string.Create(CultureInfo.InvariantCulture, $"{status.UpdatesPerSecond:0.#} updates/s"),
        };

        if (status.GradientStepsOwed > 0)
        {
            parts.Add($"{status.GradientStepsOwed} gradient step{(status.GradientStepsOwed == 1 ? "" : "s")} before the next step");
        }

        if (status.Task is { } task)
        {
            parts.Add(task);
        }

        if (status.EpisodeReturns.Count > 0)
        {
            parts.Add($"return {Format.Value(status.EpisodeReturns[^1])}");
        }

        if (status.Evaluations.Count > 0)
        {
            (long step, double mean) = status.Evaluations[^1];
            parts.Add($"evaluation {Format.Value(mean)} at {step}");
        }

        if (status.LateEvaluations.Count > 0)
        {
            parts.Add($"late evaluations {string.Join(',', status.LateEvaluations)}");
        }

        foreach (string network in (string[])["actor", "critic"])
        {
            if (status.Metrics.TryGetValue($"{network}_density", out double density))
            {
                string activated = status.Metrics.TryGetValue($"{network}_anr_0", out double ratio) ? $" activated {Format.Percent(ratio)}" : "";
                parts.Add($"{network} density {Format.Percent(density)}{activated}");
            }
        }

        parts.Add($"replay {Format.Percent(status.ReplayCapacity > 0 ? (double)status.ReplaySize / status.ReplayCapacity : 0)}");
        parts.Add(status.CheckpointStep is { } checkpoint ? $"checkpoint {checkpoint}" : "no checkpoint yet");
        int restarts = status.Environments.Sum(environment => environment.Restarts);

        if (restarts > 0)
        {
            parts.Add($"restarts {restarts}");
        }

        if (status.Phase is not RunPhase.Training)
        {
            parts.Add(status.Message is { } message ? $"{Word(status.Phase)}: {message}" : Word(status.Phase));
        }
        else if (status.Message is { } note)
        {
            parts.Add(note);
        }

        return string.Join("  ", parts);
    }

    private static string Word(RunPhase phase) => phase.ToString().ToLowerInvariant();
}
