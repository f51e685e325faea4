using NE.Model.Agents;

namespace NE.Actors.Environments.Catalogue;

/// <summary>Fresh learners of environments.</summary>
public static class TaskLearner
{
    /// <param name="settings">Resolved.</param>
    /// <param name="cycle">The tasks in turn; null for one environment.</param>
    /// <param name="spec">The environment; of no account in a cycle.</param>
    /// <param name="task">The cycle's task that is acted on.</param>
    /// <exception cref="ArgumentException">The networks cannot be built.</exception>
    /// <exception cref="NE.Model.Networks.LibTorch.LibTorchException">The engine cannot be had.</exception>
    public static ILearner Create(Settings settings, EnvironmentCycle? cycle, EnvironmentSpec spec, int task) => cycle is not null
        ? Learners.createInCycle(settings, cycle.AgentTasks, task)
        : Learners.create(settings, Task(spec));

    /// <summary>Whether a fresh learner can be made, in a small part of the time where it sees pictures.</summary>
    /// <inheritdoc cref="Create" path="/param"/>
    /// <inheritdoc cref="Create" path="/exception"/>
    public static void TryOut(Settings settings, EnvironmentCycle? cycle, EnvironmentSpec spec)
    {
        if (cycle is not null)
        {
            Create(settings, cycle, spec, task: 0).Dispose();
        }
        else
        {
            Learners.tryOut(settings, Task(spec));
        }
    }

    private static AgentTask Task(EnvironmentSpec spec) => new(spec.Observation, spec.ActionSize, spec.ActionHigh[0]);
}
