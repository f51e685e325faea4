using NE.Actors.Environments;
using NE.Model;
using NE.Model.Networks;

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
    /// <summary>Evaluation uses the run's seed plus this (docs/algorithm.md, keys).</summary>
    public const long SeedOffset = 100;

    /// <summary>What the start of an episode is drawn from.</summary>
    /// <param name="seed">Seed of the run.</param>
    /// <param name="episode">Number of the episode, from 0.</param>
    public static Draws StartOf(long seed, int episode) => Draws.At(seed + SeedOffset, Purpose.Evaluation, 0, episode, 0);

    /// <summary>Undiscounted returns of full episodes. Episode i always starts in the same state for the same seed.</summary>
    /// <param name="seed">Seed of the run.</param>
    /// <param name="watch">Called after every reset and step, on this thread; it may look at the environment but not change it.</param>
    /// <param name="mostSteps">An episode that has taken so many is over, whatever the environment says.</param>
    public static EpisodeResults Run(
        IEnvironment environment, Policy policy, long seed, int episodes, Action<EpisodeMoment>? watch = null, int mostSteps = int.MaxValue) =>
        new Play([environment], policy, seed, episodes, mostSteps, watch).ToTheEnd();

    /// <summary>As for one environment, but on several of the same task in step: the policy acts on all their observations at once. The results
    /// are the same bits however many there are, provided that an environment is as new after a reset.</summary>
    public static EpisodeResults Run(IReadOnlyList<IEnvironment> environments, Policy policy, long seed, int episodes, int mostSteps = int.MaxValue) =>
        new Play(environments, policy, seed, episodes, mostSteps, watch: null).ToTheEnd();

    /// <summary>Episodes under way. Place i of the first <see cref="live"/> holds an environment, the number of its episode and a row of
    /// observations and of actions.</summary>
    private sealed class Play
    {
        private readonly IEnvironment[] environments;
        private readonly Policy policy;
        private readonly long seed;
        private readonly int mostSteps;
        private readonly Action<EpisodeMoment>? watch;
        private readonly PolicyScratch scratch;
        private readonly int observationSize;
        private readonly int actionSize;
        private readonly float[] observations;
        private readonly float[] actions;
        private readonly int[] numbers;
        private readonly EpisodeResults results;
        private int begun;
        private int live;

        public Play(IReadOnlyList<IEnvironment> environments, Policy policy, long seed, int episodes, int mostSteps, Action<EpisodeMoment>? watch)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(episodes, 1);
            (this.environments, this.policy, this.seed, this.mostSteps, this.watch) = ([.. environments.Take(episodes)], policy, seed, mostSteps, watch);
            var (places, spec) = (this.environments.Length, environments[0].Spec);
            (this.observationSize, this.actionSize) = (spec.ObservationSize, spec.ActionSize);
            this.observations = new float[places * this.observationSize];
            this.actions = new float[places * this.actionSize];
            this.numbers = new int[places];
            this.scratch = policy.CreateScratch(places);
            this.results = new EpisodeResults(new double[episodes], new int[episodes])
            {
                Inverted = environments[0].IsInverted is null ? [] : new int[episodes],
            };
        }

        public EpisodeResults ToTheEnd()
        {
            for (; this.live < this.environments.Length; this.live++)
            {
                this.Begin(this.live);
            }
            while (this.live > 0)
            {
                this.policy.Act(
                    this.observations.AsSpan(0, this.live * this.observationSize),
                    this.actions.AsSpan(0, this.live * this.actionSize),
                    this.scratch);
                // Downwards, so that the place that fills a gap has made its step.
                for (var place = this.live - 1; place >= 0; place--)
                {
                    if (this.Step(place))
                    {
                        this.Next(place);
                    }
                }
            }
            return this.results;
        }

        private Span<float> Observation(int place) => this.observations.AsSpan(place * this.observationSize, this.observationSize);

        private void Begin(int place)
        {
            var number = this.numbers[place] = this.begun++;
            this.environments[place].Reset(StartOf(this.seed, number), this.Observation(place));
            this.watch?.Invoke(new EpisodeMoment(number, 0, 0, 0, IsLast: false));
        }

        /// <summary>Whether it was the episode's last step.</summary>
        private bool Step(int place)
        {
            var (environment, number) = (this.environments[place], this.numbers[place]);
            var (returns, lengths, inverted) = (this.results.Returns, this.results.Lengths, this.results.Inverted);
            var result = environment.Step(this.actions.AsSpan(place * this.actionSize, this.actionSize), this.Observation(place));
            returns[number] += result.Reward;
            lengths[number]++;
            if (inverted.Length > 0)
            {
                inverted[number] = environment.IsInverted == true ? inverted[number] + 1 : 0;
            }
            var isLast = result.IsLast || lengths[number] >= this.mostSteps;
            this.watch?.Invoke(new EpisodeMoment(number, lengths[number], result.Reward, returns[number], isLast));
            return isLast;
        }

        /// <summary>Begins another episode in a place whose episode is over, or, when all are begun, fills it with the last live place.</summary>
        private void Next(int place)
        {
            if (this.begun < this.results.Returns.Length)
            {
                this.Begin(place);
                return;
            }
            var last = --this.live;
            (this.environments[place], this.environments[last]) = (this.environments[last], this.environments[place]);
            this.numbers[place] = this.numbers[last];
            this.Observation(last).CopyTo(this.Observation(place));
        }
    }
}
