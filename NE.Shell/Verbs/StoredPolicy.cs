using NE.Actors.Environments;
using NE.Actors.Environments.Catalogue;
using NE.Actors.Journal;
using NE.Actors.RunDirectory;
using NE.Model;
using NE.Model.Networks;
using NE.Model.Runs;
using NE.Shell.Commands;
using NE.Shell.Configuration;
using NE.Shell.Host;

namespace NE.Shell.Verbs;

/// <summary>Policies that a run has stored.</summary>
internal static class StoredPolicy
{
    /// <summary>The chosen policy with the environment step that it is of, and the checkpoint that it is part of; null for the best one, which
    /// is stored by itself.</summary>
    public static (long Step, Policy Policy, LoadedCheckpoint? Checkpoint) Load(RunPaths paths, PolicyChoice choice)
    {
        if (choice is PolicyChoice.Best)
        {
            (long best, byte[] parameters) = CheckpointReader.LoadBest(paths);
            return (best, Policy.OfBytes(parameters), null);
        }

        LoadedCheckpoint loaded = CheckpointReader.LoadWithoutReplay(paths, choice switch
        {
            PolicyChoice.AtStep at => CheckpointChoice.At(at.Step),
            PolicyChoice.Previous => CheckpointChoice.Previous,
            _ => CheckpointChoice.Last,
        });
        return loaded.Components.TryGetValue("policy", out byte[]? policy)
            ? (loaded.Manifest.Step, Policy.OfBytes(policy), loaded)
            : throw new ShellFailure($"the checkpoint of step {Format.Count(loaded.Manifest.Step)} has no component 'policy'; it has {string.Join(", ", loaded.Components.Keys)}");
    }

    /// <summary>The environment that a policy of this step was learned on; in a cycle, the task of its phase.</summary>
    public static IEnvironment Environment(RunPaths paths, RunInfo info, long step)
    {
        // A program that takes its time does so here too, and pictures are seen as the learner saw them.
        Settings settings = SettingsOf(paths);

        if (EnvironmentCycle.Of(info.Environment) is not { } cycle)
        {
            return EnvironmentFactory.Create(settings, info.Environment);
        }

        return cycle.Padded(EnvironmentFactory.Create(settings, cycle.Tasks[TaskOf(paths, cycle, step)].Id));
    }

    /// <summary>Which task of a cycle the policy of a step was learned on.</summary>
    public static int TaskOf(RunPaths paths, EnvironmentCycle cycle, long step) =>
        (int)(PhaseModule.ofStep(step, CheckpointReader.Phases(paths)).Index % cycle.Tasks.Count);

    /// <summary>Steps after which an episode is cut, as the run's own evaluations cut theirs.</summary>
    public static int LongestEpisode(RunPaths paths, EnvironmentSpec spec) => SettingsOf(paths).Evaluation.LongestEpisode(spec.TimeLimit);

    /// <summary>The stored configuration; the defaults for a run that has none.</summary>
    public static Settings SettingsOf(RunPaths paths) => StoredConfiguration.Exists(paths)
        ? StoredConfiguration.Read(paths).Settings
        : SettingsModule.resolve(SettingsModule.defaults).Item1;

    /// <summary>An environment of one's own may have changed since the run was trained.</summary>
    public static void RequireFit(Policy policy, RunPaths paths, EnvironmentSpec spec)
    {
        if (policy.ObservationSize != spec.ObservationSize || policy.ActionSize != spec.ActionSize)
        {
            throw new ShellFailure(
                $"the policy of '{paths.Name}' expects {Format.Counted(policy.ObservationSize, "observation")} and {Format.Counted(policy.ActionSize, "action")}; {spec.Id} now has "
                + $"{spec.ObservationSize} and {spec.ActionSize}, so it is not the environment that the run was trained on");
        }
    }

    /// <summary>To play on something else is allowed, but not without a word.</summary>
    public static void SayIfChanged(RunPaths paths, RunInfo info, EnvironmentSpec spec, ShellHost host)
    {
        if (spec.Fingerprint is null)
        {
            return;
        }

        try
        {
            EnvironmentFingerprint.Require(info.Environment, CheckpointReader.Environment(paths), spec.Fingerprint);
        }
        catch (EnvironmentUnusableException changed)
        {
            host.Error.WriteLine($"ne: note: {changed.Message}");
        }
    }
}
