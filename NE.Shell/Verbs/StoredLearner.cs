using NE.Actors.Configuration;
using NE.Actors.Environments.Catalogue;
using NE.Actors.Journal;
using NE.Actors.Replay;
using NE.Actors.RunDirectory;
using NE.Actors.Storage;
using NE.Model;
using NE.Model.Agents;
using NE.Model.Replay;
using NE.Model.Runs;
using NE.Shell.Configuration;
using NE.Shell.Host;

namespace NE.Shell.Verbs;

/// <summary>A learner as a checkpoint has it, with the rows that it could learn from.</summary>
/// <param name="Step">Environment steps of the checkpoint.</param>
/// <param name="Settings">The stored configuration.</param>
/// <param name="Learner">Restored; belongs to this object.</param>
/// <param name="Replay">Null when the checkpoint has none.</param>
internal sealed record StoredLearner(RunPaths Paths, long Step, Settings Settings, ILearner Learner, ReplayManifest? Replay) : IDisposable
{
    /// <summary>Loads what the learner's engine needs, and the learner.</summary>
    /// <exception cref="DamagedCheckpointException">A file is not what was written.</exception>
    public static StoredLearner Load(RunPaths paths, CheckpointChoice choice, ShellHost host)
    {
        Settings settings = SettingsOf(paths);
        host.Prepare(settings.Compute, draws: false);
        LoadedCheckpoint loaded = CheckpointReader.LoadWithoutReplay(paths, choice);
        ILearner learner = Create(settings, loaded);

        try
        {
            learner.Restore(CheckpointReader.Learner(loaded));
            return new(paths, loaded.Manifest.Step, settings, learner, loaded.Manifest.Replay);
        }
        catch
        {
            learner.Dispose();
            throw;
        }
    }

    /// <summary>Rows of the replay memory: drawn uniformly with replacement, or, of pictures, a stretch of them.</summary>
    /// <param name="draws">Say which.</param>
    /// <exception cref="ShellFailure">There are none.</exception>
    public HeldRows Sample(int count, Draws draws)
    {
        if (this.Replay is not { } replay || replay.Head == replay.First)
        {
            throw new ShellFailure($"'{this.Paths.Name}': the checkpoint of step {Format.Count(this.Step)} holds no transitions to learn from; take a later one");
        }

        return new(Rows(this.Paths, this.Settings, replay, count, draws), replay.RowFloats);
    }

    /// <summary>The same as they are stored, one after the other.</summary>
    /// <exception cref="RunFolderException">The run gave its replay memory up.</exception>
    public static float[] Rows(RunPaths paths, Settings settings, ReplayManifest replay, int count, Draws draws)
    {
        DroppedReplay.Refuse(paths, "probed");
        return SettingsModule.pictures(settings) is null
            ? StoredRows.Sample(paths, replay, count, draws)
            : StoredRows.Stretch(paths, replay, count, draws);
    }

    /// <summary>The stored configuration of a run.</summary>
    public static Settings SettingsOf(RunPaths paths) => StoredConfiguration.Read(paths).Settings;

    public void Dispose() => this.Learner.Dispose();

    private static ILearner Create(Settings settings, LoadedCheckpoint loaded) => EnvironmentCycle.Of(settings.Run.Environment) is { } cycle
        ? TaskLearner.Create(settings, cycle, cycle.Whole, PhaseModule.taskIndex(settings, CheckpointReader.Phases(loaded)[^1]))
        : TaskLearner.Create(settings, cycle: null, Environments.Describe(settings), task: 0);
}
