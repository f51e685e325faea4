using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using NE.Model.Replay;

namespace NE.Actors.Replay;

/// <summary>
/// Append-only replay memory: fixed rows of float32, numbered from 0 for ever, in segment files of a power of two of rows. Nothing that
/// was written is ever written again, so every row that a durable checkpoint names stays what it was.
/// </summary>
/// <remarks>
/// Threads: one writer (<see cref="Append"/>, <see cref="ReleaseBefore"/>, <see cref="Capture"/>) and one reader (<see cref="Gather"/>),
/// which reads only rows below the Head it was handed and at or above the First it was handed; commits (captures) and
/// <see cref="Sweep"/> run on any thread beside them.
/// </remarks>
public sealed unsafe class SegmentStore : ITransitionSource, IDisposable
{
    /// <summary>A segment holds the largest power of two of rows that fits here: between 8 and 16 MB.</summary>
    const int LargestSegmentBytes = 16 << 20;
    const int PrefetchDistance = 8;

    readonly object gate = new();
    readonly int epoch;
    /// <summary>Rows below this one were never part of this memory.</summary>
    readonly long floor;
    readonly int shift;
    readonly long rowBytes;
    /// <summary>Mapped segments in index order; an immutable array, so that the reader needs no lock.</summary>
    Segment[] live;
    /// <summary>Released segments that a commit in flight still needs.</summary>
    readonly List<Segment> released = [];
    SegmentTable table;
    long head;

    private SegmentStore(string folder, int rowFloats, int segmentRows, long capacity, int epoch, Segment[] live, long floor, long head)
    {
        this.Folder = folder;
        this.RowFloats = rowFloats;
        this.SegmentRows = segmentRows;
        this.Capacity = capacity;
        (this.epoch, this.live, this.floor, this.head) = (epoch, live, floor, head);
        this.shift = int.Log2(segmentRows);
        this.rowBytes = rowFloats * (long)sizeof(float);
        this.table = SegmentTable.Of(live, this.shift);
    }

    public string Folder { get; }

    /// <summary>Floats of one row: observation + action + reward + notDone + next observation.</summary>
    public int RowFloats { get; }

    public int SegmentRows { get; }

    /// <summary>Rows that the window holds at most.</summary>
    public long Capacity { get; }

    /// <summary>Number of the next row to be appended; also the count of all rows ever appended, in this memory and in those before it.</summary>
    public long Head => Volatile.Read(ref this.head);

    /// <summary>The oldest row of the window.</summary>
    public long First => this.Cursor.First;

    public ReplayCursor Cursor
    {
        get
        {
            var now = this.Head;
            return new(Math.Max(this.floor, now - this.Capacity), now);
        }
    }

    /// <summary>Rows per segment for rows of this many floats.</summary>
    public static int DefaultSegmentRows(int rowFloats) =>
        1 << int.Log2(Math.Max(1, LargestSegmentBytes / (rowFloats * sizeof(float))));

    /// <summary>An empty memory in a folder that is created when absent.</summary>
    /// <param name="folder">The run's replay folder.</param>
    /// <param name="rowFloats">Floats of one row.</param>
    /// <param name="capacity">Rows that the window holds at most.</param>
    /// <param name="segmentRows">A power of two; by default <see cref="DefaultSegmentRows"/>.</param>
    /// <param name="firstRow">Number of the first row: a memory that begins anew within a run goes on counting.</param>
    public static SegmentStore Create(string folder, int rowFloats, long capacity, int? segmentRows = null, long firstRow = 0)
    {
        var rows = segmentRows ?? DefaultSegmentRows(rowFloats);
        Check(rowFloats, rows, capacity);
        Directory.CreateDirectory(folder);
        return new SegmentStore(folder, rowFloats, rows, capacity, SegmentFiles.NextEpoch(folder), [], firstRow, firstRow);
    }

