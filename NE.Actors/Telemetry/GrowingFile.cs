using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;
using NE.Actors.Storage;

namespace NE.Actors.Telemetry;

/// <summary>A file that only grows and whose bytes at a checkpoint are known, so that a resume can cut it back to exactly there.</summary>
internal sealed class GrowingFile : IDisposable
{
    private readonly string path;
    private readonly SafeFileHandle file;
    private readonly MemoryStream waiting = new();
    private readonly IncrementalHash hash;
    private long written;
    private byte[] shown = [];
    private bool isShown = true;

    /// <param name="path">Where it is.</param>
    /// <param name="mark">What belongs to the run so far; what lies behind is cut off. <see cref="FileMark.Nothing"/> begins the file.</param>
    /// <exception cref="DamagedCheckpointException">The file does not begin with these bytes.</exception>
    public GrowingFile(string path, FileMark mark)
    {
        this.path = path;
        this.hash = Verify(path, mark);
        this.file = File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite);
        RandomAccess.SetLength(this.file, mark.Length);
        this.written = mark.Length;
    }

    /// <summary>Refuses a file that has lost or changed bytes of the run.</summary>
    /// <exception cref="DamagedCheckpointException">It is shorter than it was at the checkpoint, has other bytes, or is not there.</exception>
    public static void Require(string path, FileMark mark) => Verify(path, mark).Dispose();

    /// <summary>Bytes so far, those not yet written included.</summary>
    public FileMark Mark => new(this.written + this.waiting.Length, Convert.ToHexStringLower(this.hash.GetCurrentHash()));

    public void Append(ReadOnlySpan<byte> bytes)
    {
        this.waiting.Write(bytes);
        this.hash.AppendData(bytes);
    }

    /// <summary>Shows these bytes behind its end to those who read it now, in the place of those shown before. They do not belong to it.</summary>
    public void Show(byte[] bytes) => (this.shown, this.isShown) = (bytes, false);

    /// <summary>Hands everything to the operating system, for other programs to read.</summary>
    /// <exception cref="IOException">The disk is full or failing; what was appended is kept, and the call can be repeated.</exception>
    public void Flush()
    {
        if (this.waiting.Length > 0)
        {
            Faults.Write("table", this.path, this.waiting.GetBuffer().AsSpan(0, (int)this.waiting.Length), half => RandomAccess.Write(this.file, half, this.written));
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

    public void Dispose()
    {
        this.file.Dispose();
        this.hash.Dispose();
    }

    /// <returns>The hash of the bytes so far, to go on with.</returns>
    private static IncrementalHash Verify(string path, FileMark mark)
    {
        var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        if (mark.Length == 0)
        {
            return hash;
        }
        if (!File.Exists(path))
        {
            throw new DamagedCheckpointException(path, $"{mark.Length:N0} bytes", "no such file");
        }
        using var handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var found = DurableFile.HashPrefix(handle, mark.Length, hash);
        if (found < mark.Length)
        {
            throw new DamagedCheckpointException(path, $"at least {mark.Length:N0} bytes", $"{found:N0} bytes");
        }
        var sha = Convert.ToHexStringLower(hash.GetCurrentHash());
        return mark.Sha256 is null || sha == mark.Sha256
            ? hash
            : throw new DamagedCheckpointException(path, $"SHA-256 {mark.Sha256} over its first {mark.Length:N0} bytes", $"SHA-256 {sha}");
    }
}
