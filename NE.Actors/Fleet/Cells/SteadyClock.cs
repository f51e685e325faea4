using System.Diagnostics;

namespace NE.Actors.Fleet.Cells;

/// <summary>A clock that nobody sets, the same for all processes of a machine. It stands still while the machine sleeps.</summary>
public static class SteadyClock
{
    /// <summary>[ms]</summary>
    public static long Now => Stopwatch.GetTimestamp() / (Stopwatch.Frequency / 1000);
}
