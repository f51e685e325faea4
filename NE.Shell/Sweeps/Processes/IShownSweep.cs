using System.Collections.Concurrent;
using NE.Shell.Sweeps.Cells;

namespace NE.Shell.Sweeps.Processes;

/// <summary>A sweep at work, as whoever watches it sees it.</summary>
internal interface IShownSweep
{
    /// <summary>The newest; from any thread.</summary>
    SweepStatus Status { get; }

    /// <summary>What happened, one line each.</summary>
    ConcurrentQueue<string> News { get; }

    /// <summary>Starts no further cell and lets those that work commit and stop. From any thread, and more than once.</summary>
    void RequestStop(string reason);
}
