using System.Diagnostics;
using Akka.Actor;
using Akka.Event;
using Akka.Persistence;
using NE.Actors.Checkpoints;
using NE.Actors.Instruments;
using NE.Actors.Journal;
using NE.Actors.Storage;
using NE.Actors.Stores;
using NE.Model.Runs;

namespace NE.Actors.Cast;

/// <summary>
/// Owns a run's journal. A commit goes: files on a detached task (<see cref="CommitWriter"/>), history and manifest in one transaction,
/// snapshot, sweep; then the next. No commit begins while a sweep is under way. Akka stops it when a write to SQL fails;
/// <see cref="JournalOutbox"/> starts it again and resends.
/// </summary>
internal sealed class JournalActor : ReceivePersistentActor
{
    readonly CommitWriter writer;
    readonly JournalSettings settings;
    readonly PostgresLease? lease;
    readonly long incarnation;
    readonly ILoggingAdapter log = Context.GetLogger();
    readonly Queue<Commit> waiting = [];
    HistoryState<CheckpointManifest> state = JournalFold.Empty;
    Commit? current;
    RunSpan storing;
    bool sweeping;
    int commits;
    long snapshotAt;
    long snapshotBefore;

    /// <param name="writer">Of the run's files.</param>
    /// <param name="settings">How often it snapshots.</param>
    /// <param name="persistenceId">Under which the run's rows are stored.</param>
    /// <param name="lease">The right to write on a server; null for files.</param>
    public JournalActor(CommitWriter writer, JournalSettings settings, string persistenceId, PostgresLease? lease)
    {
        (this.writer, this.settings, this.PersistenceId, this.lease) = (writer, settings, persistenceId, lease);
        this.incarnation = writer.Enter();

        this.Recover<SnapshotOffer>(offer =>
        {
            this.state = JournalFold.FromSnapshot((JournalSnapshot)offer.Snapshot);
            this.snapshotAt = offer.Metadata.SequenceNr;
        });
        this.Recover<JournalEntry>(entry => this.state = this.state.Apply(entry));
        this.Recover<RecoveryCompleted>(_ => this.OnRecovered());

        this.Command<Commit>(this.OnCommit);
        this.Command<FilesWritten>(this.OnFilesWritten);
        this.Command<FilesFailed>(failed =>
        {
            this.current = null;
            Context.Parent.Tell(failed.Displaced ? new Refused(failed.Commit.Id, failed.Reason) : new AttemptFailed(failed.Commit.Id, failed.Reason));
            this.Next();
        });
        this.Command<SaveSnapshotSuccess>(saved =>
        {
            Faults.Point("commit.snapshot");
            (this.snapshotBefore, this.snapshotAt) = (this.snapshotAt, saved.Metadata.SequenceNr);
            if (this.snapshotBefore > 0)
            {
                this.DeleteSnapshots(new SnapshotSelectionCriteria(this.snapshotBefore - 1));
            }
            this.Sweep();
        });
        this.Command<SaveSnapshotFailure>(failure =>
        {
            // Not an error for the run: recovery folds the events instead.
            this.log.Warning(failure.Cause, "The journal's snapshot could not be saved; the next commit tries again");
            this.Sweep();
        });
        this.Command<DeleteSnapshotsSuccess>(_ => { });
        this.Command<DeleteSnapshotsFailure>(failure => this.log.Warning(failure.Cause, "Old snapshots of the journal could not be deleted"));
        this.Command<Swept>(swept =>
        {
            if (swept.Error is { } error)
            {
                this.log.Warning(error, "Files that no checkpoint needs could not be deleted, or it could not be noted that there was a commit; the next commit tries again");
            }
            (this.current, this.sweeping) = (null, false);
            this.Next();
        });
        this.Command<RecordOperational>(this.OnRecord);
        this.Command<Rewind>(this.OnRewind);
        this.Command<GetRecovered>(_ => this.Sender.Tell(this.Describe()));
    }

    public override string PersistenceId { get; }

