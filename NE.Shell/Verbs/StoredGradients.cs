using NE.Actors.Checkpoints;
using NE.Actors.Configuration;
using NE.Actors.Journal;
using NE.Actors.RunDirectory;
using NE.Model;
using NE.Model.Agents;
using NE.Shell.Host;
using NE.Shell.Reports.Compare.Figures;

namespace NE.Shell.Verbs;

/// <summary>Gradients of the agents of last checkpoints, for heat maps.</summary>
internal static class StoredGradients
{
    /// <summary>One figure of all the runs, on a batch of the first one's replay memory; none for no runs.</summary>
    /// <exception cref="UserError">The runs are of several environments, or a run cannot be drawn.</exception>
    public static IReadOnlyList<Figure> Draw(string runs, IReadOnlyList<string> names, ShellHost host)
    {
        if (names.Count == 0)
        {
            return [];
        }

        RunPaths[] paths = [.. names.Distinct().Select(name => RunFolder.Find(runs, name))];
        string[] environments = [.. paths.Select(run => StoredRunInfo.Of(run).Info.Environment).Distinct()];

        if (environments.FirstOrDefault(TaskCycle.isCycle) is { } cycle)
        {
            throw new UserError($"--heatmap draws networks of one task; found {cycle}");
        }

        if (environments.Length > 1)
        {
            throw new UserError($"--heatmap compares networks on one batch, so its runs must be of one environment; found {string.Join(" and ", environments)}");
        }

        CheckpointManifest first = CheckpointReader.LoadWithoutReplay(paths[0], CheckpointChoice.Last).Manifest;

        if (first.Replay is not { } replay || replay.Head == replay.First)
        {
            throw new UserError($"--heatmap {paths[0].Name}: its checkpoint of step {Format.Count(first.Step)} holds no transitions to make a batch of");
        }

        Settings settings = StoredLearner.SettingsOf(paths[0]);
        // Not every row of pictures ends a transition.
        int rows = settings.Run.Learner.SeesPixels ? 2 * GradientMap.Rows : GradientMap.Rows;
        float[] batch = StoredLearner.Rows(paths[0], settings, replay, rows, Draws.Of(0, Purpose.Statistics));
        LearnerKind[] learners = [.. paths.Select(run => StoredLearner.SettingsOf(run).Run.Learner)];
        return [HeatMap.Draw([.. paths.Select(run => Gradients(run, batch, host))], paths[0].Name, learners)];
    }

    private static (string, long, LayerGradient[]) Gradients(RunPaths run, float[] batch, ShellHost host)
    {
        using StoredLearner stored = StoredLearner.Load(run, CheckpointChoice.Last, host);
        return (run.Name, stored.Step, stored.Learner.Gradients(batch));
    }
}
