using System.Text.Json;
using System.Text.Json.Serialization;
using NE.Actors.Storage;

namespace NE.Actors.RunDirectory;

/// <summary>
/// The note in a run directory that its replay memory was given up. Without it no further step can be learned as it would have been, so the run
/// can be played, filmed and reported, and is never resumed.
/// </summary>
/// <param name="Why">A clause that follows "its replay memory", such as "was deleted by `ne prune --replay`".</param>
/// <param name="At">UTC.</param>
public sealed record DroppedReplay(string Why, DateTimeOffset At)
{
    /// <summary>Of a run; null when it has its replay memory. A note that cannot be read is one all the same.</summary>
    public static DroppedReplay? Of(RunPaths run)
    {
        if (!File.Exists(run.DroppedReplay))
        {
            return null;
        }
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(run.DroppedReplay), DroppedReplayJson.Default.DroppedReplay) ?? Unknown(run);
        }
        catch (JsonException)
        {
            return Unknown(run);
        }
    }

    /// <summary>Refuses what needs the replay memory of a run that gave it up.</summary>
    /// <param name="run">The run.</param>
    /// <param name="verb">What is refused, such as "resumed".</param>
    /// <exception cref="RunFolderException">It gave it up; the message says when, and what can still be done.</exception>
    public static void Refuse(RunPaths run, string verb)
    {
        if (Of(run) is { } dropped)
        {
            throw new RunFolderException(
                $"The run '{run.Name}' cannot be {verb}: its replay memory {dropped.Why} ({dropped.At:yyyy-MM-dd}); it can still be evaluated, recorded and reported.");
        }
    }

    /// <summary>The content of the note.</summary>
    public byte[] Bytes() => JsonSerializer.SerializeToUtf8Bytes(this, DroppedReplayJson.Default.DroppedReplay);

    /// <summary>Makes the note durable, before anything is deleted.</summary>
    internal void Write(RunPaths run)
    {
        DurableFile.Write(run.DroppedReplay, this.Bytes());
        DurableFile.SyncFolder(run.Root);
    }

    private static DroppedReplay Unknown(RunPaths run) => new("was given up", File.GetLastWriteTimeUtc(run.DroppedReplay));
}

[JsonSourceGenerationOptions(
    WriteIndented = true,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    RespectRequiredConstructorParameters = true,
    RespectNullableAnnotations = true)]
[JsonSerializable(typeof(DroppedReplay))]
internal sealed partial class DroppedReplayJson : JsonSerializerContext;
