using System.Text.Json;
using System.Text.Json.Serialization;
using NE.Actors.Storage;
using NE.Model;

namespace NE.Actors.RunDirectory;

[JsonConverter(typeof(RunStateConverter))]
public enum RunState
{
    /// <summary>A process works on it, or was killed while it did; the lock tells which.</summary>
    Running,

    /// <summary>Stopped on request; resumable.</summary>
    Interrupted,

    /// <summary>Stopped on an error; resumable once its cause is gone.</summary>
    Failed,

    /// <summary>All steps are done.</summary>
    Completed,
}

/// <summary>One stretch of a run: a start or a resume.</summary>
/// <param name="Started">UTC.</param>
/// <param name="FromStep">Environment step that it went on from; 0 for the first.</param>
/// <param name="Host">Machine name.</param>
/// <param name="ProcessId">Of the process that worked on it.</param>
/// <param name="Versions">Version by name: ne, .NET, MuJoCo, TorchSharp if it computes; and the engine, such as "simd 512 bits".</param>
/// <param name="Hardware">Processor and cores of the machine; null in files from before it was written.</param>
public sealed record RunStretch(
    DateTimeOffset Started, long FromStep, string Host, int ProcessId, IReadOnlyDictionary<string, string> Versions, string? Hardware = null);

/// <summary>The content of run.json: what a listing of runs shows without opening a journal.</summary>
/// <param name="FormatVersion">Version of this file's layout.</param>
/// <param name="Id">Unique, given at creation; log events carry it.</param>
/// <param name="Name">The folder's name at creation.</param>
/// <param name="Status">Of the last stretch.</param>
/// <param name="StatusReason">Why it was interrupted or failed.</param>
/// <param name="Environment">For example HalfCheetah-v4.</param>
/// <param name="Method">The agent in short: for example ne, or sac+ne.</param>
/// <param name="Seed">Of all random streams.</param>
/// <param name="TotalSteps">Environment steps until the run is complete.</param>
/// <param name="Threads">Of the learner.</param>
/// <param name="Device">As configured: auto, cpu, cuda or cuda:n.</param>
/// <param name="Stretches">The start and every resume, oldest first.</param>
/// <param name="Engine">torch or simd; null in files from before there was a choice, which means torch.</param>
/// <param name="Checksum">SHA-256 of the file without this line; null in files from before there was one.</param>
/// <param name="Journal">The server that has its journal, under <paramref name="Id"/>; null for journal.db in its folder.</param>
public sealed record RunInfo(
    int FormatVersion,
    string Id,
    string Name,
    RunState Status,
    string? StatusReason,
    string Environment,
    string Method,
    long Seed,
    long TotalSteps,
    int Threads,
    string Device,
    IReadOnlyList<RunStretch> Stretches,
    string? Engine = null,
    string? Checksum = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] JournalPlace? Journal = null)
{
    public const int CurrentFormat = 1;

    /// <summary>Of a run that has not begun to work.</summary>
    public static RunInfo Of(string id, string name, Settings settings) => new(
        CurrentFormat,
        id,
        name,
        RunState.Running,
        null,
        settings.Run.Environment,
        SettingsModule.agent(settings),
        settings.Run.Seed,
        settings.Run.Steps,
        settings.Compute.Threads.Value,
        settings.Compute.Device,
        [],
        SettingsModule.tryFind("compute.engine")!.Get.Invoke(settings));

    /// <exception cref="InvalidDataException">The file is missing or cannot be understood.</exception>
    /// <exception cref="RunFolderException">A newer program wrote it.</exception>
    public static RunInfo Read(string path)
    {
        if (!File.Exists(path))
        {
            throw new InvalidDataException($"{path} is missing.");
        }
        try
        {
            var info = JsonSerializer.Deserialize(File.ReadAllBytes(path), RunInfoJson.Default.RunInfo) ?? throw new JsonException("it is empty");
            if (info.FormatVersion <= CurrentFormat && info.Checksum is { } checksum && checksum != (info with { Checksum = null }).Hash())
            {
                throw new JsonException("Its content is not what was written.");
            }
            return info.FormatVersion <= CurrentFormat
                ? info
                : throw new RunFolderException($"{path} has format {info.FormatVersion}, this program reads up to {CurrentFormat}. Use a newer one.");
        }
        catch (JsonException error)
        {
            throw new InvalidDataException($"{path} is damaged. {error.Message}");
        }
    }

    /// <summary>Replaces the file as a whole: a reader sees the old content or the new, also after a loss of power.</summary>
    public void Write(string path)
    {
        var unsealed = this with { Checksum = null };
        DurableFile.Write(path, (unsealed with { Checksum = unsealed.Hash() }).Bytes());
        DurableFile.SyncFolder(Path.GetDirectoryName(path)!);
    }

    private byte[] Bytes() => JsonSerializer.SerializeToUtf8Bytes(this, RunInfoJson.Default.RunInfo);

    private string Hash() => DurableFile.Sha256(this.Bytes());
}

internal sealed class RunStateConverter() : JsonStringEnumConverter<RunState>(JsonNamingPolicy.CamelCase);

[JsonSourceGenerationOptions(
    WriteIndented = true,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(RunInfo))]
internal sealed partial class RunInfoJson : JsonSerializerContext;
