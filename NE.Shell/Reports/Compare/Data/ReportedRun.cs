using NE.Actors.Configuration;
using NE.Actors.Journal;
using NE.Actors.RunDirectory;
using NE.Actors.Stores;
using NE.Model;
using NE.Shell.Host;
using NE.Shell.RunFiles;

namespace NE.Shell.Reports.Compare.Data;

/// <summary>A point of the step axis where a process took over, or an environment was started anew.</summary>
/// <param name="Step">Environment step.</param>
/// <param name="What">"resume" or "restart".</param>
/// <param name="Why">A sentence for the table.</param>
public sealed record Mark(long Step, string What, string Why);

/// <summary>A run as a report sees it: read once, never changed. It may still be going on.</summary>
public sealed record ReportedRun
{
    public required string Name { get; init; }

    public required string Environment { get; init; }

    public required string Method { get; init; }

    public required long Seed { get; init; }

    /// <summary>Steps until the run is complete; an upper bound where it ends by episodes.</summary>
    public required long TotalSteps { get; init; }

    /// <summary>running, killed, interrupted, failed or completed; damaged or unreachable where only its journal could tell and cannot be read.</summary>
    public required string State { get; init; }

    /// <summary>Configuration key to value, as stored; where a resume changed it, the last one.</summary>
    public required IReadOnlyDictionary<string, string> Keys { get; init; }

    /// <summary>What resumes changed of it, by key, oldest first.</summary>
    public IReadOnlyList<KeyChange> Changes { get; init; } = [];

    /// <summary>The arm's name that a sweep gave; null for a run outside of sweeps.</summary>
    public string? Label { get; init; }

    /// <summary>The sweep that gave it.</summary>
    public string? Sweep { get; init; }

    /// <summary>Mean undiscounted return of noise-free episodes over environment steps.</summary>
    public required Curve Returns { get; init; }

    public required CsvTable Evaluations { get; init; }

    public required CsvTable Metrics { get; init; }

    public required CsvTable Topology { get; init; }

    /// <summary>Phases of a cycle: step, phase, task; empty for a run of one task.</summary>
    public required CsvTable Phases { get; init; }

    public IReadOnlyList<Mark> Marks { get; init; } = [];

    /// <summary>The commands that started it, as typed.</summary>
    public string Command { get; init; } = "";

    public IReadOnlyList<RunStretch> Stretches { get; init; } = [];

    /// <summary>What of its files cannot be read, and what that means for the report: clauses that follow its name.</summary>
    public IReadOnlyList<string> Damage { get; init; } = [];

    /// <summary>Environment step of the last evaluation.</summary>
    public double Reached => this.Returns.End;

    public bool IsCycle => TaskCycle.isCycle(this.Environment);

    /// <summary>Whether it is a cycle whose phases are counted in episodes: it is complete when its last phase is, usually well before its steps.</summary>
    public bool EndsByEpisodes => this.IsCycle && this.Keys.GetValueOrDefault("cycle.episodes", "0") != "0";

    /// <summary>Control steps of the task per step of the run; 1 where it learns from numbers.</summary>
    public int ActionRepeat =>
        this.SettingsOf("run.learner", "pixels.actionRepeat") is { } settings && SettingsModule.pictures(settings) is { } form ? form.ActionRepeat : 1;

    /// <summary>Its settings as far as its environment and these keys tell, the rest as in old runs; null where this version does not know a value.</summary>
    public Settings? SettingsOf(params string[] keys)
    {
        var settings = SettingsModule.apply(
            [("run.environment", this.Environment), .. keys.Where(this.Keys.ContainsKey).Select(key => (key, this.Keys[key]))], SettingsModule.ofOldRuns);
        return settings.IsOk ? settings.ResultValue : null;
    }

    /// <summary>The value of a key; with those before where a resume changed it, such as "3e-4 -> 1e-4 at 240,000". Null where the run does not name the key.</summary>
    public string? Value(string key)
    {
        KeyChange[] changes = [.. this.Changes.Where(change => change.Key == key)];
        return changes.Length == 0
            ? this.Keys.GetValueOrDefault(key)
            : changes[0].Old + string.Concat(changes.Select(change => $" -> {change.New} at {Format.Count(change.Step)}"));
    }

