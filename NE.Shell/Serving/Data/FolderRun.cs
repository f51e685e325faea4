using NE.Actors.Configuration;
using NE.Actors.Journal;
using NE.Actors.RunDirectory;
using NE.Actors.Stores;
using NE.Model;
using NE.Shell.Reports;
using NE.Shell.Reports.Compare.Data;
using NE.Shell.RunFiles;

namespace NE.Shell.Serving.Data;

/// <summary>One run of a folder, with what was read of it so far. What is damaged is said in its summary and does not keep others from being shown.</summary>
/// <param name="paths">Its files.</param>
/// <param name="clock">Says when what could not be read is tried again.</param>
internal sealed class FolderRun(RunPaths paths, TimeProvider clock)
{
    private const string Damaged = "damaged";
    private const string Unreachable = "unreachable";

    /// <summary>Tables by the names that requests have for them, with their files.</summary>
    private readonly Dictionary<string, GrowingTable> tables = TableFiles(paths).ToDictionary(table => table.Name, table => new GrowingTable(table.File));

    private readonly TopologyFilm film = new(paths);
    private readonly Lock gate = new();
    private readonly Kept<RunSummary> summary = new(clock);
    private readonly Kept<ReportedRun> outline = new(clock);
    private (string Stamp, RunInfo? Info, string? Damage) info = ("", null, null);

    public RunPaths Paths => paths;

    /// <exception cref="KeyNotFoundException">There is no such table.</exception>
    public GrowingTable Table(string name) => this.tables[name];

    /// <summary>Of every file that the page shows something of, a text that is another one when it has changed.</summary>
    public IReadOnlyDictionary<string, string> Stamp() => TableFiles(paths)
        .Concat([("run", paths.RunInfo), ("checkpoint", paths.Journal + "-wal"), ("log", paths.Log), ("video", paths.Video)])
        .ToDictionary(file => file.Item1, file => Stamp(file.Item2));

    public RunSummary Summary(string? sweep)
    {
        RunHolder? holder = File.Exists(paths.Lock) ? RunLock.Holder(paths) : null;
        string stamp = $"{holder} {string.Join(' ', ((string[])[paths.RunInfo, paths.Timing, paths.Evaluations, paths.Metrics]).Select(Stamp))}";

        lock (this.gate)
        {
            return this.summary.Of(stamp, () => this.ReadSummary(holder), read => read?.State is Damaged or Unreachable)! with { Sweep = sweep };
        }
    }

    /// <summary>See <see cref="IRunSource.TopologyEvents"/>.</summary>
    public IReadOnlyList<TopologyEventSummary> TopologyEvents() => this.film.Events(this.Id);

    /// <summary>See <see cref="IRunSource.Topology"/>.</summary>
    public TopologyFrame? Topology(int index) => this.film.Frame(this.Id, index);

    /// <summary>Empty while run.json cannot be read.</summary>
    private string Id => this.Info().Info?.Id ?? "";

    private RunSummary ReadSummary(RunHolder? holder)
    {
        (RunInfo? known, string? damage) = this.Info();

        if (known is null)
        {
            return new(paths.Name, Damaged, damage, "", "", 0, 0, 0, null, null, null, null, 0, null, null);
        }

        try
        {
            string state = RunReport.StateOf(paths, known, holder);
            IReadOnlyList<IReadOnlyDictionary<string, double>> timing = NewestRows.Read(paths.Timing, LearningSpeed.Rows);
            long step = timing.Count > 0 ? (long)timing[^1].GetValueOrDefault("step") : 0;
            double? rate = state == "running" ? LearningSpeed.Of(timing, this.LearnsFrom()) : null;
            return new(
                paths.Name,
                state,
                damage ?? (state == "running" ? null : known.StatusReason),
                known.Environment,
                known.Method,
                known.Seed,
                state == "completed" ? Math.Max(step, known.TotalSteps) : step,
                known.TotalSteps,
                rate is { } speed ? Math.Max(0, known.TotalSteps - step) / speed : null,
                state == "running" && timing.Count > 0 ? timing[^1].GetValueOrDefault("stepsPerSecond") : null,
                Last(paths.Evaluations, "mean"),
                Last(paths.Metrics, "actor_density"),
                Math.Max(0, known.Stretches.Count - 1),
                known.Stretches.FirstOrDefault()?.Started,
                null);
        }
        catch (Exception unreadable) when (IsDamage(unreadable))
        {
            return new(paths.Name, unreadable is JournalUnavailableException ? Unreachable : Damaged, unreadable.Message, known.Environment, known.Method, known.Seed, 0, known.TotalSteps, null, null, null, null, 0, null, null);
        }
    }

