using NE.Actors.RunDirectory;
using NE.Shell.Sweeps.Cells;
using NE.Shell.Sweeps.Planning;

namespace NE.Shell.Sweeps.Processes;

/// <summary>One cell while a sweep works.</summary>
internal sealed class CellWork(PlannedCell cell, CellState state)
{
    public PlannedCell Cell { get; } = cell;

    public string Name => this.Cell.Name;

    public CellState State { get; set; } = state;

    /// <summary>The process of this sweep that works on it.</summary>
    public IRunningCell? Process { get; set; }

    /// <summary>Its last process was to resume a run, not to begin one.</summary>
    public bool Resumed { get; set; }

    /// <summary>The newest start or resume of its run when that process was started; null when there was none.</summary>
    public RunStretch? Newest { get; set; }

    /// <summary>Another process works on it, perhaps one that an earlier sweep left; it is waited for.</summary>
    public bool Foreign { get; set; }

    public CellProgress Progress { get; set; } = CellProgress.None;

    /// <summary>Why it failed, was killed or stopped.</summary>
    public string? Error { get; set; }

    /// <summary>It was killed or stopped from outside and is left alone until the sweep is started again.</summary>
    public bool GivenUp { get; set; }

    /// <summary>Its process was asked to stop because the others of its search are to be waited for.</summary>
    public bool Pausing { get; set; }

    /// <summary>To be started when there is room, as far as its search lets it go on.</summary>
    public bool IsUnfinished => !this.GivenUp && this.State is (CellState.Waiting or CellState.Interrupted);
}