    internal static Props Props(CommitWriter writer, JournalSettings settings, string persistenceId, PostgresLease? lease) =>
        Akka.Actor.Props.Create(() => new JournalActor(writer, settings, persistenceId, lease));

    protected override void OnPersistFailure(Exception cause, object @event, long sequenceNr)
    {
        this.storing.Fail(JournalText.Of(cause));
        Context.Parent.Tell(Stopping.Of(cause));
        base.OnPersistFailure(cause, @event, sequenceNr);
    }

    protected override void OnPersistRejected(Exception cause, object @event, long sequenceNr)
    {
        // Akka goes on after a rejection as if the event did not matter; for us it is a failed write like any other.
        this.storing.Fail(JournalText.Of(cause));
        Context.Parent.Tell(Stopping.Of(cause));
        base.OnPersistRejected(cause, @event, sequenceNr);
        Context.Stop(this.Self);
    }

    protected override void OnRecoveryFailure(Exception reason, object? message = null)
    {
        Context.Parent.Tell(Stopping.Of(reason));
        base.OnRecoveryFailure(reason, message);
    }

    private void OnRecovered()
    {
        if (this.state.MasksProblem is null && this.state.Retained is [{ Masks: null, Manifest: var newest }, ..] && newest.Components.TryGetValue(CheckpointManifest.Masks, out var masks))
        {
            try
            {
                this.state = HistoryFold.withMasks(this.writer.Read(masks), this.state);
            }
            catch (Exception error) when (error is DamagedCheckpointException or IOException)
            {
                this.state = HistoryFold.withMasksProblem(error.Message, this.state);
            }
        }
        Faults.Point("recovery.journal");
        // Files that no commit names are swept after the next commit, not now: a journal that has lost its end may be put back.
        Context.Parent.Tell(new Ready(this.Describe()));
    }

    private void OnCommit(Commit commit)
    {
        if (commit.Id <= this.state.LastCommitId)
        {
            // Resent after its acknowledgement was lost.
            Context.Parent.Tell(new Committed(commit.Id, commit.State.Step, 0, TimeSpan.Zero));
        }
        else if (this.current is not null || this.sweeping)
        {
            this.waiting.Enqueue(commit);
        }
        else if (JournalText.HistoryProblem(commit, this.state) is { } problem)
        {
            Context.Parent.Tell(new Refused(commit.Id, problem));
        }
        else
        {
            this.current = commit;
            var best = this.state.Retained.Length > 0 ? this.state.Retained[0].Manifest.Best : null;
            var started = Stopwatch.GetTimestamp();
            Task.Run(() => this.Write(commit, best)).PipeTo(
                this.Self,
                success: manifest => new FilesWritten(commit, manifest, started),
                failure: error => new FilesFailed(commit, JournalText.Of(error), JournalText.IsDisplaced(error)));
        }
    }

    private CheckpointManifest Write(Commit commit, BestCheckpoint? best)
    {
        var writing = RunSpan.Begin("write files", commit.Trace);
        try
        {
            // A server that is down is known before the files are written, and tried again like a full disk.
            this.lease?.Ensure();
            var manifest = this.writer.Write(commit, best);
            writing.Tag("Bytes", manifest.Bytes).End();
            return manifest;
        }
        catch (Exception error)
        {
            writing.Fail(JournalText.Of(error));
            throw;
        }
    }

    private void OnFilesWritten(FilesWritten written)
    {
        var (commit, manifest, started) = written;
        var committed = new JournalEntry.CheckpointCommitted(manifest);
        this.storing = RunSpan.Begin("store records", commit.Trace).Tag("Events", commit.Events.Count);
        // One PersistAll is one AtomicWrite is one SQL transaction: the journal never holds history without its commit.
        // The Async variant does not stash: a status question is answered while SQL works.
        this.PersistAllAsync<JournalEntry>(
            [.. JournalEntry.OfCommit(commit, this.state.EventCounts), committed],
            entry =>
            {
                if (!ReferenceEquals(entry, committed))
                {
                    this.state = this.state.Apply(entry);
                    return;
                }
                this.storing.End();
                Faults.Point("commit.manifest");
                var masks = commit.State.Components.TryGetValue(CheckpointManifest.Masks, out var bytes) ? bytes.ToArray() : null;
                this.state = masks is null ? this.state.Apply(committed) : HistoryFold.commitWithMasks(manifest, masks, this.state);
                Context.Parent.Tell(new Committed(commit.Id, manifest.Step, manifest.Bytes, Stopwatch.GetElapsedTime(started)));
                if (this.commits++ % this.settings.CommitsPerSnapshot == 0)
                {
                    this.SaveSnapshot(this.state.ToSnapshot());
                }
                else
                {
                    this.Sweep();
                }
            });
    }

