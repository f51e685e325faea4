using Microsoft.Win32.SafeHandles;

namespace NE.Actors.Telemetry;

/// <summary>A file that only grows and whose length at a checkpoint is known, so that a resume can cut it back to exactly there.</summary>
internal sealed class GrowingFile : IDisposable
{
    private readonly SafeFileHandle file;
    private readonly MemoryStream waiting = new();
    private long written;
    private byte[] shown = [];
    private bool isShown = true;

    /// <param name="length">Bytes that belong to the run so far; what lies behind is cut off. 0 begins the file.</param>
    /// <exception cref="InvalidDataException">The file is shorter than that.</exception>
    public GrowingFile(string path, long length)
    {
        Require(path, length);
        this.file = File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite);
        RandomAccess.SetLength(this.file, length);
        this.written = length;
    }

    /// <summary>Refuses a file that has lost bytes of the run.</summary>
    /// <exception cref="InvalidDataException">It is shorter than it was at the checkpoint, or not there.</exception>
    public static void Require(string path, long length)
    {
        var found = File.Exists(path) ? new FileInfo(path).Length : 0;
        if (found < length)
        {
            throw new InvalidDataException(
                $"{path} should have at least the {length:N0} bytes of the checkpoint, but has {found:N0}. Restore the file from a copy, "
                + $"or go on without its rows: `truncate -s {length} {path}`.");
        }
    }

    /// <summary>Bytes so far, those not yet written included.</summary>
    public long Length => this.written + this.waiting.Length;

    public void Append(ReadOnlySpan<byte> bytes) => this.waiting.Write(bytes);

    /// <summary>Shows these bytes behind its end to those who read it now, in the place of those shown before. They do not belong to it.</summary>
    public void Show(byte[] bytes) => (this.shown, this.isShown) = (bytes, false);

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
        if (!this.isShown)
        {
            RandomAccess.Write(this.file, this.shown, this.written);
            RandomAccess.SetLength(this.file, this.written + this.shown.Length);
            this.isShown = true;
        }
    }

    public void Dispose() => this.file.Dispose();
}
