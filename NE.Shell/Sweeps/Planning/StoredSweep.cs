using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.FSharp.Collections;
using NE.Actors.Configuration;
using NE.Actors.RunDirectory;
using NE.Actors.Storage;
using NE.Model;
using NE.Shell.Host;

namespace NE.Shell.Sweeps.Planning;

/// <summary>The content of cells.json. Other programs read `cells`.</summary>
/// <param name="Name">Of the sweep.</param>
/// <param name="Description">One line for people; may be empty.</param>
/// <param name="Smoke">Too short to be evidence of anything.</param>
/// <param name="Parallel">Runs at a time, as the file says.</param>
/// <param name="Cells">In the order in which they are started.</param>
public sealed record StoredSweep(string Name, string Description, bool Smoke, int? Parallel, IReadOnlyList<SweepCell> Cells)
{
    /// <summary>Where the journals of its cells are; null for their own folders.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public JournalPlace? Journal { get; init; }

    /// <summary>When it is decided which trials go on; null when all do.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public SweepHalving? Halving { get; init; }

    public static StoredSweep Of(SweepPlan plan) => new(plan.Name, plan.Description, plan.Smoke, plan.Parallel, [.. plan.Cells.Select(cell => cell.Cell)]) { Halving = plan.Halving };

    /// <summary>Null when the sweep was never started. Throws <see cref="ShellFailure"/> for a file that cannot be understood.</summary>
    public static StoredSweep? TryRead(SweepPaths paths)
    {
        if (!File.Exists(paths.Cells))
        {
            return null;
        }

        StoredSweep stored = Json.Read<StoredSweep>(
            paths.Cells,
            "the cells of a sweep",
            sweep => sweep.Cells?.All(cell => cell is { Name: not null, Environment: not null, Label: not null, Method: not null, Settings: not null }) is true,
            "Restore it, or delete it and start the sweep from its file again; its runs stay.");
        return stored with { Name = paths.Name, Description = stored.Description ?? "", Cells = [.. stored.Cells.Select(Present)] };
    }

    /// <summary>A cell by the names that keys have now.</summary>
    private static SweepCell Present(SweepCell cell) => cell with
    {
        Settings = SettingsModule.present(cell.Settings.Select(pair => (pair.Key, pair.Value))).ToDictionary(pair => pair.Item1, pair => pair.Item2),
    };

    /// <summary>Whether a name is a sweep's; where a run has the same name, it is the run's.</summary>
    public static bool IsNamed(string runs, string name) => SweepPaths.List(runs).Contains(name) && !RunFolder.List(runs).Contains(name);

    /// <summary>The run of a name, or those runs of the sweep of that name that have begun.</summary>
    /// <exception cref="RunFolderException">There is neither.</exception>
    public static IEnumerable<string> RunsOf(string runs, string name) => IsNamed(runs, name)
        ? Read(runs, name).Cells.Select(cell => cell.Name).Where(cell => StoredRunInfo.Exists(RunPaths.Of(runs, cell)))
        : [RunFolder.Find(runs, name).Name];

    /// <summary>Replaces the file as a whole, also through a loss of power.</summary>
    public void Write(SweepPaths paths) => DurableFile.WriteText(paths.Cells, JsonSerializer.Serialize(this, Json.Options) + "\n");

    /// <summary>The sweep of this name, or an error that lists those that there are.</summary>
    public static StoredSweep Read(string runs, string name)
    {
        if (TryRead(SweepPaths.Of(runs, name)) is { } stored)
        {
            return stored;
        }

        IReadOnlyList<string> known = SweepPaths.List(runs);
        FSharpList<string> near = Nearest.ranked(1, name, known);
        throw new UserError(
            $"there is no sweep '{name}' in {Path.GetFullPath(runs)}; {(near.IsEmpty ? "" : $"did you mean '{near.Head}'? ")}" + (known.Count == 0 ? "there are no sweeps yet" : $"there is: {string.Join(", ", known)}"));
    }

    /// <summary>
    /// Refuses a plan that changes, or leaves out, a cell that has a run. Cells may be added, cells that never began may change or go, and a key
    /// may be written out with the value that the run has: with another version's defaults there is no other way on. Throws one
    /// <see cref="UserError"/> that names each cell with both values.
    /// </summary>
    /// <returns>Names of the cells that go.</returns>
    public IReadOnlyList<string> RequireSameMeaning(SweepPlan plan, string runs)
    {
        var planned = plan.Cells.ToDictionary(cell => cell.Name, cell => cell.Cell);
        var problems = new List<string>();
        var gone = new List<string>();

        foreach (SweepCell before in this.Cells)
        {
            var run = RunPaths.Of(runs, before.Name);
            bool began = File.Exists(run.RunInfo);

            if (planned.TryGetValue(before.Name, out SweepCell? after))
            {
                problems.AddRange(began ? Differences(before, after, run).Select(change => $"{before.Name}: {change}") : []);
            }
            else if (began)
            {
                problems.Add($"{before.Name} has a run but is no longer in the file; put it back");
            }
            else
            {
                gone.Add(before.Name);
            }
        }

        return problems.Count == 0
            ? gone
            : throw new UserError(
                $"the file changes cells that the sweep '{this.Name}' has already. Cells may be added; to change one, give the sweep another name:\n"
                + string.Join('\n', problems.Select(problem => $"  {problem}")));
    }

    /// <summary>Refuses a plan that changes what a search has decided about: then no other cell may join or leave.</summary>
    /// <param name="plan">What is to be run.</param>
    /// <param name="decisions">How many were made.</param>
    /// <exception cref="UserError">The plan differs.</exception>
    public void RequireSameSearch(SweepPlan plan, int decisions)
    {
        if (decisions > 0 && (this.Halving != plan.Halving || !this.Cells.Select(cell => cell.Name).ToHashSet().SetEquals(plan.Cells.Select(cell => cell.Name))))
        {
            throw new UserError($"the search of the sweep '{this.Name}' has dropped trials already, so that no cells can be added and `halving` cannot be changed; give the sweep another name");
        }
    }

    private static IEnumerable<string> Differences(SweepCell before, SweepCell after, RunPaths run)
    {
        const string nothing = "(not given)";
        Dictionary<string, string> old = before.Values().ToDictionary(pair => pair.Key, pair => pair.Value);
        Dictionary<string, string> updated = after.Values().ToDictionary(pair => pair.Key, pair => pair.Value);

        foreach (string key in old.Keys.Union(updated.Keys))
        {
            (string was, string now) = (old.GetValueOrDefault(key, nothing), updated.GetValueOrDefault(key, nothing));

            if (was != now && !(was == nothing && HasAlready(run, key, now)))
            {
                yield return $"{key} was {was}, is now {now}";
            }
        }

        if (before.Label != after.Label)
        {
            yield return $"label was {before.Label}, is now {after.Label}";
        }
    }

    /// <summary>Whether a run's configuration has this value of a key.</summary>
    private static bool HasAlready(RunPaths run, string key, string value) =>
        StoredConfiguration.Exists(run)
        && StoredConfiguration.Read(run).Settings is var stored
        && SettingsModule.tryFind(key) is { } known
        && known.Set.Invoke(value).Invoke(stored) is { IsOk: true } given
        && known.Get.Invoke(given.ResultValue) == known.Get.Invoke(stored);
}
