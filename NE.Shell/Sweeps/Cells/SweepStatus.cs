namespace NE.Shell.Sweeps.Cells;

/// <summary>A sweep's state for people to look at; immutable.</summary>
public sealed record SweepStatus
{
    public required string Name { get; init; }

    /// <summary>Too short to be evidence of anything.</summary>
    public bool Smoke { get; init; }

    /// <summary>Runs at a time.</summary>
    public int Parallel { get; init; }

    /// <summary>Every cell's state, in order.</summary>
    public IReadOnlyList<CellStatus> Cells { get; init; } = [];

    /// <summary>Seconds since this process began.</summary>
    public double ElapsedSeconds { get; init; }

    /// <summary>Seconds until every cell is done; NaN while it is unknown.</summary>
    public double LeftSeconds { get; init; } = double.NaN;

    /// <summary>Why no further cell is started; null while the sweep goes on.</summary>
    public string? Stopping { get; init; }

    /// <summary>The program was rebuilt while the sweep worked: no further cell is started, and those that work go on to their end.</summary>
    public bool Rebuilt { get; init; }

    public int Count(CellState state) => this.Cells.Count(cell => cell.State == state);
}

/// <summary>One cell as the views show it.</summary>
/// <param name="Name">The run's name.</param>
/// <param name="State">Where it is.</param>
/// <param name="Steps">Length of the run.</param>
/// <param name="Progress">How far it is.</param>
/// <param name="LeftSeconds">Seconds that it still takes; NaN while that is unknown.</param>
/// <param name="Foreign">A process works on it that this sweep did not start.</param>
/// <param name="Error">Why it failed, was killed or stopped; null when it did not.</param>
/// <param name="Log">What its processes printed.</param>
public sealed record CellStatus(
    string Name,
    CellState State,
    long Steps,
    CellProgress Progress,
    double LeftSeconds = double.NaN,
    bool Foreign = false,
    string? Error = null,
    string? Log = null);
