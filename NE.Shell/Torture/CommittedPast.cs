using NE.Actors.Checkpoints;
using NE.Actors.Journal;
using NE.Actors.RunDirectory;
using NE.Model;
using NE.Model.Runs;

namespace NE.Shell.Torture;

/// <summary>What a run has committed, to be asked for again after whatever happens to it: all that can be asked of a run that is not reproducible.</summary>
public sealed class CommittedPast
{
    private readonly long step;
    private readonly IReadOnlyList<string> operational;
    private readonly IReadOnlyDictionary<long, string> history;
    private readonly IReadOnlyDictionary<string, byte[]> tables;

    private CommittedPast(long step, IReadOnlyList<string> operational, IReadOnlyDictionary<long, string> history, IReadOnlyDictionary<string, byte[]> tables) =>
        (this.step, this.operational, this.history, this.tables) = (step, operational, history, tables);

    /// <summary>That of a run at which no process works; null before it has a journal.</summary>
    /// <param name="run">The run.</param>
    /// <param name="back">0: up to the last commit; 1: up to the one before.</param>
    /// <exception cref="InvalidDataException">The journal cannot be read.</exception>
    public static CommittedPast? Of(RunPaths run, int back = 0)
    {
        using JournalReader? journal = JournalReader.TryOpen(run);

        if (journal is null)
        {
            return null;
        }

        CheckpointManifest? commit = journal.Manifests().ElementAtOrDefault(back);
        IReadOnlyList<StoredRunEvent> events = journal.Events();
        return new(
            commit?.Step ?? 0,
            [.. events.Where(stored => !RunEvents.isHistory(stored.Event)).Select(stored => stored.Event.ToString())],
            events.Select(stored => (Ordinal: RunEvents.ordinalOf(stored.Event), Text: stored.Event.ToString()))
                .Where(happened => happened.Ordinal is { } ordinal && commit is not null && ordinal < commit.HistoryOrdinal && !commit.KeptOrdinals.Contains(ordinal))
                .ToDictionary(happened => happened.Ordinal!.Value, happened => happened.Text),
            commit?.Files.Where(file => Path.GetExtension(file.Key) is ".csv").ToDictionary(file => file.Key, file => Start(Path.Combine(run.Root, file.Key), file.Value.Length)) ?? []);
    }

    /// <summary>The first thing of it that a run does not have any more, or has otherwise; null when all is there.</summary>
    /// <param name="run">The same run, later.</param>
    /// <param name="withTables">Whether the tables have to have it too.</param>
    public string? FirstLoss(RunPaths run, bool withTables = true)
    {
        CommittedPast now = Of(run) ?? new(0, [], new Dictionary<long, string>(), new Dictionary<string, byte[]>());

        if (now.step < this.step)
        {
            return $"step {this.step} was committed, and now {now.step} is";
        }

        if (Enumerable.Range(0, this.operational.Count).FirstOrDefault(i => now.operational.ElementAtOrDefault(i) != this.operational[i], -1) is >= 0 and var at)
        {
            return $"operational event {at} was {this.operational[at]} and is {now.operational.ElementAtOrDefault(at) ?? "none"}".ReplaceLineEndings(" ");
        }

        foreach ((long ordinal, string text) in this.history.OrderBy(happened => happened.Key))
        {
            if (now.history.GetValueOrDefault(ordinal) != text)
            {
                return $"history event {ordinal} was {text} and is {now.history.GetValueOrDefault(ordinal) ?? "none"}".ReplaceLineEndings(" ");
            }
        }

        return withTables
            ? this.tables.Where(table => !now.tables.GetValueOrDefault(table.Key, []).AsSpan().StartsWith(table.Value)).Select(table => $"rows of {table.Key}").FirstOrDefault()
            : null;
    }

    /// <summary>What is wrong with a run as a whole that should be complete: it is not, or something happened twice or is missing in between; null when nothing is.</summary>
    /// <param name="run">The run.</param>
    /// <param name="steps">How many it has to have.</param>
    public static string? FirstFlaw(RunPaths run, long steps)
    {
        using JournalReader journal = JournalReader.Open(run);

        if (!JournalReader.IsComplete(run, steps) || journal.Manifests() is not [var last, ..])
        {
            return "it is not complete";
        }

        if (last.Step != steps)
        {
            return $"step: {last.Step} instead of {steps}";
        }

        History.RunEvent[] happened = [.. journal.Events().Select(stored => stored.Event).Where(RunEvents.isHistory)];

        if (Enumerable.Range(0, happened.Length).FirstOrDefault(i => RunEvents.ordinalOf(happened[i]) != i, -1) is >= 0 and var at)
        {
            return $"history event {at} is number {RunEvents.ordinalOf(happened[at])}";
        }

        History.EpisodeEnded[] episodes = [.. happened.OfType<History.RunEvent.EpisodeEnded>().Select(ended => ended.Item2)];

        if (episodes.GroupBy(episode => (episode.Environment, episode.Episode)).FirstOrDefault(same => same.Count() > 1) is { } twice)
        {
            return $"episode {twice.Key.Episode} of environment {twice.Key.Environment} ended twice";
        }

        if (episodes.Sum(episode => (long)episode.Length) is var taken && taken > steps)
        {
            return $"episodes of {taken} steps in a run of {steps}";
        }

        return happened.OfType<History.RunEvent.EvaluationEnded>().GroupBy(ended => ended.Item2.Step).FirstOrDefault(same => same.Count() > 1) is { } again
            ? $"two evaluations of step {again.Key}"
            : null;
    }

    private static byte[] Start(string path, long length)
    {
        if (!File.Exists(path))
        {
            return [];
        }

        byte[] all = File.ReadAllBytes(path);
        return all.Length <= length ? all : all[..(int)length];
    }
}
