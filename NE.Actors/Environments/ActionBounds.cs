namespace NE.Actors.Environments;

/// <summary>Bounds of actions that an agent can learn in.</summary>
internal static class ActionBounds
{
    /// <summary>No motor has such a range; it says that nobody gave one. The squares of such actions in the critic would leave 32 bits soon.</summary>
    internal const float Largest = 1e8f;

    /// <summary>Throws EnvironmentUnusableException for bounds that are infinite, huge or in the wrong order; names the action.</summary>
    internal static void Require(EnvironmentSpec spec)
    {
        for (var i = 0; i < spec.ActionSize; i++)
        {
            var (low, high) = (spec.ActionLow[i], spec.ActionHigh[i]);
            // Written so that a NaN is refused.
            if (!(-Largest <= low && low < high && high <= Largest))
            {
                throw new EnvironmentUnusableException(
                    $"Action {i} of {spec.Id} has the bounds [{low}, {high}]; the agent needs finite bounds, within {Largest:0e+0} and with the lower one below the upper: "
                    + "its random actions are drawn between them, and its networks compute with them. "
                    + "Give the action the range that makes sense (in MJCF: ctrllimited and ctrlrange of the actuator; in Gymnasium: the Box of the action space, or "
                    + "the wrapper RescaleAction around one that is bounded).");
            }
        }
    }
}
