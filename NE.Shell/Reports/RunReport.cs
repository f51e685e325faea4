using NE.Actors.Checkpoints;
using NE.Actors.Configuration;
using NE.Actors.Journal;
using NE.Actors.RunDirectory;
using NE.Model;
using NE.Shell.RunFiles;

namespace NE.Shell.Reports;

/// <summary>What `ne status` says about a run.</summary>
/// <param name="Run">The run's name.</param>
/// <param name="State">running, killed, interrupted, failed or completed; damaged when its files cannot be read, unreachable when its journal's server cannot be used, and then all numbers are 0.</param>
/// <param name="Reason">Why it was interrupted or failed, or what is damaged.</param>
/// <param name="ProcessId">The process that works on it.</param>
/// <param name="Environment">For example HalfCheetah-v4.</param>
/// <param name="Method">For example ne.</param>
/// <param name="Seed">Of all random streams.</param>
/// <param name="Engine">What computes the gradient steps, as the last start or resume found it, such as "simd 512 bits".</param>
/// <param name="Threads">Of the learner.</param>
/// <param name="Step">Environment step of the last checkpoint.</param>
/// <param name="Steps">Length of the run.</param>
/// <param name="GradientStep">Gradient step of the last checkpoint.</param>
/// <param name="LastEvaluation">The newest evaluation that is over, whether a checkpoint has delivered it or not.</param>
/// <param name="BestStep">Step of the best evaluation.</param>
/// <param name="StepsPerSecond">Of the newest row of timing.csv.</param>
/// <param name="UpdatesPerSecond">Of the newest row of timing.csv.</param>
/// <param name="Networks">Density and activated ratios of the newest row of metrics.csv, by network.</param>
/// <param name="LastCheckpoint">The newest commit.</param>
/// <param name="Events">Stored events by kind.</param>
/// <param name="Resumes">How often it was resumed.</param>
/// <param name="Folder">Where it lies.</param>
public sealed record RunReport(
    string Run,
    string State,
    string? Reason,
    int? ProcessId,
    string Environment,
    string Method,
    long Seed,
    string Engine,
    int Threads,
    long Step,
    long Steps,
    long GradientStep,
    EvaluationReport? LastEvaluation,
    long? BestStep,
    double? StepsPerSecond,
    double? UpdatesPerSecond,
    IReadOnlyDictionary<string, NetworkReport> Networks,
    CheckpointReport? LastCheckpoint,
    IReadOnlyDictionary<string, long> Events,
    int Resumes,
    string Folder)
{
    /// <summary>Of a running one, seconds to its last step at the speed of the last ten minutes of learning; null while that is unknown.</summary>
    public double? SecondsLeft { get; init; }

    /// <summary>Of a running one, environment steps before learning begins; 0 when it has.</summary>
    public long WarmUpSteps { get; init; }

    /// <summary>Reads a run's files; it may be running.</summary>
    /// <param name="runs">Folder of the runs.</param>
    /// <param name="name">The run's name.</param>
    public static RunReport Read(string runs, string name)
    {
        RunPaths paths = RunFolder.Find(runs, name);
        RunInfo info = StoredRunInfo.Of(paths).Info;
        RunHolder? holder = RunLock.Holder(paths);
        JournalSummary? journal = ReadJournal(paths);
        CheckpointManifest? manifest = journal?.Manifests.FirstOrDefault();
        IReadOnlyDictionary<string, double> timing = NewestRows.Last(paths.Timing);
        return new RunReport(
            paths.Name,
            StateOf(paths, info, holder),
            info.StatusReason,
            holder?.ProcessId,
            info.Environment,
            info.Method,
            info.Seed,
            EngineOf(info),
            info.Threads,
            manifest?.Step ?? 0,
            info.TotalSteps,
            manifest?.GradientStep ?? 0,
            NewestEvaluation(paths, journal?.LastEvaluation),
            manifest?.Best?.Step,
            Number(timing, "stepsPerSecond"),
            Number(timing, "updatesPerSecond"),
            ReadNetworks(NewestRows.Last(paths.Metrics)),
            manifest is null ? null : new(manifest.Step, manifest.Bytes, journal!.CommittedAt),
            journal?.EventCounts ?? new Dictionary<string, long>(),
            Math.Max(0, info.Stretches.Count - 1),
            paths.Root).WithTimeLeft(paths);
    }

    /// <summary>What the last checkpoint does not know yet is in the table.</summary>
    private static EvaluationReport? NewestEvaluation(RunPaths paths, History.EvaluationEnded? delivered)
    {
        IReadOnlyDictionary<string, double> row = NewestRows.Last(paths.Evaluations);
        return row.TryGetValue("step", out double step) && row.TryGetValue("mean", out double mean) && step > (delivered?.Step ?? -1)
            ? new((long)step, mean, row.Keys.Count(column => column.StartsWith("return", StringComparison.Ordinal)))
            : delivered is null ? null : new(delivered.Step, delivered.Returns.Average(), delivered.Returns.Length);
    }

    private RunReport WithTimeLeft(RunPaths paths)
    {
        if (this.State != "running" || !File.Exists(paths.Configuration))
        {
            return this;
        }

        IReadOnlyList<IReadOnlyDictionary<string, double>> timing = NewestRows.Read(paths.Timing, LearningSpeed.Rows);
        long learnsFrom = ConfigurationLayers.Read(File.ReadAllText(paths.Configuration), paths.Configuration).Learner.StartSteps.Value;
        long step = timing.Count > 0 ? (long)timing[^1].GetValueOrDefault("step") : this.Step;
        return this with
        {
            WarmUpSteps = Math.Max(0, learnsFrom - step),
            SecondsLeft = LearningSpeed.Of(timing, learnsFrom) is { } rate ? (this.Steps - step) / rate : null,
        };
    }

    /// <summary>A run whose files cannot be read.</summary>
    /// <param name="runs">Folder of the runs.</param>
    /// <param name="name">The run's name.</param>
    /// <param name="why">What cannot be read.</param>
    /// <param name="unreachable">Its journal is on a server that cannot be used now.</param>
    public static RunReport Damaged(string runs, string name, string why, bool unreachable = false) => new(
        name, unreachable ? "unreachable" : "damaged", why, null, "", "", 0, "", 0, 0, 0, 0, null, null, null, null,
        new Dictionary<string, NetworkReport>(), null, new Dictionary<string, long>(), 0, Path.GetFullPath(Path.Combine(runs, name)));

    /// <summary>Whether its files could not be read.</summary>
    internal bool IsDamaged => this.State is "damaged" or "unreachable";

    /// <summary>Runs from before there was a choice of engines say nothing: they compute with libtorch.</summary>
    private static string EngineOf(RunInfo info) =>
        info.Stretches.LastOrDefault()?.Versions.GetValueOrDefault("engine") ?? info.Engine ?? "torch";

    /// <summary>
    /// run.json says what the last process knew; only the lock says whether it lives. One that was killed between its last commit and its last
    /// word leaves a complete run, which the journal knows.
    /// </summary>
    internal static string StateOf(RunPaths paths, RunInfo info, RunHolder? holder) =>
        holder is not null ? "running"
        : info.Status is not RunState.Running ? info.Status.ToString().ToLowerInvariant()
        : JournalReader.IsComplete(paths, info.TotalSteps) ? "completed"
        : "killed";

    private static JournalSummary? ReadJournal(RunPaths paths)
    {
        using JournalReader? journal = JournalReader.TryOpen(paths);
        return journal?.Summary();
    }

    private static Dictionary<string, NetworkReport> ReadNetworks(IReadOnlyDictionary<string, double> row) =>
        ((string[])["actor", "critic"])
        .Where(network => row.ContainsKey($"{network}_density"))
        .ToDictionary(
            network => network,
            network => new NetworkReport(row[$"{network}_density"], Number(row, $"{network}_anr_0"), Number(row, $"{network}_anr_0.1"), Number(row, $"{network}_fau")));

    private static double? Number(IReadOnlyDictionary<string, double> row, string column) =>
        row.TryGetValue(column, out double value) && double.IsFinite(value) ? value : null;
}

/// <param name="Step">Environment step whose policy was evaluated.</param>
/// <param name="Mean">Mean undiscounted return.</param>
/// <param name="Episodes">Number of episodes.</param>
public sealed record EvaluationReport(long Step, double Mean, int Episodes);

/// <param name="Density">Active weights over all.</param>
/// <param name="Activated">Activated neuron ratio at tau = 0.</param>
/// <param name="ActivatedAboveTenth">Activated neuron ratio at tau = 0.1.</param>
/// <param name="ActiveUnits">Fraction of (sample, neuron) pairs that are active.</param>
public sealed record NetworkReport(double Density, double? Activated, double? ActivatedAboveTenth, double? ActiveUnits);

/// <param name="Step">Environment step.</param>
/// <param name="Bytes">Everything that it names.</param>
/// <param name="At">UTC.</param>
public sealed record CheckpointReport(long Step, long Bytes, DateTimeOffset? At);
