using NE.Actors.Configuration;
using NE.Model;

namespace NE.Shell.Sweeps.Planning;

/// <summary>A sweep shortened until two cores do it in minutes: it shows that everything runs, and nothing else.</summary>
public static class SmokeSweep
{
    /// <summary>Ends the name of the shortened sweep.</summary>
    public const string Suffix = "-smoke";

    private const string Steps = "6000";
    private const long FirstRung = 3000;

    /// <summary>Lengths that say nothing beside other ones and are not derived from the run's.</summary>
    private static readonly string[] given = ["run.steps", "cycle.episodes", "learner.primingUpdates"];

    /// <summary>Every arm with the first environment and seed, the ends of every grid, 6,000 steps, and all that is counted in steps derived from these.</summary>
    public static SweepFile Of(SweepFile sweep) => sweep with
    {
        Name = sweep.Name + Suffix,
        Description = $"the cells of {sweep.Name}, shortened",
        Smoke = true,
        Environments = [sweep.Environments[0]],
        Seeds = [sweep.Seeds[0]],
        Arms = [.. sweep.Arms.Select(arm => arm with { Entries = WithoutLengths(arm.Entries), Grid = Ends(arm.Grid) })],
        Common = [.. WithoutLengths(sweep.Common), new("run.steps", Steps, "--smoke"), new("evaluation.episodes", "2", "--smoke")],
        Grid = Ends(sweep.Grid),
        Search = sweep.Search is { } search ? Shortened(search) : null,
    };

    /// <summary>Two trials, of which one is dropped in a search that drops any.</summary>
    private static SweepSearch Shortened(SweepSearch search) => search with
    {
        Trials = Math.Min(2, search.Trials),
        Space = [.. search.Space.Where(key => !IsLength(key.Key))],
        Halving = search.Halving is null ? null : new(FirstRung, 2),
    };

    private static ConfigurationEntry[] WithoutLengths(IEnumerable<ConfigurationEntry> entries) => [.. entries.Where(entry => !IsLength(entry.Key))];

    /// <summary>A number of steps that follows from the run's where it is not given; of an unknown key nothing is known, and its problem is said later.</summary>
    private static bool IsLength(string name) =>
        SettingsModule.presentName(name) is { } key
        && (given.Contains(key)
        || (SettingsModule.tryFind(key) is { Unit: "environment steps" or "gradient steps" } known && known.Allowed.StartsWith("auto", StringComparison.Ordinal)));

    private static SweepAxis[] Ends(IEnumerable<SweepAxis> axes) =>
        [.. axes.Where(axis => !IsLength(axis.Key)).Select(axis => axis with { Values = [.. new[] { axis.Values[0], axis.Values[^1] }.Distinct()] })];
}
