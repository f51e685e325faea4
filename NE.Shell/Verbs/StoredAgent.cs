using NE.Actors.Environments;
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
using Random = NE.Model.Random;

namespace NE.Shell.Verbs;

/// <summary>An agent as a checkpoint has it, with the rows that it could learn from.</summary>
/// <param name="Step">Environment steps of the checkpoint.</param>
/// <param name="Settings">The stored configuration.</param>
/// <param name="Agent">Restored; belongs to this object.</param>
/// <param name="Replay">Null when the checkpoint has none.</param>
internal sealed record StoredAgent(RunPaths Paths, long Step, Settings Settings, Agent Agent, ReplayManifest? Replay) : IDisposable
{
    /// <summary>Loads what the agent's engine needs, and the agent.</summary>
    /// <exception cref="DamagedCheckpointException">A file is not what was written.</exception>
    public static StoredAgent Load(RunPaths paths, CheckpointChoice choice, ShellHost host)
    {
        Settings settings = ConfigurationBuilder.Read(File.ReadAllText(paths.Configuration), paths.Configuration);
        host.Prepare(settings.Compute);
        LoadedCheckpoint loaded = CheckpointReader.LoadWithoutReplay(paths, choice);
        Agent agent = Create(settings, loaded);

        try
        {
            agent.Restore(CheckpointReader.Agent(loaded));
            return new(paths, loaded.Manifest.Step, settings, agent, loaded.Manifest.Replay);
        }
        catch
        {
            ((IDisposable)agent).Dispose();
            throw;
        }
    }

    /// <summary>Transitions of the replay memory, drawn uniformly, with replacement.</summary>
    /// <param name="draws">The stream that says which.</param>
    /// <exception cref="ShellFailure">There are none.</exception>
    public HeldRows Sample(int count, Random.Stream draws) => this.Replay is { } replay && replay.Head > replay.First
        ? new HeldRows(StoredRows.Sample(this.Paths, replay, count, draws), replay.RowFloats)
        : throw new ShellFailure($"'{this.Paths.Name}': the checkpoint of step {Format.Count(this.Step)} holds no transitions to learn from; take a later one");

    public void Dispose() => ((IDisposable)this.Agent).Dispose();

    private static Agent Create(Settings settings, LoadedCheckpoint loaded)
    {
        if (EnvironmentCycle.Of(settings.Run.Environment) is { } cycle)
        {
            return Agent.CreateInCycle(settings, cycle.AgentTasks, PhaseModule.taskIndex(settings, CheckpointReader.Phases(loaded)[^1]));
        }

        EnvironmentSpec spec = Environments.Describe(settings);
        return Agent.Create(settings, spec.ObservationSize, spec.ActionSize, spec.ActionHigh[0]);
    }
}