    /// <summary>The run as it was up to a step: without what resumes changed there and later.</summary>
    public ReportedRun UnchangedFrom(long step)
    {
        KeyChange[] later = [.. this.Changes.Where(change => change.Step >= step)];
        var keys = this.Keys.ToDictionary();

        foreach (KeyChange first in later.DistinctBy(change => change.Key))
        {
            keys[first.Key] = first.Old;
        }

        return later.Length == 0 ? this : this with { Keys = keys, Changes = [.. this.Changes.Except(later)] };
    }

    /// <summary>The evaluations that count when runs are compared at a step. Rounds are whole: the last one may end, and be evaluated, behind the run's length.</summary>
    public Curve Until(double horizon) => this.CountsAll(horizon) ? this.Returns : this.Returns.Until(horizon);

    /// <summary>Whether the newest evaluation that counts at a step gave no number: the simulation, or the networks, had left the numbers.</summary>
    public bool HasDiverged(double horizon)
    {
        int newest = Enumerable.Range(0, this.Evaluations.Rows).LastOrDefault(row => this.CountsAll(horizon) || this.Evaluations.Number(row, "step") <= horizon, -1);
        return newest >= 0 && !double.IsFinite(this.Evaluations.Number(newest, "mean"));
    }

    /// <summary>Whether every evaluation up to a step, or up to the end of a run that ends by episodes, is there: the next one would lie behind it.</summary>
    public bool Covers(double horizon)
    {
        if (this.EndsByEpisodes)
        {
            return this.State == "completed";
        }

        double[] steps = this.Returns.Steps;
        double interval = steps.Length < 2 ? 0 : steps[^1] - steps[^2];
        return this.Reached >= horizon
            || (steps.Length > 0 && horizon <= this.TotalSteps && this.Reached + interval > horizon && (this.State == "completed" || horizon < this.TotalSteps));
    }

    private bool CountsAll(double horizon) => horizon >= this.TotalSteps || this.EndsByEpisodes;

    /// <summary>Whether the files of a run, or the server of its journal, are the reason of a failure; then other runs can still be shown.</summary>
    internal static bool IsDamage(Exception problem) =>
        problem is IOException or InvalidDataException or UnauthorizedAccessException or RunFolderException or ConfigurationException;

    /// <summary>Reads a run's files. Where its journal cannot be read, it lacks what only that knows, and says so.</summary>
    /// <exception cref="RunFolderException">There is no such run, or a newer program wrote it.</exception>
    /// <exception cref="InvalidDataException">Its run.json cannot be read, nor its journal in its place.</exception>
    public static ReportedRun Read(string runs, string name)
    {
        RunPaths paths = RunFolder.Find(runs, name);
        StoredRunInfo stored = StoredRunInfo.Of(paths);
        List<string> damage = stored.Damage is { } lost ? [$"is described as its journal knows it: {lost}"] : [];
        string state = OfJournal(() => RunReport.StateOf(paths, stored.Info, RunLock.Holder(paths)), problem => problem is JournalUnavailableException ? "unreachable" : "damaged", damage);
        IReadOnlyList<StoredRunEvent> events = OfJournal<IReadOnlyList<StoredRunEvent>>(() => Operational(paths), _ => [], damage);
        (IReadOnlyDictionary<string, string> keys, string? wrong) = ReadKeys(paths);
        ReportedRun outline = Outline(paths, stored.Info, state) with { Keys = keys, Damage = wrong is null ? [] : [wrong] };
        CsvTable evaluations = CsvTable.Read(paths.Evaluations, ReportedColumns.OfEvaluations);
        return outline with
        {
            Returns = evaluations.Curve("step", "mean"),
            Evaluations = evaluations,
            Metrics = CsvTable.Read(paths.Metrics, ReportedColumns.OfMetrics),
            Topology = CsvTable.Read(paths.Topology, ReportedColumns.OfTopology, "network"),
            Phases = CsvTable.Read(paths.Phases),
            Marks = [.. MarksOf(stored.Info, events)],
            Changes = KeyChange.Of(events.Select(happened => happened.Event)),
            Command = File.Exists(paths.Command) ? File.ReadAllText(paths.Command).Trim() : "",
            Damage = [.. damage.Concat(outline.Damage).Distinct()],
        };
    }

