using Microsoft.Win32.SafeHandles;

namespace NE.Actors.Archives;

/// <summary>The first bytes of a file as a stream that ends there, whatever the file has behind them.</summary>
internal sealed class FilePrefix : ReadStream
{
    private readonly string file;
    private readonly SafeFileHandle handle;

    public FilePrefix(string file, long length)
    {
        this.file = file;
        this.handle = File.OpenHandle(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, FileOptions.SequentialScan);
        this.Length = length;
    }

    /// <summary>The writer of a tar asks what is left instead of holding everything in memory.</summary>
    public override bool CanSeek => true;

    public override long Length { get; }

    public override long Position { get; set; }

    /// <exception cref="IOException">The file is shorter than it was.</exception>
    public override int Read(Span<byte> buffer)
    {
        var wanted = (int)Math.Min(buffer.Length, this.Length - this.Position);
        if (wanted == 0)
        {
            return 0;
        }
        var read = RandomAccess.Read(this.handle, buffer[..wanted], this.Position);
        this.Position += read;
        return read > 0 ? read : throw new IOException($"{this.file} ended at byte {this.Position:N0} of {this.Length:N0} while it was read.");
    }

    public override long Seek(long offset, SeekOrigin origin) => this.Position = origin switch
    {
        SeekOrigin.Begin => offset,
        SeekOrigin.Current => this.Position + offset,
        _ => this.Length + offset,
    };

    protected override void Dispose(bool disposing)
    {
        this.handle.Dispose();
        base.Dispose(disposing);
    }
}
