using NE.Actors.Checkpoints;
using NE.Actors.Configuration;
using NE.Actors.Journal;
using NE.Actors.Replay;
using NE.Actors.RunDirectory;
using NE.Model;
using NE.Model.Agents;
using NE.Shell.Configuration;
using NE.Shell.Host;
using NE.Shell.Reports.Compare.Figures;

namespace NE.Shell.Verbs;

/// <summary>Gradients of the agents of last checkpoints, for heat maps.</summary>
internal static class StoredGradients
{
    /// <summary>One figure of all the runs, on a batch of the first one's replay memory; none for no runs.</summary>
    /// <exception cref="UserError">The runs are of several environments or store rows of several forms, or a run cannot be drawn.</exception>
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

        Settings[] settings = [.. paths.Select(StoredLearner.SettingsOf)];
        int other = Array.FindIndex(settings, one => RowForm(one) != RowForm(settings[0]));

        if (other > 0)
        {
            throw new UserError(
                "--heatmap compares networks on one batch, so its runs must all have learned from numbers, or all from pictures of one size; "
                + $"found {paths[0].Name} with {RowForm(settings[0])} and {paths[other].Name} with {RowForm(settings[other])}");
        }

        CheckpointManifest first = CheckpointReader.LoadWithoutReplay(paths[0], CheckpointChoice.Last).Manifest;

        if (first.Replay is not { } replay || replay.Head == replay.First)
        {
            throw new UserError($"--heatmap {paths[0].Name}: its checkpoint of step {Format.Count(first.Step)} holds no transitions to make a batch of");
        }

        float[] batch = settings[0].Run.Learner.SeesPixels
            ? RowsOfPictures(paths[0], first.Step, replay, settings)
            : StoredLearner.Rows(paths[0], settings[0], replay, GradientMap.Rows, Draws.Of(0, Purpose.Statistics));
        return [HeatMap.Draw([.. paths.Select(run => Gradients(run, batch, host))], paths[0].Name, [.. settings.Select(one => one.Run.Learner)])];
    }

    /// <summary>What the stored rows of a run on a task depend on, in words.</summary>
    private static string RowForm(Settings settings) =>
        settings.Run.Learner.SeesPixels ? $"pictures of {settings.Pixels.Size} x {settings.Pixels.Size}" : "numbers";

    /// <summary>A stretch of a run's rows that holds a batch for each of the learners.</summary>
    /// <exception cref="UserError">There is none.</exception>
    private static float[] RowsOfPictures(RunPaths run, long step, ReplayManifest replay, Settings[] learners)
    {
        // One array has to hold them.
        int most = (int)Math.Min(replay.Head - replay.First, Array.MaxLength / replay.RowFloats);
        return GradientMap.rowsOfPictures(
                learners.Select(settings => settings.Pixels),
                Environments.Describe(learners[0]).ActionSize,
                most,
                count => StoredLearner.Rows(run, learners[0], replay, count, Draws.Of(0, Purpose.Statistics)))
            ?? throw new UserError(
                $"--heatmap: {run.Name} at step {Format.Count(step)} holds fewer than {GradientMap.Rows} whole transitions to make a batch of; a later checkpoint has them");
    }

    private static (string, long, LayerGradient[]) Gradients(RunPaths run, float[] batch, ShellHost host)
    {
        using StoredLearner stored = StoredLearner.Load(run, CheckpointChoice.Last, host);
        return (run.Name, stored.Step, stored.Learner.Gradients(batch));
    }
}
