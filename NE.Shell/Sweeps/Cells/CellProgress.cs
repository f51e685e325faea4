using NE.Actors.RunDirectory;
using NE.Shell.RunFiles;

namespace NE.Shell.Sweeps.Cells;

/// <summary>How far a run is, read from its tables while another process writes them.</summary>
/// <param name="Step">Of the newest row of timing.csv, about 10 s old at most.</param>
/// <param name="StepsPerSecond">Of the last ten minutes of learning: what the machine does beside it for a minute says little of what is left. Null before there is one.</param>
/// <param name="Evaluation">The newest mean return; null before the first.</param>
public sealed record CellProgress(long Step, double? StepsPerSecond, double? Evaluation)
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
                evaluation.TryGetValue("mean", out double mean) && double.IsFinite(mean) ? mean : before.Evaluation);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            return before;
        }
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
