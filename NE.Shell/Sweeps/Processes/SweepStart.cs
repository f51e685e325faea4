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
    /// <param name="given">Where the journals of its cells would go; null for their own folders.</param>
    /// <param name="asked">Somebody asked for that place.</param>
    /// <param name="host">The outside world.</param>
    /// <exception cref="RunFolderException">Another process works on it.</exception>
    /// <exception cref="UserError">It contradicts what another process has made of the sweep meanwhile.</exception>
    /// <exception cref="JournalUnavailableException">The server cannot be used.</exception>
    public static SweepStart Prepare(CheckedSweep sweep, string? text, JournalPlace? given, bool asked, ShellHost host)
    {
        (SweepPlan plan, SweepPaths paths) = (sweep.Plan, sweep.Paths);
        JournalPlace? journal = sweep.Journal(given, asked);
        // A missing simulator is said once, not by every cell.
        host.Prepare(null, draws: false);
        PrepareServer(journal);
        Directory.CreateDirectory(paths.Logs);
        RunLock held = RunLock.Take(paths.Lock, $"The sweep '{plan.Name}'");

        try
        {
            // Another process may have begun the sweep, or gone on with an edited one, and ended since it was looked at.
            var now = CheckedSweep.Of(plan, paths.RunsFolder);
            plan = now.Plan;

            if (now.Journal(given, asked) is var place && place != journal)
            {
                journal = place;
                PrepareServer(journal);
            }

            if (text is not null)
            {
                DurableFile.WriteText(paths.Description, text);
            }

            (StoredSweep.Of(plan) with { Journal = journal }).Write(paths);
            return new(plan, paths, journal, [.. now.Gone.Select(cell => $"{cell} is no longer in the file and never began; it is not part of the sweep any more")], held);
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

    private static void PrepareServer(JournalPlace? journal)
    {
        if (journal is not null)
        {
            JournalServer.Prepare(journal);
        }
    }
}
