using System.Globalization;
using NE.Actors.Configuration;
using NE.Actors.Environments;
using NE.Actors.Environments.Catalogue;
using NE.Actors.Evaluation;
using NE.Actors.Journal;
using NE.Actors.RunDirectory;
using NE.Model;
using NE.Model.Networks;
using NE.Model.Runs;

namespace NE.Actors.Hosting;

/// <summary>Policies that a run has stored.</summary>
public static class StoredPolicy
{
    /// <summary>What docs/performance.md measured (acting).</summary>
    private const int MostInStep = 10;

    /// <summary>The chosen policy with the environment step that it is of, and the checkpoint that it is part of; null for the best one, which
    /// is stored by itself.</summary>
    /// <param name="paths">The run's.</param>
    /// <param name="choice">Null is the policy of the best evaluation.</param>
    /// <exception cref="InvalidDataException">There is no such policy.</exception>
    public static (long Step, Policy Policy, LoadedCheckpoint? Checkpoint) Load(RunPaths paths, CheckpointChoice? choice)
    {
        if (choice is null)
        {
            (long best, byte[] parameters) = CheckpointReader.LoadBest(paths);
            return (best, Policy.OfBytes(parameters), null);
        }

        LoadedCheckpoint loaded = CheckpointReader.LoadWithoutReplay(paths, choice);
        return loaded.Components.TryGetValue("policy", out byte[]? policy)
            ? (loaded.Manifest.Step, Policy.OfBytes(policy), loaded)
            : throw new InvalidDataException($"the checkpoint of step {Count(loaded.Manifest.Step)} has no component 'policy'; it has {string.Join(", ", loaded.Components.Keys)}");
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
    /// <exception cref="InvalidDataException">It has other numbers of observations or actions.</exception>
    public static void RequireFit(Policy policy, RunPaths paths, EnvironmentSpec spec)
    {
        if (policy.ObservationSize != spec.ObservationSize || policy.ActionSize != spec.ActionSize)
        {
            throw new InvalidDataException(
                $"the policy of '{paths.Name}' expects {Counted(policy.ObservationSize, "observation")} and {Counted(policy.ActionSize, "action")}; {spec.Id} now has "
                + $"{spec.ObservationSize} and {spec.ActionSize}, so it is not the environment that the run was trained on");
        }
    }

    /// <summary>To play on something else is allowed, but not without a word.</summary>
    /// <returns>How an environment of one's own is another one than the run was trained on; null where it is not.</returns>
    public static string? ChangeOf(RunPaths paths, RunInfo info, EnvironmentSpec spec)
    {
        if (spec.Fingerprint is null)
        {
            return null;
        }

        try
        {
            EnvironmentFingerprint.Require(info.Environment, CheckpointReader.Environment(paths), spec.Fingerprint);
            return null;
        }
        catch (EnvironmentUnusableException changed)
        {
            return changed.Message;
        }
    }

    /// <summary>Noise-free episodes. Those of a task of ours go in step. An environment of one's own is one: its program may be heavy, or remember
    /// what was before a reset.</summary>
    /// <param name="first">Belongs to the caller.</param>
    /// <param name="another">Makes one like it.</param>
    /// <param name="policy">The policy.</param>
    /// <param name="seed">Of the run.</param>
    /// <param name="episodes">At least 1.</param>
    /// <param name="mostSteps">An episode that has taken so many is over.</param>
    public static EpisodeResults Play(IEnvironment first, Func<IEnvironment> another, Policy policy, long seed, int episodes, int mostSteps)
    {
        List<IEnvironment> players = [first];

        try
        {
            while (first.Spec.Fingerprint is null && players.Count < Math.Min(episodes, MostInStep))
            {
                players.Add(another());
            }

            return EpisodeRunner.Run(players, policy, seed, episodes, mostSteps);
        }
        finally
        {
            players.Skip(1).ToList().ForEach(player => player.Dispose());
        }
    }

    private static string Count(long value) => value.ToString("N0", CultureInfo.InvariantCulture);

    private static string Counted(long value, string noun) => $"{Count(value)} {noun}{(value == 1 ? "" : "s")}";
}
