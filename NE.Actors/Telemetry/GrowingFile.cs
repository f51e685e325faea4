using Microsoft.Win32.SafeHandles;

namespace NE.Actors.Telemetry;

/// <summary>A file that only grows and whose length at a checkpoint is known, so that a resume can cut it back to exactly there.</summary>
internal sealed class GrowingFile : IDisposable
{
    private readonly SafeFileHandle file;
    private readonly MemoryStream waiting = new();
    private long written;

    /// <param name="length">Bytes that belong to the run so far; what lies behind is cut off. 0 begins the file.</param>
    /// <exception cref="InvalidDataException">The file is shorter than that.</exception>
    public GrowingFile(string path, long length)
    {
        this.file = File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite);
        var found = RandomAccess.GetLength(this.file);
        if (found < length)
        {
            this.file.Dispose();
            throw new InvalidDataException(
                $"{path} should have at least the {length:N0} bytes of the last checkpoint, but has {found:N0}. Restore the file from a copy, "
                + $"or go on without its rows: `truncate -s {length} {path}`.");
        }
        RandomAccess.SetLength(this.file, length);
        this.written = length;
    }

    /// <summary>Bytes so far, those not yet written included.</summary>
    public long Length => this.written + this.waiting.Length;

    public void Append(ReadOnlySpan<byte> bytes) => this.waiting.Write(bytes);

    /// <summary>Hands everything to the operating system, for other programs to read.</summary>
    /// <exception cref="IOException">The disk is full or failing; what was appended is kept, and the call can be repeated.</exception>
    public void Flush()
    {
        if (this.waiting.Length > 0)
        {
            RandomAccess.Write(this.file, this.waiting.GetBuffer().AsSpan(0, (int)this.waiting.Length), this.written);
            this.written += this.waiting.Length;
            this.waiting.SetLength(0);
        }
    }

    public void Dispose() => this.file.Dispose();
}
