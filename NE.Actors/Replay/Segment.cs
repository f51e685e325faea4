using System.IO.MemoryMappedFiles;
using Microsoft.Win32.SafeHandles;
using NE.Actors.Storage;

namespace NE.Actors.Replay;

/// <summary>
/// One preallocated file of rows and its read-only mapping. Written with pwrite, read through the mapping: a writable mapping would turn a
/// full disk into SIGBUS.
/// </summary>
internal sealed unsafe class Segment
{
    readonly SafeFileHandle handle;
    readonly long rowBytes;
    readonly object gate = new();
    MemoryMappedFile? mapping;
    MemoryMappedViewAccessor? view;
    long durableRows;
    /// <summary>Bytes that have been written, up to the last one.</summary>
    long written;
    /// <summary>Rows before this one may have been lost by a sync that failed.</summary>
    long unsureRows;
    (long Rows, string Sha256) hashed = (-1, "");

    private Segment(int index, int epoch, string path, SafeFileHandle handle, long bytes, long rowBytes)
    {
        (this.Index, this.Epoch, this.Path, this.handle, this.rowBytes) = (index, epoch, path, handle, rowBytes);
        this.mapping = MemoryMappedFile.CreateFromFile(handle, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
        this.view = this.mapping.CreateViewAccessor(0, bytes, MemoryMappedFileAccess.Read);
        byte* address = null;
        this.view.SafeMemoryMappedViewHandle.AcquirePointer(ref address);
        this.Address = (nint)(address + this.view.PointerOffset);
    }

    internal int Index { get; }

    internal int Epoch { get; }

    internal string Path { get; }

    internal string Name => System.IO.Path.GetFileName(this.Path);

    /// <summary>Where row Index * SegmentRows lies; valid until <see cref="Close"/>.</summary>
    internal nint Address { get; }

    /// <summary>Commits in flight that need the file; guarded by the store.</summary>
    internal int Captures { get; set; }

    /// <summary>A new file of full length whose disk blocks are all reserved.</summary>
    internal static Segment Create(string folder, int index, int epoch, int segmentRows, long rowBytes)
    {
        var path = System.IO.Path.Combine(folder, SegmentName.Of(index, epoch));
        var handle = File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        try
        {
            Faults.Call("segment.reserve", path);
            Posix.Reserve(handle, path, segmentRows * rowBytes);
            return new Segment(index, epoch, path, handle, segmentRows * rowBytes, rowBytes);
        }
        catch
        {
            handle.Dispose();
            File.Delete(path);
            throw;
        }
    }

    /// <summary>A file of an earlier epoch; nothing is written to it again.</summary>
    internal static Segment Open(string folder, SegmentRef named, int segmentRows, long rowBytes)
    {
        var path = System.IO.Path.Combine(folder, named.File);
        var handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        try
        {
            return new Segment(named.Index, named.Epoch, path, handle, segmentRows * rowBytes, rowBytes)
            {
                durableRows = named.Rows,
                hashed = (named.Rows, named.Sha256),
            };
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    internal void Write(ReadOnlySpan<byte> rows, long firstRow) => this.WriteBytes(rows, firstRow * this.rowBytes);

    internal void WriteBytes(ReadOnlySpan<byte> bytes, long offset)
    {
        try
        {
            if (Faults.AreArmed)
            {
                this.Provoke(bytes, offset);
            }
            RandomAccess.Write(this.handle, bytes, offset);
            Volatile.Write(ref this.written, Math.Max(this.written, offset + bytes.Length));
        }
        catch (IOException error)
        {
            throw Posix.Explain($"append {bytes.Length:N0} bytes to", this.Path, error);
        }
    }

    /// <summary>Apart, since a closure costs bytes on every call of the method that it is in.</summary>
    private void Provoke(ReadOnlySpan<byte> bytes, long offset) => Faults.Write("segment", this.Path, bytes, half => RandomAccess.Write(this.handle, half, offset));

    /// <summary>
    /// Makes the first rows survive a loss of power. The kernel reports that it could not write a page once and counts the page as written from then
    /// on, so after a sync that failed the rows are written again before the next one is believed.
    /// </summary>
    internal void Flush(long rows)
    {
        lock (this.gate)
        {
            if (this.durableRows >= rows)
            {
                return;
            }
            DurableFile.WriteAgain(this.handle, this.durableRows * this.rowBytes, Math.Min(rows, this.unsureRows) * this.rowBytes);
            try
            {
                Faults.Call("segment.sync", this.Path);
                RandomAccess.FlushToDisk(this.handle);
                this.durableRows = rows;
            }
            catch
            {
                // Rows behind these may have been on their way to the disk, too.
                this.unsureRows = (Volatile.Read(ref this.written) + this.rowBytes - 1) / this.rowBytes;
                throw;
            }
        }
    }

    /// <summary>Hash of the first rows; a full segment is hashed once, a growing one again at each commit (16 MB take about 10 ms).</summary>
    internal string Sha256(long rows)
    {
        lock (this.gate)
        {
            if (this.hashed.Rows != rows)
            {
                this.hashed = (rows, DurableFile.Sha256OfPrefix(this.handle, rows * this.rowBytes));
            }
            return this.hashed.Sha256;
        }
    }

    /// <summary>Unmaps and closes; no reader may hold a window that reaches into this segment.</summary>
    internal void Close()
    {
        lock (this.gate)
        {
            if (this.view is { } open)
            {
                open.SafeMemoryMappedViewHandle.ReleasePointer();
                open.Dispose();
                this.view = null;
                this.mapping?.Dispose();
                this.mapping = null;
                this.handle.Dispose();
            }
        }
    }
}

/// <summary>seg-INDEX-eEPOCH.bin: readable in a listing, sorted by row, and never equal for two epochs.</summary>
internal static class SegmentName
{
    internal const string Pattern = "seg-*.bin";

    internal static string Of(int index, int epoch) => $"seg-{index:D8}-e{epoch:D4}.bin";

    /// <summary>The epoch in a file's name; null for a file that is not ours.</summary>
    internal static int? EpochOf(string fileName)
    {
        var at = fileName.LastIndexOf("-e", StringComparison.Ordinal);
        return at > 0 && fileName.EndsWith(".bin", StringComparison.Ordinal) && int.TryParse(fileName.AsSpan(at + 2, fileName.Length - at - 6), out var epoch)
            ? epoch
            : null;
    }
}
