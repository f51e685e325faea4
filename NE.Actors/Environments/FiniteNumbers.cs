namespace NE.Actors.Environments;

/// <summary>What observations and rewards must be: numbers that the agent, which computes in 32 bits, can learn from. One that is not would make
/// every parameter NaN at the next gradient step, far from its cause.</summary>
internal static class FiniteNumbers
{
    /// <summary>Whether a reward is finite, also in 32 bits.</summary>
    internal static bool IsReward(double reward) => float.IsFinite((float)reward);

    /// <summary>Throws InvalidOperationException that names the environment, the index and the value.</summary>
    internal static void Require(string environment, ReadOnlySpan<float> observation)
    {
        for (var i = 0; i < observation.Length; i++)
        {
            if (!float.IsFinite(observation[i]))
            {
                throw Refusal(environment, i, observation[i]);
            }
        }
    }

    /// <summary>Throws InvalidOperationException that names the environment and the value.</summary>
    internal static void RequireReward(string environment, double reward)
    {
        if (!IsReward(reward))
        {
            throw new InvalidOperationException($"The environment {environment} gave the reward {reward}; expected a finite number that 32 bits can hold.");
        }
    }

    internal static InvalidOperationException Refusal(string environment, int index, double value) =>
        new($"The environment {environment} gave {value} as observation {index}; expected a finite number that 32 bits can hold.");
}
