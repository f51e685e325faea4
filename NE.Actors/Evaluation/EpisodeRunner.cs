using NE.Actors.Environments;
using NE.Model.Networks;
using Random = NE.Model.Random;

namespace NE.Actors.Evaluation;

/// <summary>Returns and lengths of noise-free episodes.</summary>
public sealed record EpisodeResults(double[] Returns, int[] Lengths)
{
    /// <summary>Per episode the steps up to its end during which the robot lay on its back without a break, 0 when it ended upright; empty for
    /// a task that does not say.</summary>
    public int[] Inverted { get; init; } = [];
}

/// <summary>A moment of an episode, for those who watch it.</summary>
/// <param name="Episode">Number of the episode, from 0.</param>
/// <param name="Step">Steps taken; 0 is the start state.</param>
/// <param name="Reward">Reward of the last step.</param>
/// <param name="Return">Sum of the rewards so far.</param>
/// <param name="IsLast">The episode is over.</param>
public readonly record struct EpisodeMoment(int Episode, int Step, double Reward, double Return, bool IsLast);

/// <summary>The paper's evaluation: noise-free episodes, with start states of their own stream.</summary>
public static class EpisodeRunner
{
    /// <summary>Evaluation uses the run's seed plus this (spec 1.1).</summary>
    public const long SeedOffset = 100;

    /// <summary>Undiscounted returns of full episodes. Episode i always starts in the same state for the same seed.</summary>
    /// <param name="seed">Seed of the run.</param>
    /// <param name="watch">Called after every reset and step, on this thread; it may look at the environment but not change it.</param>
    public static EpisodeResults Run(IEnvironment environment, Policy policy, long seed, int episodes, Action<EpisodeMoment>? watch = null)
    {
        var spec = environment.Spec;
        var (observation, action, scratch) =
            (new float[spec.ObservationSize], new float[spec.ActionSize], policy.CreateScratch());
        var (returns, lengths) = (new double[episodes], new int[episodes]);
        var inverted = environment.IsInverted is null ? [] : new int[episodes];
        for (var episode = 0; episode < episodes; episode++)
        {
            environment.Reset(Random.at(seed + SeedOffset, Random.Purpose.Evaluation, 0, episode, 0), observation);
            watch?.Invoke(new EpisodeMoment(episode, 0, 0, 0, IsLast: false));
            StepResult result;
            do
            {
                policy.Act(observation, action, scratch);
                result = environment.Step(action, observation);
                returns[episode] += result.Reward;
                lengths[episode]++;
                if (inverted.Length > 0)
                {
                    inverted[episode] = environment.IsInverted == true ? inverted[episode] + 1 : 0;
                }
                watch?.Invoke(new EpisodeMoment(episode, lengths[episode], result.Reward, returns[episode], result.IsLast));
            }
            while (!result.IsLast);
        }
        return new EpisodeResults(returns, lengths) { Inverted = inverted };
    }
}