    private void OnRecord(RecordOperational record)
    {
        if (record.Id <= this.state.LastOperationalId)
        {
            Context.Parent.Tell(new Recorded(record.Id));
            return;
        }
        this.PersistAsync<JournalEntry>(new JournalEntry.EventStored(record.Id, false, record.Event), entry =>
        {
            this.state = this.state.Apply(entry);
            Context.Parent.Tell(new Recorded(record.Id));
        });
    }

    private void OnRewind(Rewind rewind)
    {
        if (rewind.Id <= this.state.LastCommitId)
        {
            Context.Parent.Tell(new Recorded(rewind.Id));
        }
        else if (this.state.Retained.All(c => c.Manifest.CommitId != rewind.ToCommitId))
        {
            Context.Parent.Tell(new Refused(rewind.Id, $"Cannot rewind to commit {rewind.ToCommitId}: the journal retains {string.Join(", ", this.state.Retained.Select(c => c.Manifest.CommitId))}."));
        }
        else
        {
            this.PersistAsync<JournalEntry>(new JournalEntry.Rewound(rewind.Id, rewind.ToCommitId), entry =>
            {
                this.state = this.state.Apply(entry);
                Context.Parent.Tell(new Recorded(rewind.Id));
            });
        }
    }

    private void Next()
    {
        while (this.current is null && !this.sweeping && this.waiting.TryDequeue(out var commit))
        {
            this.OnCommit(commit);
        }
    }

    private void Sweep()
    {
        this.sweeping = true;
        var retained = this.state.Retained.Select(c => c.Manifest).ToList();
        var store = this.current?.State.Replay?.Store;
        Task.Run(() => this.writer.Sweep(this.incarnation, retained, store))
            .PipeTo(this.Self, success: () => new Swept(null), failure: error => new Swept(error));
    }

    private Recovered Describe() => new(
        [.. this.state.Retained.Select(c => c.Manifest)],
        this.state.Retained is [{ Masks: { } masks }, ..] ? new ReadOnlyMemory<byte>(masks) : (ReadOnlyMemory<byte>?)null,
        this.state.MasksProblem,
        HistoryFold.nextOrdinal(this.state),
        this.state.EventCounts,
        Math.Max(this.state.LastCommitId, this.state.LastOperationalId) + 1);

    private sealed record FilesWritten(Commit Commit, CheckpointManifest Manifest, long Started);

    private sealed record FilesFailed(Commit Commit, string Reason, bool Displaced);

    private sealed record Swept(Exception? Error);

    /// <summary>To the parent: recovery is done.</summary>
    internal sealed record Ready(Recovered Recovered);

    /// <summary>To the parent: this commit's files could not be written; the actor lives on.</summary>
    internal sealed record AttemptFailed(long CommitId, string Reason);

    /// <summary>To the parent: SQL failed and the actor is about to stop.</summary>
    /// <param name="Reason">One sentence.</param>
    /// <param name="Displaced">Another process has the run; starting again cannot help.</param>
    internal sealed record Stopping(string Reason, bool Displaced)
    {
        internal static Stopping Of(Exception cause) => new(JournalText.Of(cause), JournalText.IsDisplaced(cause));
    }

    /// <summary>To the parent: the message itself is wrong; trying again cannot help.</summary>
    internal sealed record Refused(long Id, string Reason);
}
