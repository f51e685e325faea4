using NE.Actors.RunDirectory;
using NE.Model.Statistics;
using NE.Shell.RunFiles;

namespace NE.Shell.Sweeps.Cells;

/// <summary>How far a run is, read from its tables while another process writes them.</summary>
/// <param name="Step">Of the newest row of timing.csv, about 10 s old at most.</param>
/// <param name="StepsPerSecond">Of the last ten minutes of learning: what the machine does beside it for a minute says little of what is left. Null before there is one.</param>
/// <param name="Evaluation">The newest mean return; null before the first.</param>
/// <param name="Evaluated">[environment steps] Where the newest evaluation was; -1 before the first.</param>
public sealed record CellProgress(long Step, double? StepsPerSecond, double? Evaluation, long Evaluated = -1)
{
    public static CellProgress None { get; } = new(0, null, null);

    /// <summary>Never throws: a table that cannot be read now leaves what was known before.</summary>
    /// <param name="paths">The run's files.</param>
    /// <param name="before">What was known before.</param>
    /// <param name="learnsFrom">See <see cref="LearningSpeed.Of"/>.</param>
    public static CellProgress Read(RunPaths paths, CellProgress before, long learnsFrom = 0)
    {
        try
        {
            IReadOnlyList<IReadOnlyDictionary<string, double>> timing = NewestRows.Read(paths.Timing, LearningSpeed.Rows);
            IReadOnlyDictionary<string, double> evaluation = NewestRows.Last(paths.Evaluations);
            return new(
                timing.Count > 0 && timing[^1].TryGetValue("step", out double step) ? (long)step : before.Step,
                LearningSpeed.Of(timing, learnsFrom) ?? before.StepsPerSecond,
                evaluation.TryGetValue("mean", out double mean) && double.IsFinite(mean) ? mean : before.Evaluation,
                evaluation.TryGetValue("step", out double at) ? (long)at : before.Evaluated);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            return before;
        }
    }

    /// <summary>What a run's curve is worth at a step of a search: see <see cref="NE.Model.Statistics.SuccessiveHalving.score"/>. NaN when it was not evaluated up to there.</summary>
    public static double ReturnAt(RunPaths paths, long step)
    {
        CsvTable evaluations = CsvTable.Read(paths.Evaluations);
        int[] rows = [.. Enumerable.Range(0, evaluations.Rows)];
        return SuccessiveHalving.score(step, [.. rows.Select(row => evaluations.Number(row, "step"))], [.. rows.Select(row => evaluations.Number(row, "mean"))]);
    }

    /// <summary>Seconds per environment step of a whole run, its restarts included; null when its table does not tell.</summary>
    public static double? SecondsPerStep(RunPaths paths)
    {
        CsvTable timing = CsvTable.Read(paths.Timing);
        // The clock of the table begins again with every process.
        (double seconds, double before, double steps) = (0, 0, 0);

        for (int row = 0; row < timing.Rows; row++)
        {
            (double now, double at) = (timing.Number(row, "elapsedSeconds"), timing.Number(row, "step"));

            if (double.IsFinite(now) && double.IsFinite(at))
            {
                seconds += now >= before ? now - before : now;
                (before, steps) = (now, at);
            }
        }

        return steps > 0 && seconds > 0 ? seconds / steps : null;
    }
}
