using NE.Actors.Environments;
using NE.Actors.Environments.Catalogue;
using NE.Actors.Runs;
using NE.Model.Runs;

namespace NE.Actors.Conducting;

/// <summary>
/// Makes environments of the task that a run is on, for whoever plays it: training, evaluation, videos. Immutable, so from any thread.
/// </summary>
internal sealed class TaskEnvironments
{
    private readonly RunRequest request;
    private readonly EnvironmentCycle? cycle;

    private TaskEnvironments(RunRequest request, EnvironmentCycle? cycle, string id, EnvironmentSpec spec) =>
        (this.request, this.cycle, this.Id, this.Spec) = (request, cycle, id, spec);

    /// <summary>The id of the task's environment.</summary>
    public string Id { get; }

    /// <summary>What the agent sees of it, in a cycle padded to the sizes of all tasks.</summary>
    public EnvironmentSpec Spec { get; }

    /// <summary>Those of a phase; a run without a cycle has one phase.</summary>
    public static TaskEnvironments Of(RunRequest request, EnvironmentCycle? cycle, Phase phase)
    {
        var id = PhaseModule.task(request.Settings, phase);
        var spec = cycle?.Spec(PhaseModule.taskIndex(request.Settings, phase)) ?? EnvironmentFactory.Describe(request.Settings, id);
        return new TaskEnvironments(request, cycle, id, spec);
    }

    /// <summary>A new environment that is still what the run began with: its files may have been edited, its program replaced.</summary>
    /// <exception cref="EnvironmentUnusableException">It is not that any more, or cannot be made.</exception>
    public IEnvironment Create() =>
        TaskEnvironment.Create(this.request.Settings, this.Id, this.Spec.Fingerprint, this.cycle, this.request.CreateEnvironment);
}
