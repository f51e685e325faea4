using NE.Actors.RunDirectory;
using NE.Actors.Storage;
using NE.Actors.Stores;
using NE.Shell.Host;
using NE.Shell.Sweeps.Planning;

namespace NE.Shell.Sweeps.Processes;

/// <summary>A sweep that was checked against what is there of it, and whose folder this process holds until this is disposed.</summary>
internal sealed class SweepStart : IDisposable
{
    private readonly RunLock held;

    private SweepStart(SweepPlan plan, SweepPaths paths, JournalPlace? journal, IReadOnlyList<string> notes, RunLock held) =>
        (this.Plan, this.Paths, this.Journal, this.Notes, this.held) = (plan, paths, journal, notes, held);

    public SweepPlan Plan { get; }

    public SweepPaths Paths { get; }

    /// <summary>Where its cells have their journals; null for their own folders.</summary>
    public JournalPlace? Journal { get; }

    /// <summary>What people are to know before it begins, a line each.</summary>
    public IReadOnlyList<string> Notes { get; }

    /// <summary>Takes and writes the sweep's folder.</summary>
    /// <param name="sweep">What is to be run.</param>
    /// <param name="text">The file; null leaves that which is stored.</param>
    /// <param name="journal">Where its cells have their journals; null for their own folders.</param>
    /// <param name="host">The outside world.</param>
    /// <exception cref="RunFolderException">Another process works on it.</exception>
    /// <exception cref="JournalUnavailableException">The server cannot be used.</exception>
    public static SweepStart Prepare(CheckedSweep sweep, string? text, JournalPlace? journal, ShellHost host)
    {
        (SweepPlan plan, SweepPaths paths, _, IReadOnlyList<string> gone) = sweep;
        // A missing simulator is said once, not by every cell.
        host.Prepare(null);

        if (journal is not null)
        {
            JournalServer.Prepare(journal);
        }

        Directory.CreateDirectory(paths.Logs);
        RunLock held = RunLock.Take(paths.Lock, $"The sweep '{plan.Name}'");

        try
        {
            if (text is not null)
            {
                DurableFile.WriteText(paths.Description, text);
            }

            (StoredSweep.Of(plan) with { Journal = journal }).Write(paths);
            return new(plan, paths, journal, [.. gone.Select(cell => $"{cell} is no longer in the file and never began; it is not part of the sweep any more")], held);
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    /// <param name="host">The outside world.</param>
    /// <param name="runner">Where its cells run.</param>
    /// <param name="retryFailed">Try cells that failed once more.</param>
    /// <param name="seq">Handed on to every run; null for none.</param>
    public SweepRun Run(ShellHost host, ICellRunner runner, bool retryFailed, string? seq) => new(host, this.Plan, this.Paths, runner, retryFailed, seq, this.Journal);

    public void Dispose() => this.held.Dispose();
}
