using System.ComponentModel;
using NE.Actors.RunDirectory;
using NE.Actors.Stores;
using NE.Model.Fleet;
using NE.Shell.Host;

namespace NE.Shell.Sweeps.Processes;

/// <summary>Where the processes of a sweep's cells run: on this machine, or on the nodes of a fleet.</summary>
internal interface ICellRunner
{
    /// <summary>Cells at a time; it may change.</summary>
    int Slots { get; }

    /// <summary>Cores for each.</summary>
    int CoresPerCell { get; }

    /// <param name="order">What to do.</param>
    /// <param name="tell">Gets a sentence when that changes place.</param>
    /// <exception cref="IOException">It cannot be begun.</exception>
    /// <exception cref="Win32Exception">Nor started.</exception>
    IRunningCell Start(CellOrder order, Action<string> tell);

    /// <summary>The work on a cell that began under another process and goes on; null when there is none.</summary>
    IRunningCell? Attach(string cell, Action<string> tell);
}

/// <summary>A process that works on a cell.</summary>
internal interface IRunningCell : IDisposable
{
    /// <summary>Where that is, as people read it.</summary>
    string Place { get; }

    Task<CellEnd> End { get; }

    /// <summary>Lets it commit and end.</summary>
    void RequestStop();

    /// <summary>Ends it at once, as far as that can be done from here; what it committed stays.</summary>
    void Kill();
}

/// <summary>Processes of this machine, bound to this one.</summary>
/// <param name="host">Has the executable.</param>
/// <param name="runs">Folder of the runs.</param>
/// <param name="parallel">How many at a time.</param>
/// <param name="journal">The server for their journals; null for their own folders.</param>
internal sealed class LocalCells(ShellHost host, string runs, int parallel, JournalPlace? journal) : ICellRunner
{
    public int Slots => parallel;

    public int CoresPerCell => host.Processors / parallel;

    public IRunningCell Start(CellOrder order, Action<string> tell) => new Cell(CellProcess.Start(
        order.Command(host.Executable, runs), order.Log(runs), order.Variables(journal is null ? null : JournalUrl.WithKnownLogin(journal).Secret)));

    public IRunningCell? Attach(string cell, Action<string> tell) => null;

    private sealed class Cell(CellProcess process) : IRunningCell
    {
        public string Place => $"in process {process.Id}";

        public Task<CellEnd> End { get; } = process.Ended();

        public void RequestStop() => process.RequestStop();

        public void Kill() => process.Kill();

        public void Dispose() => process.Dispose();
    }
}
