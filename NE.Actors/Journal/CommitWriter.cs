using System.Collections.Concurrent;
using NE.Actors.Checkpoints;
using NE.Actors.Replay;
using NE.Actors.RunDirectory;
using NE.Actors.Storage;

namespace NE.Actors.Journal;

/// <summary>
/// The file part of a commit, off the mailbox: segments, then blobs; and the sweep after it. One for each run directory of this process: it outlives
/// the journal actor's incarnations, and the run's, and does one thing at a time, so a task that a stopped actor left behind cannot disturb
/// its successor's.
/// </summary>
internal sealed class CommitWriter
{
    static readonly ConcurrentDictionary<string, CommitWriter> all = new();

    readonly RunPaths run;
    readonly object gate = new();
    readonly BlobStore blobs;
    /// <summary>Tables of which a sync has failed, with their lengths then: the kernel counts what it could not write as written.</summary>
    readonly Dictionary<string, long> unsure = [];
    long incarnation;

    private CommitWriter(RunPaths run) => (this.run, this.blobs) = (run, new(run.Blobs));

    /// <summary>The writer of a run directory.</summary>
    internal static CommitWriter Of(RunPaths run) => all.GetOrAdd(run.Root, _ => new CommitWriter(run));

    /// <summary>Called by each new journal actor. Waits for the sweep that goes on; later ones of the actors before are void.</summary>
    internal long Enter()
    {
        lock (this.gate)
        {
            return ++this.incarnation;
        }
    }

    /// <summary>Steps 2 and 3 of the commit order; afterwards only the manifest is missing. Can be repeated after an exception.</summary>
    internal CheckpointManifest Write(Commit commit, BestCheckpoint? bestBefore)
    {
        lock (this.gate)
        {
            var state = commit.State;
            Faults.Point("commit.begins");
            state.Replay?.Flush();
            Faults.Point("commit.segments");
            foreach (var (file, mark) in state.Files)
            {
                this.SyncTable(Path.Combine(this.run.Root, file), mark.Length);
            }
            Faults.Point("commit.tables");
            var replay = state.Replay?.Describe();
            var components = this.blobs.PutAll(state.Components);
            var best = state.Best is { } frozen ? new BestCheckpoint(frozen.Step, this.blobs.Put(frozen.Parameters)) : bestBefore;
            Faults.Point("commit.blobs");
            return new(
                CheckpointManifest.CurrentFormat,
                commit.Id,
                state.Step,
                state.GradientStep,
                state.Round,
                state.Scheduled,
                components,
                replay,
                state.Files,
                best,
                state.HistoryOrdinal,
                state.RunId)
            {
                KeptOrdinals = state.KeptOrdinals,
            };
        }
    }

    /// <param name="path">The table.</param>
    /// <param name="length">What of it belongs to the commit and changes no more.</param>
    private void SyncTable(string path, long length)
    {
        try
        {
            DurableFile.SyncIfPresent(path, again: this.unsure.ContainsKey(path) ? length : 0);
            if (this.unsure.TryGetValue(path, out var before) && before <= length)
            {
                this.unsure.Remove(path);
            }
        }
        catch
        {
            this.unsure[path] = new FileInfo(path) is { Exists: true } file ? file.Length : 0;
            throw;
        }
    }

    /// <summary>Deletes blobs and segments that no retained manifest names, and notes that there was a commit. Only with nothing half written: between commits.</summary>
    /// <param name="entered">The incarnation that asks.</param>
    /// <param name="retained">The last two manifests.</param>
    /// <param name="store">The open replay memory; null for a run that has none.</param>
    internal void Sweep(long entered, IReadOnlyList<CheckpointManifest> retained, SegmentStore? store)
    {
        lock (this.gate)
        {
            if (entered != this.incarnation)
            {
                return;
            }
            Faults.Point("sweep.blobs");
            this.blobs.Sweep(retained.SelectMany(m => m.Blobs));
            Faults.Point("sweep.segments");
            store?.Sweep(retained.Select(m => m.Replay).OfType<ReplayManifest>());
            this.SayCommitted();
        }
    }

    /// <summary>Says in the run's folder that there has been a commit.</summary>
    private void SayCommitted()
    {
        if (!File.Exists(this.run.Committed))
        {
            DurableFile.WriteText(this.run.Committed, "The journal of this run has had a commit. A journal without one is not this run's, or has lost what was in it.\n");
        }
    }

    internal byte[] Read(ComponentRef blob) => this.blobs.Get(blob);
}
