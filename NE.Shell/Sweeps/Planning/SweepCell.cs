using System.Text.Json.Serialization;
using NE.Model;
using NE.Shell.Configuration;

namespace NE.Shell.Sweeps.Planning;

/// <summary>One run of a sweep: all that it means, as cells.json keeps it.</summary>
/// <param name="Name">The run's name.</param>
/// <param name="Environment">As `run.environment`, with absolute paths.</param>
/// <param name="Label">The arm of the comparison.</param>
/// <param name="Method">As `run.method`.</param>
/// <param name="Seed">As `run.seed`.</param>
/// <param name="Settings">Every other key that was given, with its value as `ne config show` writes it.</param>
public sealed record SweepCell(string Name, string Environment, string Label, string Method, long Seed, IReadOnlyDictionary<string, string> Settings)
{
    /// <summary>The arm whose trials compete with this one; null where all run to the end.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Contest { get; init; }

    /// <summary>The whole configuration as key=value words of a command line.</summary>
    public IReadOnlyList<string> Pairs() => [.. this.Values().Select(pair => $"{pair.Key}={pair.Value}")];

    /// <summary>Every given key with its value, those that have a place of their own included.</summary>
    public IEnumerable<(string Key, string Value)> Values() =>
    [
        ("run.environment", this.Environment),
        ("run.method", this.Method),
        ("run.seed", this.Seed.ToString(System.Globalization.CultureInfo.InvariantCulture)),
        .. this.Settings.Select(pair => (pair.Key, pair.Value)),
    ];
}

/// <summary>A cell that was checked.</summary>
/// <param name="Cell">What it means.</param>
/// <param name="Settings">The resolved configuration: no `auto` is left.</param>
/// <param name="Plan">What its run takes; null when only the environment's own program or plug-in could tell.</param>
public sealed record PlannedCell(SweepCell Cell, Settings Settings, RunPlan? Plan)
{
    public string Name => this.Cell.Name;

    public long Steps => this.Settings.Run.Steps;
}

/// <summary>A sweep that can be started.</summary>
/// <param name="Name">Begins the names of its runs.</param>
/// <param name="Description">One line for people; may be empty.</param>
/// <param name="Smoke">Too short to be evidence of anything.</param>
/// <param name="Parallel">Runs at a time, as the file says; null when it leaves that to the machine.</param>
/// <param name="Cells">In the order in which they are started.</param>
/// <param name="Halving">When it is decided which trials go on; null when all do.</param>
public sealed record SweepPlan(string Name, string Description, bool Smoke, int? Parallel, IReadOnlyList<PlannedCell> Cells, SweepHalving? Halving);
