using NE.Model;
using NE.Model.Networks;

namespace NE.Actors.Environments;

/// <summary>Chooses the actions of one environment: uniformly random ones at first, then the policy's with its exploration. Every draw is keyed by
/// (seed, environment, episode, step), so it does not matter where this is done, nor when.</summary>
/// <param name="settings">Of the run.</param>
/// <param name="index">Number of the environment.</param>
/// <param name="randomUntil">Actions are uniformly random before this step of the run.</param>
/// <param name="spec">Has the bounds of the action.</param>
public sealed class BehaviourPolicy(Settings settings, int index, long randomUntil, EnvironmentSpec spec)
{
    private PolicyScratch? scratch;

    /// <param name="policy">That acts from then on.</param>
    /// <param name="step">Environment steps of the whole run before this one.</param>
    /// <param name="place">Where the environment is.</param>
    /// <param name="observation">That it shows there [ObservationSize].</param>
    /// <param name="action">Is filled [ActionSize].</param>
    public void Choose(Policy policy, long step, EpisodePlace place, ReadOnlySpan<float> observation, Span<float> action)
    {
        if (step < randomUntil)
        {
            var uniform = this.DrawsOf(Purpose.WarmUp, place);
            for (var i = 0; i < action.Length; i++)
            {
                action[i] = (float)uniform.Uniform(spec.ActionLow[i], spec.ActionHigh[i]);
            }
            return;
        }
        this.scratch ??= policy.CreateScratch();
        policy.Explore(observation, action, spec.ActionLow, spec.ActionHigh, this.DrawsOf(Purpose.Exploration, place), this.scratch);
    }

    private Draws DrawsOf(Purpose purpose, EpisodePlace place) => Draws.At(settings.Run.Seed, purpose, index, place.Episode, place.Step);
}

/// <summary>Where an environment is.</summary>
/// <param name="Episode">Its number.</param>
/// <param name="Step">Steps of it that were taken.</param>
public readonly record struct EpisodePlace(long Episode, long Step);
