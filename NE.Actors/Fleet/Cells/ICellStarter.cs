using NE.Model.Fleet;

namespace NE.Actors.Fleet.Cells;

/// <summary>Begins the processes of cells on this machine.</summary>
public interface ICellStarter
{
    /// <summary>The program is still what this process is of: a cell of another build would not compare with those before it.</summary>
    bool IsSameBuild { get; }

    /// <param name="cell">Name of the run.</param>
    /// <param name="order">What to do.</param>
    /// <param name="ownDisk">Folder of the runs where that is not the one that all share: it is copied to the coordinator's, journals and all.</param>
    /// <exception cref="IOException">It cannot be begun.</exception>
    /// <exception cref="InvalidDataException">Nobody understands the order.</exception>
    ICellProcess Start(string cell, string order, string? ownDisk);
}

/// <summary>A process that works on a cell. It ends with this process, and when its lease is over, whatever becomes of this process.</summary>
public interface ICellProcess : IDisposable
{
    /// <summary>Ends when the process has. One whose lease was over has the code <see cref="CellExitCode.LeaseIsOver"/>.</summary>
    Task<CellEnd> End { get; }

    /// <summary>It may go on until then.</summary>
    /// <param name="deadline">[ms] By the steady clock of this machine.</param>
    void Renew(long deadline);

    /// <summary>Lets it commit and end.</summary>
    void RequestStop();

    /// <summary>Ends it at once; what it committed stays.</summary>
    void Kill();
}

/// <summary>Works on sweeps for the coordinator.</summary>
public interface ISweepHost
{
    /// <summary>Begins a sweep, or goes on with one that another coordinator left.</summary>
    /// <param name="submission">What whoever submitted it wrote.</param>
    /// <param name="again">Another coordinator accepted it before.</param>
    /// <param name="cells">Where its cells are worked on.</param>
    /// <exception cref="FleetException">It is refused; the message says why.</exception>
    ICoordinatedSweep Begin(string submission, bool again, ICellPlaces cells);
}

/// <summary>A sweep at work. From any thread.</summary>
public interface ICoordinatedSweep
{
    string Name { get; }

    /// <summary>What people are to know of it when it begins, line by line.</summary>
    string Greeting { get; }

    /// <summary>Ends when every cell is complete or failed, or after a stop.</summary>
    Task Work { get; }

    /// <summary>How it is, as its viewers read it.</summary>
    string Status { get; }

    void RequestStop(string reason);

    /// <summary>Another coordinator goes on with it: leaves its cells as they are and its files to that one.</summary>
    void Abandon();
}

/// <summary>Where a sweep's cells are worked on. From any thread.</summary>
public interface ICellPlaces
{
    /// <summary>Cells that are worked on at a time.</summary>
    int Slots { get; }

    /// <summary>Has a process work on a cell, on any node, until it ends by itself or is stopped.</summary>
    /// <param name="tell">Gets a sentence when it begins somewhere or goes on elsewhere.</param>
    ICellAtWork Start(string cell, string order, Action<string> tell);

    /// <summary>One that is worked on since another coordinator wanted it; null when there is none.</summary>
    ICellAtWork? Attach(string cell, Action<string> tell);
}

/// <summary>A cell that some node works on, or will.</summary>
public interface ICellAtWork
{
    Task<CellEnd> End { get; }

    /// <summary>Lets it commit and end.</summary>
    void RequestStop();
}
