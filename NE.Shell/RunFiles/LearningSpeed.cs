namespace NE.Shell.RunFiles;

/// <summary>How fast a run is, from its table of timings.</summary>
public static class LearningSpeed
{
    /// <summary>Rows of timing.csv in ten minutes, and the one before: what the machine does beside a run for a minute says little of what is left.</summary>
    public const int Rows = 61;

    /// <summary>Environment steps per second over these rows, as far as they are of one process, whose clock rises, and of steps that are learned from; null when there are none.</summary>
    /// <param name="timing">The newest rows, oldest first.</param>
    /// <param name="learnsFrom">Up to this step steps are random and fast, and at it a run may stand while it is primed: they tell nothing of the speed.</param>
    public static double? Of(IReadOnlyList<IReadOnlyDictionary<string, double>> timing, long learnsFrom)
    {
        double At(int row, string column) => timing[row].GetValueOrDefault(column);
        int last = timing.Count - 1;
        int first = last;

        while (first > 0 && At(first - 1, "elapsedSeconds") < At(first, "elapsedSeconds") && At(first - 1, "step") > learnsFrom)
        {
            first--;
        }

        double rate = first < last ? (At(last, "step") - At(first, "step")) / (At(last, "elapsedSeconds") - At(first, "elapsedSeconds")) : 0;
        return rate > 0 ? rate : null;
    }
}
