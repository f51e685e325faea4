using NE.Actors.Storage;

namespace NE.Actors.Replay;

/// <summary>The replay window of one commit. Dispose it when the commit is durable or given up; only then may its files go.</summary>
public sealed class ReplayCapture : IDisposable
{
    readonly Segment[] segments;
    int disposed;

    internal ReplayCapture(SegmentStore store, ReplayCursor cursor, Segment[] segments) =>
        (this.Store, this.Cursor, this.segments) = (store, cursor, segments);

    public SegmentStore Store { get; }

    public ReplayCursor Cursor { get; }

    /// <summary>Syncs the captured rows and their folder to disk. Can be repeated after an exception.</summary>
    public void Flush()
    {
        foreach (var segment in this.segments)
        {
            segment.Flush(this.Used(segment));
        }
        DurableFile.SyncFolder(this.Store.Folder);
    }

    /// <summary>Names and hashes the captured rows. Reads every segment that was not hashed yet.</summary>
    public ReplayManifest Describe() => new(
        this.Cursor.First,
        this.Cursor.Head,
        this.Store.RowFloats,
        this.Store.SegmentRows,
        [.. this.segments.Select(s => new SegmentRef(s.Index, s.Epoch, s.Name, this.Used(s), s.Sha256(this.Used(s))))]);

    public void Dispose()
    {
        if (Interlocked.Exchange(ref this.disposed, 1) == 0)
        {
            this.Store.Release(this.segments);
        }
    }

    private long Used(Segment segment) => Math.Min(this.Store.SegmentRows, this.Cursor.Head - (long)segment.Index * this.Store.SegmentRows);
}
