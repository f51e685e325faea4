namespace NE.Actors.Archives;

/// <summary>A file that is to be archived.</summary>
/// <param name="Path">From the folder of the runs, with '/'.</param>
/// <param name="Length">Bytes from its start that belong into the archive.</param>
/// <param name="Sha256">Of these bytes where it is known already; null to find it out.</param>
/// <param name="Open">Reads these bytes.</param>
public sealed record ArchiveItem(string Path, long Length, string? Sha256, Func<Stream> Open)
{
    /// <summary>A file as far as it is long now, or its first bytes.</summary>
    public static ArchiveItem OfFile(string path, string file, long? length = null, string? sha256 = null)
    {
        var bytes = length ?? new FileInfo(file).Length;
        return new(path, bytes, sha256, () => new FilePrefix(file, bytes));
    }

    internal static ArchiveItem OfBytes(string path, byte[] content) => new(path, content.Length, null, () => new MemoryStream(content, writable: false));

    /// <summary>The files of a folder and of all below it, in the order of their names; none when there is no such folder.</summary>
    /// <param name="path">Of the folder, from the folder of the runs.</param>
    /// <param name="folder">Where it is.</param>
    /// <param name="isKept">Which files, by their names.</param>
    public static IEnumerable<ArchiveItem> OfFolder(string path, string folder, Func<string, bool>? isKept = null)
    {
        var all = new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint };
        return Directory.Exists(folder)
            ? Directory.EnumerateFiles(folder, "*", all)
                .Where(file => isKept is null || isKept(System.IO.Path.GetFileName(file)))
                .Order(StringComparer.Ordinal)
                .Select(file => OfFile($"{path}/{System.IO.Path.GetRelativePath(folder, file)}", file))
            : [];
    }
}
