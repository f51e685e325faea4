using System.Text.Json;
using System.Text.Json.Serialization;
using NE.Actors.Storage;

namespace NE.Actors.Telemetry;

/// <summary>
/// A note beside a table that lost rows for good: what a commit names is not there any more, and the table as it is now is to be taken in its
/// place. It names the commit's bytes, so it says nothing about any other commit.
/// </summary>
public static class RepairedTable
{
    public const string Suffix = ".repaired";

    /// <summary>What of a table belongs to a commit: what the commit names, or what a repair has left of that.</summary>
    public static FileMark Of(string path, FileMark committed) =>
        Read(path).FirstOrDefault(note => note.Committed == committed)?.Left ?? committed;

    /// <summary>Writes the note.</summary>
    /// <param name="path">The table.</param>
    /// <param name="notes">For each retained commit, what it names and what is left of it.</param>
    internal static void Write(string path, IReadOnlyList<Note> notes)
    {
        DurableFile.Write(path + Suffix, JsonSerializer.SerializeToUtf8Bytes([.. notes], RepairedJson.Default.NoteArray));
        DurableFile.SyncFolder(Path.GetDirectoryName(path)!);
    }

    /// <summary>The table is what the commits name again.</summary>
    internal static void Forget(string path) => File.Delete(path + Suffix);

    private static Note[] Read(string path)
    {
        try
        {
            return File.Exists(path + Suffix) ? JsonSerializer.Deserialize(File.ReadAllBytes(path + Suffix), RepairedJson.Default.NoteArray) ?? [] : [];
        }
        catch (JsonException)
        {
            // A damaged note is none; the table is refused, and another repair writes a new one.
            return [];
        }
    }

    internal sealed record Note(FileMark Committed, FileMark Left);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, RespectRequiredConstructorParameters = false)]
[JsonSerializable(typeof(RepairedTable.Note[]))]
internal sealed partial class RepairedJson : JsonSerializerContext;
