using System.Security.Cryptography;

namespace NE.Actors.Archives;

/// <summary>Hashes what is read through it, from beginning to end.</summary>
internal sealed class HashedStream(Stream inner) : ReadStream
{
    private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    public override bool CanSeek => inner.CanSeek;

    public override long Length => inner.Length;

    public override long Position
    {
        get => inner.Position;
        set => throw new NotSupportedException();
    }

    /// <summary>Of all that was read.</summary>
    public string Sha256() => Convert.ToHexStringLower(this.hash.GetCurrentHash());

    public override int Read(Span<byte> buffer)
    {
        var read = inner.Read(buffer);
        this.hash.AppendData(buffer[..read]);
        return read;
    }

    protected override void Dispose(bool disposing)
    {
        inner.Dispose();
        this.hash.Dispose();
        base.Dispose(disposing);
    }
}
