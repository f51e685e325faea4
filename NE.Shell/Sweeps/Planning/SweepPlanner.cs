using NE.Actors.Configuration;
using NE.Actors.Environments;
using NE.Actors.Environments.Catalogue;
using NE.Model;
using NE.Shell.Configuration;
using NE.Shell.Host;

namespace NE.Shell.Sweeps.Planning;

/// <summary>Resolves and validates every cell before anything is created.</summary>
internal static class SweepPlanner
{
    /// <summary>The plan of a sweep file. Throws one <see cref="UserError"/> that lists every problem of every cell.</summary>
    public static SweepPlan Of(SweepFile sweep, ShellHost host)
    {
        IReadOnlyList<CellDraft> drafts = SweepExpansion.Of(sweep);
        SweepProblems.Throw(SweepExpansion.Problems(drafts));
        return Plan(new(sweep.Name, sweep.Description, sweep.Smoke, sweep.Parallel, Check(drafts, host), sweep.Search?.Halving), drafts);
    }

    /// <summary>The plan of a sweep that was started before.</summary>
    public static SweepPlan Of(StoredSweep stored, string file, ShellHost host)
    {
        CellDraft[] drafts =
        [
            .. stored.Cells.Select(cell => new CellDraft(
                cell.Name, cell.Label, cell.Seed, [.. cell.Values().Select(pair => new ConfigurationEntry(pair.Key, pair.Value, file))], file, cell.Contest)),
        ];
        return Plan(new(stored.Name, stored.Description, stored.Smoke, stored.Parallel, Check(drafts, host), stored.Halving), drafts);
    }

    /// <summary>The plan, if its trials can be compared before their end.</summary>
    private static SweepPlan Plan(SweepPlan plan, IReadOnlyList<CellDraft> drafts)
    {
        SweepProblems.Throw(plan.Halving is not { } halving ? [] : plan.Cells.Zip(drafts)
            .Select(pair => (Cell: pair.Item1.Name, pair.Item2.Where, Problem: RungProblem(halving, pair.Item1)))
            .Where(found => found.Problem is not null)
            .GroupBy(found => found.Problem!)
            .Select(same => new ConfigurationProblem(same.First().Where, $"halving: {same.Key} (cell {same.First().Cell}{(same.Count() > 1 ? $" and {same.Count() - 1} more" : "")})"))
            .Concat(plan.Cells.GroupBy(cell => cell.Cell.Contest).Where(contest => contest.Select(cell => cell.Steps).Distinct().Count() > 1)
                .Select(contest => new ConfigurationProblem(drafts[0].Where, $"halving: the trials of '{contest.Key}' differ in run.steps, so that they cannot be compared on their way; leave it out of the space"))));
        return plan;
    }

    private static string? RungProblem(SweepHalving halving, PlannedCell cell) =>
        halving.From >= cell.Steps ? $"from is {Format.Count(halving.From)}, and the run has {Format.Count(cell.Steps)} steps: nothing would be decided before its end"
        : cell.Settings.Evaluation.Every.Value is var every && every > halving.From ? $"from is {Format.Count(halving.From)}, and the first evaluation comes at step {Format.Count(every)} (evaluation.every)"
        : null;

    private static PlannedCell[] Check(IReadOnlyList<CellDraft> drafts, ShellHost host)
    {
        var problems = new List<(ConfigurationProblem Problem, string Cell)>();
        var cells = new List<(CellDraft Draft, BuiltConfiguration Built)>();
        // Asked once: it may take seconds. The cores are shared by the cells when they start.
        var cuda = new Lazy<bool>(host.HasCuda);
        var machine = new Machine(() => cuda.Value, 1);

        foreach (CellDraft draft in drafts)
        {
            var arguments = new ConfigurationArguments(null, [.. draft.Entries.Select(entry => (entry.Key, entry.Value, entry.Where))], []);
            (BuiltConfiguration? built, IReadOnlyList<ConfigurationProblem> found) =
                ConfigurationBuilder.TryBuild(arguments, host.ReadFile, Environments.Problem, machine);
            problems.AddRange(found.Select(problem => (problem, draft.Name)));

            if (built is not null)
            {
                cells.Add((draft, built with { Settings = Environments.WithAbsolutePaths(built.Settings) }));
            }
        }

        Throw(problems, drafts.Count);
        // The learner says in what form it sees the environment.
        var specs = new Dictionary<(string Environment, PictureForm? Pictures), EnvironmentSpec?>();
        var buildable = new HashSet<string>();
        var planned = new List<PlannedCell>();

        foreach ((CellDraft draft, BuiltConfiguration built) in cells)
        {
            EnvironmentSpec? spec = Describe(built.Settings, draft, specs, problems);

            // A device that is not there, or a topology that does not fit the task, is the same for every seed and for all tasks of these sizes.
            if (spec is not null && buildable.Add($"{Sizes(built.Settings, spec)}\n{draft.Label}"))
            {
                Require(built.Settings, spec, draft, problems);
            }

            planned.Add(new(Cell(draft, built), built.Settings, spec is null ? null : RunPlan.Create(built.Settings, spec)));
        }

        Throw(problems, drafts.Count);
        return [.. planned];
    }

