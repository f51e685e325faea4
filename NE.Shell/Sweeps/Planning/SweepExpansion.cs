using System.Globalization;
using NE.Actors.Configuration;
using NE.Actors.Environments;
using NE.Actors.RunDirectory;
using NE.Shell.Configuration;

namespace NE.Shell.Sweeps.Planning;

/// <summary>A cell that was not checked yet: the values as they were given, each with the line that gives it.</summary>
/// <param name="Name">The run's name.</param>
/// <param name="Label">The arm, with the values of the grid.</param>
/// <param name="Seed">Of all random streams.</param>
/// <param name="Entries">Environment, method, seed and every other key; later ones win.</param>
/// <param name="Where">The line of its arm.</param>
/// <param name="Contest">Its arm without the trial, where trials compete; else null.</param>
public sealed record CellDraft(string Name, string Label, long Seed, IReadOnlyList<ConfigurationEntry> Entries, string Where, string? Contest)
{
    public string Environment => this.Entries.Last(entry => entry.Key == "run.environment").Value;
}

/// <summary>Multiplies a sweep out. Seeds change slowest, so that the first results cover all arms.</summary>
public static class SweepExpansion
{
    /// <summary>All cells in the order in which they are to be started.</summary>
    public static IReadOnlyList<CellDraft> Of(SweepFile sweep) =>
    [
        .. from seed in sweep.Seeds
           from environment in sweep.Environments
           from arm in sweep.Arms
           from point in Points([.. sweep.Grid, .. arm.Grid])
           from trial in sweep.Search?.Points() ?? [("", [])]
           select Draft(sweep, seed, environment, arm, point, trial),
    ];

    /// <summary>What is wrong with the names: two cells with one, or one that no run can have.</summary>
    public static IEnumerable<ConfigurationProblem> Problems(IReadOnlyList<CellDraft> cells)
    {
        foreach (IGrouping<string, CellDraft> same in cells.GroupBy(cell => cell.Name).Where(group => group.Count() > 1))
        {
            CellDraft first = same.First();
            CellDraft second = same.ElementAt(1);
            yield return new(
                second.Where,
                $"two cells have the name '{same.Key}': '{first.Label}' on {first.Environment} ({first.Where}) and '{second.Label}' on {second.Environment}; "
                + (first.Environment == second.Environment ? "give the arms different labels" : "give one of the environment's files another name"));
        }

        foreach (CellDraft cell in cells)
        {
            if (NameProblem(cell.Name) is { } problem)
            {
                yield return new(cell.Where, problem);
            }
        }
    }

    private static CellDraft Draft(
        SweepFile sweep, long seed, ConfigurationEntry environment, SweepArm arm, IReadOnlyList<(SweepAxis Axis, string Value)> point, (string Label, IReadOnlyList<ConfigurationEntry> Entries) trial)
    {
        string whole = string.Join(' ', [arm.Label, .. point.Select(at => $"{ShortName(at.Axis, point)}={at.Value}")]);
        string label = trial.Label.Length > 0 ? $"{whole} {trial.Label}" : whole;
        string seedText = seed.ToString(CultureInfo.InvariantCulture);
        return new(
            $"{sweep.Name}-{ShortEnvironment(environment.Value)}-{RunNames.Plain(label)}-s{seedText}",
            label,
            seed,
            [
                .. sweep.Common,
                .. arm.Entries,
                .. point.Select(at => new ConfigurationEntry(at.Axis.Key, at.Value, at.Axis.Where)),
                .. trial.Entries,
                environment,
                arm.Method,
                new("run.seed", seedText, ""),
            ],
            arm.Where,
            sweep.Search?.Halving is null ? null : whole);
    }

    /// <summary>Every combination of one value per axis; the last axis changes fastest.</summary>
    private static IEnumerable<IReadOnlyList<(SweepAxis Axis, string Value)>> Points(IReadOnlyList<SweepAxis> axes)
    {
        IEnumerable<IReadOnlyList<(SweepAxis, string)>> points = [[]];

        foreach (SweepAxis axis in axes)
        {
            points = [.. points.SelectMany(point => axis.Values, (point, value) => (IReadOnlyList<(SweepAxis, string)>)[.. point, (axis, value)])];
        }

        return points;
    }

    /// <summary>A key without its section, unless another key of the grid is called the same.</summary>
    private static string ShortName(SweepAxis axis, IReadOnlyList<(SweepAxis Axis, string Value)> point)
    {
        string Last(string key) => key[(key.LastIndexOf('.') + 1)..];
        return point.Count(at => Last(at.Axis.Key) == Last(axis.Key)) > 1 ? axis.Key : Last(axis.Key);
    }

    private static string ShortEnvironment(string id)
    {
        try
        {
            return RunNames.OfEnvironment(id);
        }
        catch (EnvironmentUnusableException)
        {
            // What is wrong with it is said when its configuration is checked.
            return "unknown";
        }
    }

    private static string? NameProblem(string name)
    {
        try
        {
            RunName.Validate(name);
            return null;
        }
        catch (RunFolderException problem)
        {
            return $"the cell '{name}': {problem.Message} Shorten the sweep's name or the label.";
        }
    }
}