    /// <summary>What a run is by its small files, without what it measured, and without what resumes changed.</summary>
    internal static ReportedRun Outline(RunPaths paths, RunInfo info, string state) =>
        new()
        {
            Name = paths.Name,
            Environment = info.Environment,
            Method = info.Method,
            Seed = info.Seed,
            TotalSteps = info.TotalSteps,
            State = state,
            Keys = WrittenKeys(paths.Configuration),
            Returns = new([], []),
            Evaluations = CsvTable.Empty,
            Metrics = CsvTable.Empty,
            Topology = CsvTable.Empty,
            Phases = CsvTable.Empty,
            Stretches = info.Stretches,
        };

    internal static IEnumerable<Mark> ReadMarks(RunPaths paths, RunInfo info) => MarksOf(info, Operational(paths));

    /// <summary>The stored values as text, by the names that keys have now: those of config.yaml, or those of the journal where that file is damaged.</summary>
    private static (IReadOnlyDictionary<string, string> Keys, string? Damage) ReadKeys(RunPaths paths)
    {
        try
        {
            StoredConfiguration stored = StoredConfiguration.Read(paths);

            if (stored.Damage is { } damage)
            {
                return (SettingsModule.values(stored.Settings).ToDictionary(pair => pair.Item1, pair => pair.Item2), $"has the configuration that its journal knows, since its config.yaml {damage}");
            }

            return (WrittenKeys(paths.Configuration), null);
        }
        catch (Exception problem) when (IsDamage(problem))
        {
            // A run of another version of the program may have keys that this one lacks, and can still be compared by those that it has.
            return (WrittenKeys(paths.Configuration), $"is compared by a config.yaml that could not be checked: {problem.Message.ReplaceLineEndings(" ")}");
        }
    }

    private static Dictionary<string, string> WrittenKeys(string file) =>
        File.Exists(file)
            ? SettingsModule.present(YamlConfiguration.Read(File.ReadAllText(file), file).Entries.DistinctBy(entry => entry.Key).Select(entry => (entry.Key, entry.Value)))
                .ToDictionary(pair => pair.Item1, pair => pair.Item2)
            : [];

    /// <summary>What a journal says, or something instead where it cannot be read.</summary>
    private static T OfJournal<T>(Func<T> read, Func<Exception, T> instead, List<string> damage)
    {
        try
        {
            return read();
        }
        catch (Exception problem) when (IsDamage(problem))
        {
            damage.Add($"is shown without the restarts and changed keys of its journal, which cannot be read: {problem.Message.ReplaceLineEndings(" ")}");
            return instead(problem);
        }
    }

    private static IReadOnlyList<StoredRunEvent> Operational(RunPaths paths)
    {
        using JournalReader? journal = JournalReader.TryOpen(paths);
        return journal?.Operational() ?? [];
    }

    private static IEnumerable<Mark> MarksOf(RunInfo info, IReadOnlyList<StoredRunEvent> events)
    {
        foreach (RunStretch stretch in info.Stretches.Skip(1))
        {
            yield return new(stretch.FromStep, "resume", $"resumed {stretch.Started:yyyy-MM-dd HH:mm} UTC on {stretch.Host}");
        }

        foreach (StoredRunEvent stored in events)
        {
            if (stored.Event is History.RunEvent.EnvironmentRestarted restarted)
            {
                yield return new(restarted.step, "restart", $"environment {restarted.environment} restarted: {restarted.reason}");
            }
            else if (stored.Event is History.RunEvent.ConfigurationChanged changed)
            {
                yield return new(changed.step, "change", string.Join(", ", changed.changes.Select(change => $"{change.Item1}: {change.Item2} -> {change.Item3}")));
            }
        }
    }
}
