using NE.Actors.Journal;
using NE.Actors.RunDirectory;
using NE.Model;

namespace NE.Actors.Configuration;

/// <summary>run.json, or what journal and configuration know of it when it is damaged or missing.</summary>
/// <param name="Info">What a listing of runs shows.</param>
/// <param name="Damage">What is wrong with the file; null when it is whole.</param>
public sealed record StoredRunInfo(RunInfo Info, string? Damage)
{
    /// <summary>Whether the file or the journal is there.</summary>
    public static bool Exists(RunPaths run) => File.Exists(run.RunInfo) || File.Exists(run.Journal);

    /// <summary>Of a run.</summary>
    /// <exception cref="InvalidDataException">The file is damaged, and the journal knows too little to make it anew.</exception>
    /// <exception cref="RunFolderException">A newer program wrote it.</exception>
    public static StoredRunInfo Of(RunPaths run)
    {
        try
        {
            return new(RunInfo.Read(run.RunInfo), null);
        }
        catch (InvalidDataException damage) when (FromJournal(run) is { } info)
        {
            return new(info, damage.Message);
        }
    }

    private static RunInfo? FromJournal(RunPaths run)
    {
        // One that is on a server is named by the very file that is lost.
        using JournalReader? journal = File.Exists(run.Journal) ? JournalReader.TryOpen(run) : null;

        if (journal is null || ReadConfiguration(run) is not { } settings)
        {
            return null;
        }

        IReadOnlyList<StoredRunEvent> events = journal.Operational();
        RunStretch[] stretches = [.. events.Select(StretchOf).OfType<RunStretch>()];
        (RunState status, string? reason) = events.LastOrDefault()?.Event switch
        {
            History.RunEvent.RunInterrupted interrupted => (RunState.Interrupted, interrupted.reason),
            History.RunEvent.RunFailed failed => (RunState.Failed, failed.reason),
            History.RunEvent.RunCompleted => (RunState.Completed, null),
            _ => (RunState.Running, (string?)null),
        };
        string id = journal.Manifests().FirstOrDefault()?.RunId ?? Guid.NewGuid().ToString("N");
        return RunInfo.Of(id, run.Name, settings) with { Status = status, StatusReason = reason, Stretches = stretches };
    }

    private static Settings? ReadConfiguration(RunPaths run)
    {
        try
        {
            return StoredConfiguration.Read(run).Settings;
        }
        catch (ConfigurationException)
        {
            return null;
        }
    }

    /// <summary>Its machine and process were in the lost file alone.</summary>
    private static RunStretch? StretchOf(StoredRunEvent stored) => stored.Event switch
    {
        History.RunEvent.RunStarted started => new(stored.Stored, 0, "unknown", 0, Versions(started.versions)),
        History.RunEvent.RunResumed resumed => new(stored.Stored, resumed.step, "unknown", 0, Versions(resumed.versions)),
        _ => null,
    };

    private static Dictionary<string, string> Versions(string text) => text
        .Split(", ", StringSplitOptions.RemoveEmptyEntries)
        .Select(version => version.Split(' ', 2))
        .GroupBy(version => version[0], version => version.ElementAtOrDefault(1) ?? "")
        .ToDictionary(version => version.Key, version => version.Last());
}
