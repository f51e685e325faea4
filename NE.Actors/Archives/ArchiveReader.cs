using System.Buffers.Binary;
using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using NE.Actors.Storage;

namespace NE.Actors.Archives;

/// <summary>Reads an archive from its beginning to its end, and believes nothing that its index does not say.</summary>
public sealed class ArchiveReader : IDisposable
{
    private readonly string file;
    private readonly CountedStream unzipped;
    private readonly TarReader tar;

    private ArchiveReader(string file)
    {
        this.file = file;
        this.unzipped = new CountedStream(new GZipStream(File.OpenRead(file), CompressionMode.Decompress));
        this.tar = new TarReader(this.unzipped, leaveOpen: true);
    }

    /// <summary>What is in it.</summary>
    public ArchiveIndex Index { get; private set; } = null!;

    /// <summary>Reads the index.</summary>
    /// <exception cref="InvalidDataException">It is no archive of ours, is damaged, or a newer program wrote it.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static ArchiveReader Open(string file)
    {
        var reader = new ArchiveReader(file);
        try
        {
            reader.Index = reader.Believing(reader.ReadIndex);
            return reader;
        }
        catch
        {
            reader.Dispose();
            throw;
        }
    }

    /// <summary>Writes every file below a folder, compares its checksum, and reads the archive to its end.</summary>
    /// <param name="folder">Empty. After an exception it is the caller's to delete.</param>
    /// <exception cref="InvalidDataException">The archive is not what was written.</exception>
    /// <exception cref="IOException">The disk is full or failing.</exception>
    public void Extract(string folder)
    {
        foreach (var named in this.Index.Files)
        {
            var content = this.Believing(() => this.Next(named));
            var path = Path.Combine(folder, named.Path);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            this.Copy(named, content, path);
        }
        this.Believing(this.ReadToEnd);
    }

    public void Dispose()
    {
        this.tar.Dispose();
        this.unzipped.Dispose();
    }

    private ArchiveIndex ReadIndex()
    {
        if (this.tar.GetNextEntry() is not { EntryType: TarEntryType.RegularFile, Name: ArchiveIndex.EntryName, DataStream: { } content } entry)
        {
            throw new InvalidDataException($"it does not begin with an {ArchiveIndex.EntryName}");
        }
        if (entry.Length > ArchiveIndex.MostBytes)
        {
            throw new InvalidDataException($"its {ArchiveIndex.EntryName} is too long");
        }
        var bytes = new byte[entry.Length];
        content.ReadExactly(bytes);
        return ArchiveIndex.Parse(bytes);
    }

    /// <summary>Links, folders and devices are no files; a file of another name or length is not the one that comes next.</summary>
    private Stream Next(ArchivedFile named)
    {
        var entry = this.tar.GetNextEntry() ?? throw new InvalidDataException($"it ends before {named.Path}");
        return entry.EntryType is TarEntryType.RegularFile && entry.Name == named.Path && entry.Length == named.Length
            ? entry.DataStream ?? Stream.Null
            : throw new InvalidDataException($"it has {entry.EntryType} {entry.Name} of {entry.Length:N0} bytes where its index has {named.Path} of {named.Length:N0}");
    }

    private void Copy(ArchivedFile named, Stream content, string path)
    {
        try
        {
            using var target = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None);
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            var buffer = new byte[1 << 16];
            for (var left = named.Length; left > 0;)
            {
                var length = (int)Math.Min(buffer.Length, left);
                this.Believing(() => content.ReadExactly(buffer, 0, length));
                hash.AppendData(buffer, 0, length);
                target.Write(buffer, 0, length);
                left -= length;
            }
            if (Convert.ToHexStringLower(hash.GetHashAndReset()) is var sha && sha != named.Sha256)
            {
                throw this.Damaged($"{named.Path} should have SHA-256 {named.Sha256}, but has {sha}");
            }
            target.Flush(flushToDisk: true);
        }
        catch (IOException error) when (Posix.IsNoSpace(error))
        {
            throw Posix.Explain("write", path, error);
        }
    }

    /// <summary>
    /// Nothing may follow. The compressed stream ends with a checksum and its length; .NET compares both, but takes a file without them for whole.
    /// </summary>
    private void ReadToEnd()
    {
        if (this.tar.GetNextEntry() is { } entry)
        {
            throw new InvalidDataException($"it has {entry.Name}, which its index does not name");
        }
        this.unzipped.CopyTo(Stream.Null);
        using var stored = File.OpenHandle(this.file);
        Span<byte> end = stackalloc byte[sizeof(uint)];
        if (RandomAccess.Read(stored, end, RandomAccess.GetLength(stored) - end.Length) != end.Length || BinaryPrimitives.ReadUInt32LittleEndian(end) != (uint)this.unzipped.Count)
        {
            throw new InvalidDataException("its end is missing");
        }
    }

    private void Believing(Action read) => this.Believing(() =>
    {
        read();
        return true;
    });

    /// <summary>Whatever a damaged archive makes of its readers, it is one thing that is wrong.</summary>
    private T Believing<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception error) when (error is InvalidDataException or IOException or FormatException or ArgumentException or OverflowException or NotSupportedException)
        {
            throw this.Damaged(error.Message);
        }
    }

    private InvalidDataException Damaged(string what) =>
        new($"{this.file} is not an archive of ne, or is damaged: {what.TrimEnd('.')}. Nothing was restored.");
}
