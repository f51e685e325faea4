using NE.Actors.Checkpoints;
using NE.Actors.Journal;
using NE.Actors.RunDirectory;
using NE.Model;
using NE.Shell.Host;

namespace NE.Shell.Running;

/// <summary>What a finished run leaves to be said.</summary>
internal static class RunSummary
{
    /// <summary>The last evaluation, the best one, what happened to the topology, and where the files are.</summary>
    public static IEnumerable<string> Lines(RunPaths paths)
    {
        using JournalReader journal = JournalReader.Open(paths);
        History.EvaluationEnded[] evaluations = [.. Evaluations(journal)];

        if (evaluations.Length > 0)
        {
            History.EvaluationEnded last = evaluations[^1];
            // Of a cycle's last phase: that is the one whose policy is kept.
            History.EvaluationEnded best = evaluations.LastOrDefault(evaluation => evaluation.IsBest) ?? last;
            yield return $"  last evaluation  {Format.Value(last.Returns.Average())} at step {Format.Count(last.Step)}, {Format.Counted(last.Returns.Length, "episode")}";
            yield return $"  best evaluation  {Format.Value(best.Returns.Average())} at step {Format.Count(best.Step)}  (ne eval {paths.Name})";
        }

        History.TopologyChanged[] changes = [.. journal.Events().Select(stored => stored.Event).OfType<History.RunEvent.TopologyChanged>().Select(happened => happened.Item2)];

        if (changes.Length > 0)
        {
            int pruned = changes.Count(change => change.Layers.Any(layer => layer.Pruned.Length > 0));
            yield return $"  topology         {Format.Count(changes.Length)} events, {Format.Count(pruned)} of them pruned something  (ne topology {paths.Name})";
        }

        if (journal.Manifests() is [CheckpointManifest manifest, ..])
        {
            yield return $"  last checkpoint  step {Format.Count(manifest.Step)}, {Format.Bytes(manifest.Bytes)}";
        }

        yield return $"  files            {paths.Root}: eval.csv, metrics.csv, layers.csv, topology.csv, {(File.Exists(paths.Phases) ? "phases.csv, " : "")}config.yaml, logs/run.clef";
    }

    /// <summary>All evaluations in the order in which they were delivered.</summary>
    public static IEnumerable<History.EvaluationEnded> Evaluations(JournalReader journal) =>
        journal.Events().Select(stored => stored.Event).OfType<History.RunEvent.EvaluationEnded>().Select(happened => happened.Item2);
}
