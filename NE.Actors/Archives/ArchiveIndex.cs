using System.Text.Json;
using System.Text.Json.Serialization;
using NE.Actors.RunDirectory;

namespace NE.Actors.Archives;

/// <summary>A run within an archive.</summary>
/// <param name="Name">Its folder's name.</param>
/// <param name="Id">As run.json has it.</param>
/// <param name="Step">Environment step of its last checkpoint.</param>
/// <param name="Digest">Of that checkpoint's state, as `ne digest` prints it.</param>
/// <param name="HasReplay">Whether it can be resumed.</param>
public sealed record ArchivedRun(string Name, string Id, long Step, string Digest, bool HasReplay);

/// <summary>A file within an archive.</summary>
/// <param name="Path">From the folder of the runs, with '/'.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Sha256">Of exactly these bytes.</param>
public sealed record ArchivedFile(string Path, long Length, string Sha256);

/// <summary>The first entry of an archive: what is in it. Other programs read it, so fields are added and never renamed.</summary>
/// <param name="FormatVersion">Of the archive.</param>
/// <param name="Ne">Version of the program that wrote it.</param>
/// <param name="Created">UTC.</param>
/// <param name="Name">Of the run or sweep.</param>
/// <param name="IsSweep">Several runs and the folder of their sweep.</param>
/// <param name="Runs">One, or those of the sweep.</param>
/// <param name="Files">In the order of the entries that follow.</param>
public sealed record ArchiveIndex(
    int FormatVersion,
    string Ne,
    DateTimeOffset Created,
    string Name,
    bool IsSweep,
    IReadOnlyList<ArchivedRun> Runs,
    IReadOnlyList<ArchivedFile> Files)
{
    public const int CurrentFormat = 1;

    /// <summary>Name of the entry.</summary>
    internal const string EntryName = "index.json";

    /// <summary>More than a million files would need; what claims to be longer is not ours.</summary>
    internal const long MostBytes = 256L << 20;

    /// <summary>Folders within the folder of the runs that all its files lie in; the sweep's own is the last.</summary>
    public IEnumerable<string> Folders => this.Runs.Select(run => run.Name).Concat(this.IsSweep ? [this.Name + RunFolder.SweepSuffix] : []);

    /// <summary>Bytes of all files.</summary>
    public long Bytes => this.Files.Sum(file => file.Length);

    internal byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, ArchiveIndexJson.Default.ArchiveIndex);

    /// <exception cref="InvalidDataException">It is not an index, a newer program wrote it, or a path in it leaves its folders.</exception>
    internal static ArchiveIndex Parse(ReadOnlySpan<byte> content)
    {
        ArchiveIndex index;
        try
        {
            index = JsonSerializer.Deserialize(content, ArchiveIndexJson.Default.ArchiveIndex) ?? throw new JsonException("it is empty");
        }
        catch (JsonException error)
        {
            throw new InvalidDataException($"its {EntryName} cannot be read: {error.Message}");
        }
        if (index.FormatVersion > CurrentFormat)
        {
            throw new InvalidDataException($"it has format {index.FormatVersion}, and this program reads up to {CurrentFormat}; use a newer one");
        }
        index.Check();
        return index;
    }

    private void Check()
    {
        static bool IsRun(string name) => RunName.IsValid(name) && !name.EndsWith(RunFolder.SweepSuffix, StringComparison.Ordinal);
        if (!IsRun(this.Name) || !this.Runs.All(run => IsRun(run.Name)) || (!this.IsSweep && (this.Runs.Count != 1 || this.Runs[0].Name != this.Name)))
        {
            throw new InvalidDataException($"its {EntryName} has a name that no run can have");
        }
        var folders = this.Folders.ToHashSet();
        if (folders.Count != this.Folders.Count())
        {
            throw new InvalidDataException($"its {EntryName} names a run twice");
        }
        var seen = new HashSet<string>();
        long bytes = 0;
        foreach (var file in this.Files)
        {
            if (!IsInside(file.Path, folders))
            {
                throw new InvalidDataException($"its {EntryName} names '{file.Path}', which is no file of its runs");
            }
            if (!seen.Add(file.Path) || file.Length < 0 || (bytes += file.Length) < 0)
            {
                throw new InvalidDataException($"its {EntryName} names '{file.Path}' twice or with an impossible length");
            }
        }
    }

    private static bool IsInside(string path, HashSet<string> folders)
    {
        var parts = path.Split('/');
        return parts.Length >= 2
            && folders.Contains(parts[0])
            && parts.All(part => part is not ("" or "." or "..") && !part.Any(letter => char.IsControl(letter) || letter == '\\'));
    }
}

[JsonSourceGenerationOptions(
    WriteIndented = true,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    RespectRequiredConstructorParameters = true,
    RespectNullableAnnotations = true)]
[JsonSerializable(typeof(ArchiveIndex))]
internal sealed partial class ArchiveIndexJson : JsonSerializerContext;
