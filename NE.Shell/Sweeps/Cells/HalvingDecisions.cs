using System.Text.Json;
using System.Text.Json.Serialization;
using NE.Actors.Storage;
using NE.Shell.Host;
using NE.Shell.Sweeps.Planning;

namespace NE.Shell.Sweeps.Cells;

/// <summary>A trial where it was decided about it.</summary>
/// <param name="Label">The trial, an arm of the sweep.</param>
/// <param name="Returns">Per environment, the mean over the seeds of what their curves are worth there; null for one that has no such value.</param>
/// <param name="Rank">Average over the environments of its rank among the trials; 1 is the best.</param>
/// <param name="GoesOn">Whether it runs on, to the next decision or to its end.</param>
public sealed record JudgedTrial(string Label, IReadOnlyDictionary<string, double?> Returns, double Rank, bool GoesOn);

/// <summary>Which trials of an arm went on from a step.</summary>
/// <param name="Contest">The arm.</param>
/// <param name="Step">[environment steps] Where they were compared.</param>
/// <param name="At">UTC.</param>
/// <param name="Trials">All that were compared, in the sweep's order.</param>
public sealed record HalvingDecision(string Contest, long Step, DateTimeOffset At, IReadOnlyList<JudgedTrial> Trials)
{
    /// <summary>For people.</summary>
    [JsonIgnore]
    public string Sentence
    {
        get
        {
            string[] on = [.. this.Trials.Where(trial => trial.GoesOn).OrderBy(trial => trial.Rank).Select(trial => trial.Label.Replace(this.Contest + " ", "", StringComparison.Ordinal))];
            return $"{this.Contest} at step {Format.Count(this.Step)}: {string.Join(", ", on)} {(on.Length == 1 ? "goes" : "go")} on, the best first; {Format.Counted(this.Trials.Count - on.Length, "trial")} dropped";
        }
    }
}

/// <summary>
/// What a search has decided, kept beside the sweep. A decision is written, through a loss of power, before anything follows from it, so that it is
/// never made twice.
/// </summary>
public sealed class HalvingDecisions
{
    private readonly string file;
    private readonly List<HalvingDecision> decisions;
    private readonly HashSet<string> dropped;

    private HalvingDecisions(string file, List<HalvingDecision> decisions) =>
        (this.file, this.decisions, this.dropped) = (file, decisions, [.. decisions.SelectMany(Dropped)]);

    /// <summary>In the order in which they were made.</summary>
    public IReadOnlyList<HalvingDecision> All => this.decisions;

    /// <summary>Whether the trial of a cell goes no further.</summary>
    public bool IsDropped(SweepCell cell) => this.dropped.Contains(cell.Label);

    /// <exception cref="ShellFailure">The file is damaged.</exception>
    public static HalvingDecisions Read(SweepPaths paths)
    {
        return new(
            paths.Decisions,
            File.Exists(paths.Decisions)
                ? Json.Read<List<HalvingDecision>>(
                    paths.Decisions,
                    "the decisions of a search",
                    decisions => decisions.All(decision => decision is { Contest: not null, Trials: { } trials } && trials.All(trial => trial is { Label: not null, Returns: not null })),
                    "Restore it, or delete it: the same decisions follow from the same runs.")
                : []);
    }

    /// <exception cref="IOException">It cannot be stored. Then nothing was decided.</exception>
    public void Add(HalvingDecision decision)
    {
        DurableFile.WriteText(this.file, JsonSerializer.Serialize((HalvingDecision[])[.. this.decisions, decision], Json.Options) + "\n");
        this.decisions.Add(decision);
        this.dropped.UnionWith(Dropped(decision));
    }

    private static IEnumerable<string> Dropped(HalvingDecision decision) => decision.Trials.Where(trial => !trial.GoesOn).Select(trial => trial.Label);
}
