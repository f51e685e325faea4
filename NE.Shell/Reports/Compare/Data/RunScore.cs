using NE.Model.Statistics;
using NE.Shell.Host;
using NE.Shell.RunFiles;

namespace NE.Shell.Reports.Compare.Data;

/// <summary>The score of one run.</summary>
/// <param name="Run">The run.</param>
/// <param name="Final">Mean return of the evaluations in the last 10 % of the length, in a cycle those of its last phase alone; NaN where there is none.</param>
/// <param name="Area">Area under the learning curve over its length; NaN in a cycle, where it would mix the returns of several tasks.</param>
/// <param name="Task">The task that it is of, in a cycle whose phases are recorded.</param>
public sealed record RunScore(ReportedRun Run, double Final, double Area, string? Task)
{
    /// <summary>Share of the length whose evaluations make the final score.</summary>
    private const double LastShare = 0.1;

    /// <param name="run">A run that covers the horizon.</param>
    /// <param name="horizon">Step at which runs are compared.</param>
    public static RunScore Of(ReportedRun run, double horizon)
    {
        (double end, double begin, string? task) = Window(run, horizon);
        Curve curve = run.Until(end);
        // An evaluation at the step of a switch is the older phase's.
        Curve phase = curve.After(begin);
        return new(
            run,
            phase.IsEmpty ? double.NaN : Curves.meanOfLast(LastShare, end, phase.Steps, phase.Values),
            run.IsCycle || curve.IsEmpty ? double.NaN : Curves.areaUnder(curve.Steps, curve.Values),
            task);
    }

    /// <summary>Why a run that covers the horizon has no final score: "no evaluation from 30,600 to 34,000".</summary>
    public static string Lack(ReportedRun run, double horizon)
    {
        (double end, double begin, _) = Window(run, horizon);
        double from = Math.Max((1 - LastShare) * end, begin);
        return from < end
            ? $"no evaluation from {Format.Count((long)Math.Round(from))} to {Format.Count((long)end)}"
            : $"no evaluation of the last phase, from {Format.Count((long)begin)} on";
    }

    /// <summary>Where the run ends, behind which step its last phase lies, and on which task that is.</summary>
    private static (double End, double Begin, string? Task) Window(ReportedRun run, double horizon)
    {
        CsvTable phases = run.Phases;
        // Where phases are counted in episodes the horizon is only a bound: such a run ends where it ends, and its last phase is the last one.
        int row = Enumerable.Range(0, phases.Rows).LastOrDefault(row => run.EndsByEpisodes || phases.Number(row, "step") < horizon, -1);
        (double begin, string? task) = row < 0 ? (double.NegativeInfinity, null) : (phases.Number(row, "step"), phases.Text(row, "task"));
        return (run.EndsByEpisodes ? run.Reached : horizon, begin, task);
    }
}
