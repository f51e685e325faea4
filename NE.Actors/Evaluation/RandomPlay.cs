using System.Diagnostics;
using NE.Actors.Environments;
using NE.Model;

namespace NE.Actors.Evaluation;

/// <summary>What uniformly random actions met.</summary>
/// <param name="Returns">Undiscounted returns of the complete episodes.</param>
/// <param name="Lengths">Their steps.</param>
/// <param name="Steps">Steps of all episodes, the incomplete last one included.</param>
/// <param name="Terminations">Episodes that the task ended, not its time limit.</param>
/// <param name="Divergences">Episodes that ended because the simulation left the numbers.</param>
/// <param name="Took">Time of resets, steps and watching.</param>
public sealed record RandomPlayResults(
    IReadOnlyList<double> Returns, IReadOnlyList<int> Lengths, long Steps, int Terminations, int Divergences, TimeSpan Took);

/// <summary>Tries an environment with uniformly random actions, those of the first steps of a training run with the same seed.</summary>
public static class RandomPlay
{
    /// <summary>Takes this many steps, over as many episodes as they last.</summary>
    /// <param name="watch">Called after every reset and step, on this thread.</param>
    public static RandomPlayResults Run(IEnvironment environment, long seed, long steps, Action<EpisodeMoment>? watch = null)
    {
        var spec = environment.Spec;
        var (observation, action) = (new float[spec.ObservationSize], new float[spec.ActionSize]);
        var (returns, lengths) = (new List<double>(), new List<int>());
        var (terminations, divergences) = (0, 0);
        var (episodeReturn, length) = (0.0, 0);
        var clock = Stopwatch.StartNew();
        for (long taken = 0; taken < steps; taken++)
        {
            var episode = returns.Count;
            if (length == 0)
            {
                environment.Reset(Draws.At(seed, Purpose.Reset, 0, episode, 0), observation);
                watch?.Invoke(new EpisodeMoment(episode, 0, 0, 0, IsLast: false));
            }

            var uniform = Draws.At(seed, Purpose.WarmUp, 0, episode, length);
            for (var i = 0; i < action.Length; i++)
            {
                action[i] = (float)uniform.Uniform(spec.ActionLow[i], spec.ActionHigh[i]);
            }

            var result = environment.Step(action, observation);
            (episodeReturn, length) = (episodeReturn + result.Reward, length + 1);
            watch?.Invoke(new EpisodeMoment(episode, length, result.Reward, episodeReturn, result.IsLast));
            if (result.IsLast)
            {
                returns.Add(episodeReturn);
                lengths.Add(length);
                terminations += result.Terminated ? 1 : 0;
                divergences += result.Diverged ? 1 : 0;
                (episodeReturn, length) = (0, 0);
            }
        }

        return new RandomPlayResults(returns, lengths, steps, terminations, divergences, clock.Elapsed);
    }
}
