using NE.Model.Agents;
using NE.Model.Replay;

namespace NE.Actors.Environments.Catalogue;

/// <summary>The tasks of a cycle, of which the agent sees one at a time, each in the widths of the widest (cycles.md).</summary>
public sealed class EnvironmentCycle
{
    private readonly string text;

    private EnvironmentCycle(EnvironmentId.Cycle id)
    {
        this.text = id.Text;
        this.Tasks = [.. id.Tasks.Select(EnvironmentFactory.Describe)];
        this.ObservationSize = this.Tasks.Max(task => task.ObservationSize);
        this.ActionSize = this.Tasks.Max(task => task.ActionSize);
    }

    /// <summary>The tasks as they are without the cycle.</summary>
    public IReadOnlyList<EnvironmentSpec> Tasks { get; }

    /// <summary>Numbers in a padded observation.</summary>
    public int ObservationSize { get; }

    /// <summary>Numbers in a padded action.</summary>
    public int ActionSize { get; }

    /// <summary>What the agent knows of the tasks.</summary>
    public AgentTasks AgentTasks => new(
        new TransitionShape(this.ObservationSize, this.ActionSize),
        [.. this.Tasks.Select(task => task.ActionSize)],
        [.. this.Tasks.Select(task => task.ActionHigh[0])]);

    /// <summary>The cycle in the place of one environment: the first task's padded spec, with the cycle's id and the longest time limit.</summary>
    public EnvironmentSpec Whole => this.Spec(0) with { Id = this.text, TimeLimit = this.Tasks.Max(task => task.TimeLimit), Native = null };

    /// <summary>The cycle that an environment's id means; null for one environment. Throws EnvironmentUnusableException or ArgumentException for
    /// tasks that cannot be had.</summary>
    public static EnvironmentCycle? Of(string id) => EnvironmentId.Parse(id) is EnvironmentId.Cycle cycle ? new EnvironmentCycle(cycle) : null;

    /// <summary>A task as the agent sees it.</summary>
    public EnvironmentSpec Spec(int task) => PaddedEnvironment.Padded(this.Tasks[task], this.ObservationSize, this.ActionSize);

    /// <summary>The environment of a task as the agent sees it. Owns the environment from now on.</summary>
    public IEnvironment Padded(IEnvironment environment) => new PaddedEnvironment(
        environment, PaddedEnvironment.Padded(environment.Spec, this.ObservationSize, this.ActionSize));
}
