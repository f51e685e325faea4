using NE.Actors.Configuration;

namespace NE.Shell.Sweeps.Planning;

/// <summary>A sweep as its file describes it: which runs there are to be, before any of them was checked.</summary>
public sealed record SweepFile
{
    /// <summary>Begins the name of every run; the sweep's own folder is RUNS/NAME.sweep.</summary>
    public required string Name { get; init; }

    /// <summary>One line for people; empty when there is none.</summary>
    public string Description { get; init; } = "";

    /// <summary>Too short to show anything but that everything works.</summary>
    public bool Smoke { get; init; }

    /// <summary>Ids of environments, each as a value of `run.environment` with the line that names it.</summary>
    public required IReadOnlyList<ConfigurationEntry> Environments { get; init; }

    /// <summary>What is compared.</summary>
    public required IReadOnlyList<SweepArm> Arms { get; init; }

    /// <summary>Seeds, without repetition.</summary>
    public required IReadOnlyList<long> Seeds { get; init; }

    /// <summary>Keys of every run, later ones win.</summary>
    public IReadOnlyList<ConfigurationEntry> Common { get; init; } = [];

    /// <summary>Keys whose every combination makes an arm of its own.</summary>
    public IReadOnlyList<SweepAxis> Grid { get; init; } = [];

    /// <summary>Points that every arm is multiplied by; null for none.</summary>
    public SweepSearch? Search { get; init; }

    /// <summary>Runs at a time; null leaves it to the machine.</summary>
    public int? Parallel { get; init; }
}

/// <summary>One arm of the comparison.</summary>
/// <param name="Label">Its name in figures.</param>
/// <param name="Method">As a value of `run.method`.</param>
/// <param name="Entries">Keys of this arm alone, later ones win.</param>
/// <param name="Grid">Keys that this arm is multiplied by.</param>
/// <param name="Where">The line that begins it.</param>
public sealed record SweepArm(
    string Label,
    ConfigurationEntry Method,
    IReadOnlyList<ConfigurationEntry> Entries,
    IReadOnlyList<SweepAxis> Grid,
    string Where);

/// <summary>One key with the values that it is to take.</summary>
/// <param name="Key">section.name</param>
/// <param name="Values">As text; lists are joined by commas.</param>
/// <param name="Where">The line of the key.</param>
public sealed record SweepAxis(string Key, IReadOnlyList<string> Values, string Where);
