using NE.Actors.Configuration;
using NE.Actors.Journal;
using NE.Actors.RunDirectory;
using NE.Model;
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

    /// <summary>running, killed, interrupted, failed or completed.</summary>
    public required string State { get; init; }

    /// <summary>Configuration key to value, as stored.</summary>
    public required IReadOnlyDictionary<string, string> Keys { get; init; }

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

    /// <summary>Environment step of the last evaluation.</summary>
    public double Reached => this.Returns.End;

    public bool IsCycle => TaskCycle.isCycle(this.Environment);

    /// <summary>Whether it is a cycle whose phases are counted in episodes: it is complete when its last phase is, usually well before its steps.</summary>
    public bool EndsByEpisodes => this.IsCycle && this.Keys.GetValueOrDefault("cycle.episodes", "0") != "0";

    /// <summary>The evaluations that count when runs are compared at a step. Rounds are whole: the last one may end, and be evaluated, behind the run's length.</summary>
    public Curve Until(double horizon) => horizon >= this.TotalSteps || this.EndsByEpisodes ? this.Returns : this.Returns.Until(horizon);

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

    /// <summary>Reads a run's files.</summary>
    /// <exception cref="RunFolderException">There is no such run.</exception>
    /// <exception cref="InvalidDataException">Its run.json or journal cannot be read.</exception>
    public static ReportedRun Read(string runs, string name)
    {
        RunPaths paths = RunFolder.Find(runs, name);
        RunInfo info = StoredRunInfo.Of(paths).Info;
        CsvTable evaluations = CsvTable.Read(paths.Evaluations);
        return Outline(paths, info, RunReport.StateOf(paths, info, RunLock.Holder(paths))) with
        {
            Returns = evaluations.Curve("step", "mean"),
            Evaluations = evaluations,
            Metrics = CsvTable.Read(paths.Metrics),
            Topology = CsvTable.Read(paths.Topology),
            Phases = CsvTable.Read(paths.Phases),
            Marks = [.. ReadMarks(paths, info)],
            Command = File.Exists(paths.Command) ? File.ReadAllText(paths.Command).Trim() : "",
        };
    }

    /// <summary>What a run is, without what it measured.</summary>
    internal static ReportedRun Outline(RunPaths paths, RunInfo info, string state) => new()
    {
        Name = paths.Name,
        Environment = info.Environment,
        Method = info.Method,
        Seed = info.Seed,
        TotalSteps = info.TotalSteps,
        State = state,
        Keys = ReadKeys(paths.Configuration),
        Returns = new([], []),
        Evaluations = CsvTable.Empty,
        Metrics = CsvTable.Empty,
        Topology = CsvTable.Empty,
        Phases = CsvTable.Empty,
        Stretches = info.Stretches,
    };

    /// <summary>
    /// The stored values as text, by the names that keys have now. A run of another version of the program may have keys that this one lacks.
    /// </summary>
    private static Dictionary<string, string> ReadKeys(string file) =>
        File.Exists(file)
            ? SettingsModule.present(YamlConfiguration.Read(File.ReadAllText(file), file).Entries.DistinctBy(entry => entry.Key).Select(entry => (entry.Key, entry.Value)))
                .ToDictionary(pair => pair.Item1, pair => pair.Item2)
            : [];

    internal static IEnumerable<Mark> ReadMarks(RunPaths paths, RunInfo info)
    {
        foreach (RunStretch stretch in info.Stretches.Skip(1))
        {
            yield return new(stretch.FromStep, "resume", $"resumed {stretch.Started:yyyy-MM-dd HH:mm} UTC on {stretch.Host}");
        }

        using JournalReader? journal = JournalReader.TryOpen(paths);

        foreach (StoredRunEvent stored in journal?.Operational() ?? [])
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
