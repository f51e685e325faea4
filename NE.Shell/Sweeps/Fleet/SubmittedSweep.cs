using System.Text.Json;
using NE.Actors.Fleet;
using NE.Actors.RunDirectory;
using NE.Shell.Host;
using NE.Shell.Sweeps.Planning;

namespace NE.Shell.Sweeps.Fleet;

/// <summary>A sweep as it is handed to a fleet: all that it means, so that nothing has to be read from the machine of whoever submits it.</summary>
/// <param name="Sweep">Its cells, as cells.json keeps them.</param>
/// <param name="Text">The file; null to go on with a sweep as it is stored.</param>
/// <param name="RetryFailed">Try cells that failed once more.</param>
/// <param name="Seq">Address of a Seq server for every run; null for none.</param>
internal sealed record SubmittedSweep(StoredSweep Sweep, string? Text, bool RetryFailed, string? Seq)
{
    /// <summary>Where the journals of new cells go; null leaves that to the fleet.</summary>
    public JournalPlace? Journal { get; init; }

    /// <summary>Whoever submits it asked for that place, so that another one is not taken instead.</summary>
    public bool AsksForJournal { get; init; }

    public string ToJson() => JsonSerializer.Serialize(this, Json.Options);

    /// <exception cref="FleetException">Nobody of this build wrote it.</exception>
    public static SubmittedSweep Read(string text)
    {
        try
        {
            return JsonSerializer.Deserialize<SubmittedSweep>(text, Json.Options) is { Sweep: { Name: not null, Cells: not null } } read ? read : throw new JsonException("it has no cells");
        }
        catch (JsonException problem)
        {
            throw new FleetException($"the sweep that was handed over cannot be read: {problem.Message}");
        }
    }
}

/// <summary>A sweep at work in a fleet, as its viewers read it.</summary>
/// <param name="Status">Where it is.</param>
/// <param name="News">The newest lines, oldest first.</param>
/// <param name="FirstNews">Number of the first of them, counted from the sweep's beginning under this coordinator.</param>
/// <param name="Coordinator">Another one has another text.</param>
/// <param name="Ended">Its work is over.</param>
internal sealed record ShownSweep(Cells.SweepStatus Status, IReadOnlyList<string> News, int FirstNews, string Coordinator, bool Ended);
