using NE.Model.Agents;
using NE.Model.Networks;
using NE.Model.Runs;
using static NE.Model.History;

namespace NE.Actors.Cast;

/// <summary>To the learner: take gradient steps on a window of the replay memory, past which it never looks.</summary>
public sealed record Learn(LearningTask Task);

/// <summary>Told now and then while the gradient steps of one <see cref="Learn"/> take long, for people to look at.</summary>
/// <param name="GradientSteps">Gradient steps of the whole run so far.</param>
/// <param name="Left">Gradient steps that are still to be taken.</param>
public sealed record LearningProgress(long GradientSteps, long Left);

/// <summary>The gradient steps are done.</summary>
/// <param name="GradientSteps">Gradient steps of the whole run.</param>
/// <param name="Policy">The policy after these steps; immutable, and the same object as long as the actor did not change.</param>
/// <param name="Changes">Topology events of these steps, in order.</param>
/// <param name="Metrics">The measurement, when it was asked for.</param>
public sealed record Learned(
    long GradientSteps, Policy Policy, TopologyChanged[] Changes, Measurement? Metrics);

/// <summary>To the learner, at a barrier: copy everything that a resume restores.</summary>
public sealed record CaptureLearner;

public sealed record LearnerCaptured(AgentState State, byte[] Policy);

/// <summary>The learner cannot go on and trying again would end the same way.</summary>
public sealed record LearnerFailed(string Reason);