    /// <summary>
    /// The memory as a checkpoint named it. Every segment is verified; the part of the last one that is in use is copied into a file of a
    /// new epoch, to which later rows go, so the files of this and of other checkpoints are left as they are.
    /// </summary>
    /// <exception cref="Storage.DamagedCheckpointException">A segment is missing, too short, or has other bytes.</exception>
    public static SegmentStore Resume(string folder, ReplayManifest manifest, long capacity)
    {
        Check(manifest.RowFloats, manifest.SegmentRows, capacity);
        Directory.CreateDirectory(folder);
        SegmentFiles.Verify(folder, manifest);
        var epoch = Math.Max(SegmentFiles.NextEpoch(folder), manifest.Segments.Select(s => s.Epoch + 1).DefaultIfEmpty(0).Max());
        var rowBytes = manifest.RowFloats * (long)sizeof(float);
        var live = new List<Segment>();
        try
        {
            foreach (var named in manifest.Segments)
            {
                live.Add(named.Rows == manifest.SegmentRows
                    ? Segment.Open(folder, named, manifest.SegmentRows, rowBytes)
                    : SegmentFiles.CopyToEpoch(folder, named, epoch, manifest.SegmentRows, rowBytes));
            }
            return new SegmentStore(folder, manifest.RowFloats, manifest.SegmentRows, capacity, epoch, [.. live], manifest.First, manifest.Head);
        }
        catch
        {
            live.ForEach(s => s.Close());
            throw;
        }
    }

    /// <summary>Appends whole rows and returns the new <see cref="Head"/>. After an exception nothing has changed and the call can be repeated.</summary>
    /// <exception cref="IOException">The disk is full or failing.</exception>
    public long Append(ReadOnlySpan<float> rows)
    {
        if (rows.Length % this.RowFloats != 0)
        {
            throw new ArgumentException($"Expected whole rows of {this.RowFloats} floats, found {rows.Length} floats.", nameof(rows));
        }
        var bytes = MemoryMarshal.AsBytes(rows);
        var next = this.head;
        while (bytes.Length > 0)
        {
            var inSegment = next & (this.SegmentRows - 1);
            var length = (int)Math.Min(bytes.Length, (this.SegmentRows - inSegment) * this.rowBytes);
            this.SegmentFor(next).Write(bytes[..length], inSegment);
            bytes = bytes[length..];
            next += length / this.rowBytes;
        }
        // Rows become visible only now: the reader is handed this Head, never an earlier guess.
        Volatile.Write(ref this.head, next);
        return next;
    }

    /// <summary>Copies rows into consecutive places of a batch.</summary>
    /// <param name="rows">Row numbers within the window that the reader was handed, in any order, repeats allowed.</param>
    /// <param name="destination">Row i goes to destination + i * strideInFloats; room for all of them.</param>
    /// <param name="strideInFloats">At least <see cref="RowFloats"/>.</param>
    public void Gather(ReadOnlySpan<long> rows, float* destination, int strideInFloats)
    {
        var map = Volatile.Read(ref this.table);
        var firstRow = map.FirstRow;
        var limit = (ulong)(this.Head - firstRow);
        var (bits, mask, floats, width) = (this.shift, this.SegmentRows - 1L, this.RowFloats, this.rowBytes);
        var addresses = map.Addresses;
        for (var i = 0; i < rows.Length; i++)
        {
            // Rows are far apart, so every one is a cache miss: ask for a later row's lines while this one is copied.
            if (i + PrefetchDistance < rows.Length && Sse.IsSupported)
            {
                var ahead = rows[i + PrefetchDistance] - firstRow;
                if ((ulong)ahead < limit)
                {
                    var line = (byte*)addresses[ahead >> bits] + (ahead & mask) * width;
                    for (var end = line + width; line < end; line += 64)
                    {
                        Sse.Prefetch0(line);
                    }
                }
            }
            var row = rows[i] - firstRow;
            if ((ulong)row >= limit)
            {
                throw OutsideWindow(rows[i], firstRow, this.Head);
            }
            var source = (byte*)addresses[row >> bits] + (row & mask) * width;
            new ReadOnlySpan<float>(source, floats).CopyTo(new Span<float>(destination + (long)i * strideInFloats, floats));
        }
    }