    /// <summary>What it is, for grouping; null when its files do not say.</summary>
    public ReportedRun? Outline(string? sweep, string? label)
    {
        if (this.Info().Info is not { } known)
        {
            return null;
        }

        lock (this.gate)
        {
            return this.outline.Of($"{Stamp(paths.Configuration)} {Stamp(paths.RunInfo)}", () => this.ReadOutline(known), read => read is null) is { } run
                ? run with { Sweep = sweep, Label = label }
                : null;
        }
    }

    private ReportedRun? ReadOutline(RunInfo known)
    {
        try
        {
            // The state is read when it is asked for.
            return ReportedRun.Outline(paths, known, "");
        }
        catch (Exception unreadable) when (IsDamage(unreadable) || unreadable is ConfigurationException)
        {
            return null;
        }
    }

    public RunDetails Details(string? sweep)
    {
        RunReport? report = null;
        IReadOnlyList<Mark> marks = [];
        IReadOnlyList<long> checkpoints = [];
        RunSummary summary = this.Summary(sweep);

        try
        {
            report = RunReport.Read(paths.RunsFolder, paths.Name);
            marks = this.Info().Info is { } known ? [.. ReportedRun.ReadMarks(paths, known)] : [];
            using JournalReader? journal = JournalReader.TryOpen(paths);
            checkpoints = [.. (journal?.AllManifests() ?? []).Select(manifest => manifest.Step).Distinct()];
        }
        catch (Exception unreadable) when (IsDamage(unreadable) || unreadable is ConfigurationException)
        {
            summary = summary with { Reason = summary.Reason ?? unreadable.Message };
        }

        CsvTable phases = CsvTable.Read(paths.Phases);
        return new(
            summary,
            report,
            File.Exists(paths.Command) ? File.ReadAllText(paths.Command).Trim() : "",
            marks,
            checkpoints,
            [.. Enumerable.Range(0, phases.Rows).Select(row => new PhaseMark((long)phases.Number(row, "step"), phases.Text(row, "task")))],
            this.tables.ToDictionary(table => table.Key, table => table.Value.Names),
            this.Videos());
    }

    public IReadOnlyList<ConfigurationLine> Configuration()
    {
        StoredConfiguration stored = StoredConfiguration.Read(paths);
        HashSet<string> given = File.Exists(paths.ConfigurationDifference)
            ? [.. YamlConfiguration.Read(File.ReadAllText(paths.ConfigurationDifference), paths.ConfigurationDifference).Entries.Select(entry => entry.Key)]
            : [];
        return [.. SettingsModule.keys.Select(key => new ConfigurationLine(key.Name, key.Get.Invoke(stored.Settings), key.Get.Invoke(SettingsModule.defaults), given.Contains(key.Name)))];
    }

    /// <summary>The file of a video that is in the run's folder of videos, whatever the name says; a link leads elsewhere.</summary>
    public string? Video(string file) => this.Videos().Contains(file) ? Path.Combine(paths.Video, file) : null;

    private string[] Videos() => Directory.Exists(paths.Video)
        ? [.. new DirectoryInfo(paths.Video).EnumerateFiles().Where(file => file is { LinkTarget: null, Extension: ".mp4" or ".png" }).OrderBy(file => file.LastWriteTimeUtc).Select(file => file.Name)]
        : [];

    private (RunInfo? Info, string? Damage) Info()
    {
        lock (this.gate)
        {
            string stamp = Stamp(paths.RunInfo);

            if (this.info.Stamp != stamp || this.info.Info is null)
            {
                try
                {
                    var stored = StoredRunInfo.Of(paths);
                    this.info = (stamp, stored.Info, stored.Damage);
                }
                catch (Exception unreadable) when (IsDamage(unreadable))
                {
                    this.info = (stamp, null, unreadable.Message);
                }
            }

            return (this.info.Info, this.info.Damage);
        }
    }

    private long LearnsFrom() =>
        this.Outline(null, null)?.Keys.GetValueOrDefault("learner.startSteps") is { } text && long.TryParse(text, out long steps) ? steps : 0;

    private static double? Last(string table, string column) =>
        NewestRows.Last(table).TryGetValue(column, out double value) && double.IsFinite(value) ? value : null;

    private static bool IsDamage(Exception problem) =>
        problem is IOException or InvalidDataException or RunFolderException or JournalUnavailableException or UnauthorizedAccessException;

    private static string Stamp(string path)
    {
        FileSystemInfo file = new FileInfo(path);

        if (!file.Exists)
        {
            file = new DirectoryInfo(path);
        }

        return file.Exists ? $"{(file as FileInfo)?.Length}@{file.LastWriteTimeUtc.Ticks}" : "";
    }

    private static (string Name, string File)[] TableFiles(RunPaths paths) =>
        [("eval", paths.Evaluations), ("metrics", paths.Metrics), ("timing", paths.Timing), ("topology", paths.Topology)];
}