    /// <summary>
    /// What the agent sees of the environment. Programs and plug-ins of others are not started for that: there may be as many of them as
    /// there are cells, and one that fails must fail its own cells alone. That they have no pictures is known without.
    /// </summary>
    private static EnvironmentSpec? Describe(
        Settings settings,
        CellDraft draft,
        Dictionary<(string Environment, PictureForm? Pictures), EnvironmentSpec?> known,
        List<(ConfigurationProblem Problem, string Cell)> problems)
    {
        string id = settings.Run.Environment;
        (string Environment, PictureForm? Pictures) seen = (id, SettingsModule.pictures(settings));

        if (known.TryGetValue(seen, out EnvironmentSpec? spec))
        {
            return spec;
        }

        if (EnvironmentId.IsOwn(id) && seen.Pictures is null)
        {
            return known[seen] = null;
        }

        try
        {
            return known[seen] = Environments.Try(settings);
        }
        catch (EnvironmentUnusableException problem)
        {
            problems.Add((new(draft.Where, $"{id}: {problem.Message}"), draft.Name));
            return known[seen] = null;
        }
    }

    private static void Require(Settings settings, EnvironmentSpec spec, CellDraft draft, List<(ConfigurationProblem Problem, string Cell)> problems)
    {
        try
        {
            AgentCheck.CheckThatItCanBeBuilt(settings, spec);
        }
        catch (UserError problem)
        {
            problems.Add((new(draft.Where, $"'{draft.Label}' on {spec.Id}: {problem.Message}"), draft.Name));
        }
    }

    /// <summary>What a network is built by of a task; of a cycle, its tasks.</summary>
    private static string Sizes(Settings settings, EnvironmentSpec spec) =>
        EnvironmentCycle.Of(settings.Run.Environment) is null ? $"{spec.Observation}, {spec.ActionSize}" : settings.Run.Environment;

    private static SweepCell Cell(CellDraft draft, BuiltConfiguration built)
    {
        string Value(string key) => SettingsModule.tryFind(key)!.Get.Invoke(built.Settings);
        var settings = new Dictionary<string, string>();

        foreach (ConfigurationEntry entry in draft.Entries.Where(entry => entry.Key is not ("run.environment" or "run.method" or "run.seed")))
        {
            if (SettingsModule.presentName(entry.Key) is { } key)
            {
                // What is left to be derived stays so: the run derives it.
                settings[key] = entry.Value.Trim() == "auto" ? "auto" : Value(key);
            }
        }

        return new(draft.Name, Value("run.environment"), draft.Label, Value("run.method"), draft.Seed, settings) { Contest = draft.Contest };
    }

    /// <summary>A problem that several cells share is said once, with the cells unless it is all of them.</summary>
    private static void Throw(List<(ConfigurationProblem Problem, string Cell)> problems, int cells) =>
        SweepProblems.Throw(problems.GroupBy(found => found.Problem).Select(group =>
        {
            string[] names = [.. group.Select(found => found.Cell).Distinct()];
            string of = names.Length == cells && cells > 1 ? ""
                : names.Length == 1 ? $" (cell {names[0]})"
                : $" (cell {names[0]} and {names.Length - 1} more)";
            return group.Key with { Text = group.Key.Text + of };
        }));
}