    /// <summary>A stored row where it lies, for readers that need only a part of it; valid as long as the window that the reader was handed.</summary>
    public ReadOnlySpan<float> Row(long row)
    {
        var map = Volatile.Read(ref this.table);
        var at = row - map.FirstRow;
        return (ulong)at < (ulong)(this.Head - map.FirstRow)
            ? new((byte*)map.Addresses[at >> this.shift] + (at & (this.SegmentRows - 1L)) * this.rowBytes, this.RowFloats)
            : throw OutsideWindow(row, map.FirstRow, this.Head);
    }

    /// <summary>
    /// Unmaps segments that lie wholly below a row. Call it at a barrier, when no reader holds an older window; the files stay until
    /// <see cref="Sweep"/>.
    /// </summary>
    public void ReleaseBefore(long row)
    {
        lock (this.gate)
        {
            var keep = (int)(row >> this.shift);
            var gone = this.live.TakeWhile(s => s.Index < keep).ToArray();
            if (gone.Length == 0)
            {
                return;
            }
            this.Publish([.. this.live.Skip(gone.Length)]);
            foreach (var segment in gone)
            {
                if (segment.Captures == 0)
                {
                    segment.Close();
                }
                else
                {
                    this.released.Add(segment);
                }
            }
        }
    }

    /// <summary>
    /// The window as it is now, for a commit: its files are neither closed nor swept until it is disposed. Costs microseconds; syncing and
    /// hashing happen later on the commit's own thread.
    /// </summary>
    public ReplayCapture Capture()
    {
        lock (this.gate)
        {
            var cursor = this.Cursor;
            var first = (int)(cursor.First >> this.shift);
            var segments = cursor.Count == 0 ? [] : this.live.Where(s => s.Index >= first && (long)s.Index << this.shift < cursor.Head).ToArray();
            foreach (var segment in segments)
            {
                segment.Captures++;
            }
            return new ReplayCapture(this, cursor, segments);
        }
    }

    /// <summary>Deletes the segment files that no retained checkpoint names, that are not mapped and that no commit in flight needs.</summary>
    /// <returns>How many files were deleted.</returns>
    public int Sweep(IEnumerable<ReplayManifest> retained)
    {
        lock (this.gate)
        {
            return SegmentFiles.Sweep(this.Folder, retained, this.live.Concat(this.released).Select(s => s.Name));
        }
    }

    public void Dispose()
    {
        lock (this.gate)
        {
            foreach (var segment in this.live.Concat(this.released))
            {
                segment.Close();
            }
            this.Publish([]);
            this.released.Clear();
        }
    }

    internal void Release(Segment[] captured)
    {
        lock (this.gate)
        {
            foreach (var segment in captured)
            {
                segment.Captures--;
                if (segment.Captures == 0 && this.released.Remove(segment))
                {
                    segment.Close();
                }
            }
        }
    }

    private Segment SegmentFor(long row)
    {
        var index = (int)(row >> this.shift);
        // Mapped segments are consecutive; an append that failed may have left one ahead of the head.
        if (this.live.Length > 0 && index - this.live[0].Index is var at && at < this.live.Length)
        {
            return this.live[at];
        }
        lock (this.gate)
        {
            var created = Segment.Create(this.Folder, index, this.epoch, this.SegmentRows, this.rowBytes);
            this.Publish([.. this.live, created]);
            return created;
        }
    }

    private void Publish(Segment[] segments)
    {
        this.live = segments;
        Volatile.Write(ref this.table, SegmentTable.Of(segments, this.shift));
    }

    private static void Check(int rowFloats, int segmentRows, long capacity)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rowFloats, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1L);
        if (segmentRows < 1 || !int.IsPow2(segmentRows))
        {
            throw new ArgumentException($"Expected rows per segment to be a power of two, found {segmentRows}.", nameof(segmentRows));
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static ArgumentOutOfRangeException OutsideWindow(long row, long first, long head) =>
        new("rows", row, $"Expected rows in [{first}, {head}), found {row}: the reader used a window that it was not handed.");

    /// <summary>Addresses of consecutive segments, the first of which starts at FirstRow.</summary>
    private sealed record SegmentTable(long FirstRow, nint[] Addresses)
    {
        internal static SegmentTable Of(Segment[] segments, int shift) =>
            new(segments.Length == 0 ? 0 : (long)segments[0].Index << shift, [.. segments.Select(s => s.Address)]);
    }
}
