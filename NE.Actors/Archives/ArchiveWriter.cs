using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using NE.Actors.Storage;

namespace NE.Actors.Archives;

/// <summary>
/// Writes archives: gzipped tar files, so that `tar xzf` unpacks one where there is no ne. The file is complete and on disk, or is not there.
/// </summary>
public static class ArchiveWriter
{
    /// <summary>Reads every file twice: first for the checksums of the index, which comes first, then into the archive, where they are compared.</summary>
    /// <param name="file">The archive, in a folder that is there.</param>
    /// <param name="overwrite">Replace a file of that name.</param>
    /// <param name="heading">The index without its files.</param>
    /// <param name="items">The files.</param>
    /// <returns>The index.</returns>
    /// <exception cref="IOException">The archive cannot be written, or a file cannot be read as it was the first time.</exception>
    public static ArchiveIndex Write(string file, bool overwrite, ArchiveIndex heading, IReadOnlyList<ArchiveItem> items)
    {
        var index = heading with { Files = [.. items.Select(item => new ArchivedFile(item.Path, item.Length, item.Sha256 ?? Hash(item)))] };
        DurableFile.Write(file, overwrite, stream =>
        {
            using var zipped = new GZipStream(stream, CompressionLevel.Optimal, leaveOpen: true);
            using var tar = new TarWriter(zipped, TarEntryFormat.Pax, leaveOpen: true);
            Add(tar, ArchiveIndex.EntryName, index.Created, new MemoryStream(index.ToBytes()));
            foreach (var (item, named) in items.Zip(index.Files))
            {
                using var hash = new HashedStream(item.Open());
                Add(tar, item.Path, index.Created, hash);
                if (hash.Sha256() != named.Sha256)
                {
                    throw new IOException($"{item.Path} changed while it was read: it should have SHA-256 {named.Sha256}. Nothing was archived; try again.");
                }
            }
        });
        return index;
    }

    private static void Add(TarWriter tar, string name, DateTimeOffset modified, Stream content)
    {
        // 0644, as runs are written.
        const UnixFileMode Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
        tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = content, Mode = Mode, ModificationTime = modified });
    }

    private static string Hash(ArchiveItem item)
    {
        using var content = item.Open();
        return Convert.ToHexStringLower(SHA256.HashData(content));
    }
}
