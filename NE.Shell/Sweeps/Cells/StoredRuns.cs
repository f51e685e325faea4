using NE.Actors.Configuration;
using NE.Actors.RunDirectory;
using NE.Model;
using NE.Shell.Host;
using NE.Shell.Sweeps.Planning;

namespace NE.Shell.Sweeps.Cells;

/// <summary>Runs that lie already where a sweep's cells are to be.</summary>
internal static class StoredRuns
{
    /// <summary>
    /// A run that is there is taken for the cell of its name, so it must be that cell: begun by hand with other keys, or by a version with
    /// other defaults, it is not. Keys that say nothing of it may differ. Throws one <see cref="UserError"/> that names each cell with both values.
    /// </summary>
    public static void RequireSameConfiguration(SweepPlan plan, string runs)
    {
        string[] problems = [.. plan.Cells.SelectMany(cell => Differences(cell, RunPaths.Of(runs, cell.Name)))];

        if (problems.Length > 0)
        {
            throw new UserError(
                $"runs of these names are there already and are not what the sweep '{plan.Name}' asks for. Give the values that they have as keys, or the sweep another name:\n"
                + string.Join('\n', problems.Select(problem => $"  {problem}")));
        }
    }

    private static IEnumerable<string> Differences(PlannedCell cell, RunPaths paths)
    {
        if (!StoredRunInfo.Exists(paths) || !StoredConfiguration.Exists(paths))
        {
            yield break;
        }

        Settings stored = StoredConfiguration.Read(paths).Settings;

        foreach ((string key, string was, string wanted) in SettingsModule.difference(stored, cell.Settings))
        {
            if (IsPartOfTheRun(key, stored, cell))
            {
                yield return $"{cell.Name}: {key} is {was} in the run, {wanted} in the sweep";
            }
        }
    }

    /// <summary>A resume may have changed some keys and lengthened the run; where it computes is the machine's matter unless it was given.</summary>
    private static bool IsPartOfTheRun(string key, Settings stored, PlannedCell cell) =>
        SettingsModule.concerns(stored, key)
        && (key == "run.steps" ? stored.Run.Steps < cell.Steps
        : key.StartsWith("compute.", StringComparison.Ordinal) ? cell.Cell.Settings.ContainsKey(key) && !SettingsModule.tryFind(key)!.MayChange.Invoke(stored)
        : !SettingsModule.tryFind(key)!.MayChange.Invoke(stored));
}
