using NE.Actors.Configuration;
using NE.Actors.Journal;
using NE.Actors.RunDirectory;
using NE.Shell.Sweeps.Planning;

namespace NE.Shell.Sweeps.Cells;

/// <summary>Where a cell is.</summary>
public enum CellState
{
    /// <summary>Nothing of it exists.</summary>
    Waiting,

    /// <summary>Begun and stopped or killed; it goes on from its last commit.</summary>
    Interrupted,

    /// <summary>A process works on it.</summary>
    Running,

    /// <summary>Its last process failed.</summary>
    Failed,

    /// <summary>A trial of a search that waits for the others before it is decided which go on.</summary>
    Paused,

    /// <summary>A trial of a search that goes no further.</summary>
    Dropped,

    /// <summary>All steps are done.</summary>
    Complete,
}

/// <summary>What a cell's run directory says about it.</summary>
internal static class CellInspection
{
    /// <summary>The state as run.json, the lock and the sweep's list of failures tell it.</summary>
    public static CellState StateOf(string runs, SweepCell cell, CellFailures failures)
    {
        RunPaths paths = RunPaths.Of(runs, cell.Name);

        if (RunLock.Holder(paths) is not null)
        {
            return CellState.Running;
        }

        return Status(paths) switch
        {
            RunState.Completed => CellState.Complete,
            RunState.Failed => CellState.Failed,
            _ when failures.Of(cell.Name) is not null => CellState.Failed,
            null => CellState.Waiting,
            _ => CellState.Interrupted,
        };
    }

    /// <summary>
    /// The same, with a look into the journal where run.json can be wrong: a process may be killed between its last commit and its last
    /// word.
    /// </summary>
    public static CellState CloseLook(string runs, SweepCell cell, long steps, CellFailures failures)
    {
        CellState state = StateOf(runs, cell, failures);

        try
        {
            return state is CellState.Interrupted && JournalReader.IsComplete(RunPaths.Of(runs, cell.Name), steps) ? CellState.Complete : state;
        }
        catch (Exception damaged) when (damaged is IOException or InvalidDataException)
        {
            // Its own process says what is wrong, and the other cells go on.
            return state;
        }
    }

    /// <summary>Why a failed cell failed, as far as anybody wrote it down.</summary>
    public static string? ErrorOf(string runs, SweepCell cell, CellFailures failures) =>
        failures.Of(cell.Name)?.Error ?? Info(RunPaths.Of(runs, cell.Name))?.StatusReason;

    /// <summary>The newest start or resume of a run; null when there is none.</summary>
    public static RunStretch? NewestStretch(RunPaths paths) => Info(paths)?.Stretches.LastOrDefault();

    private static RunState? Status(RunPaths paths) =>
        // Its own process says what is wrong with a file that cannot be read.
        StoredRunInfo.Exists(paths) ? Info(paths)?.Status ?? RunState.Interrupted : null;

    /// <summary>Null when there is no run, or its file cannot be read.</summary>
    private static RunInfo? Info(RunPaths paths)
    {
        try
        {
            return StoredRunInfo.Exists(paths) ? StoredRunInfo.Of(paths).Info : null;
        }
        catch (Exception unreadable) when (unreadable is InvalidDataException or RunFolderException)
        {
            return null;
        }
    }
}
