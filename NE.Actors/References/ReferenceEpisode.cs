using NE.Actors.MuJoCo;
using NE.Model.Tasks;

namespace NE.Actors.References;

/// <summary>One episode of a reference and what came out of it for one task. Index 0 of the states is the start.</summary>
internal sealed record ReferenceEpisode
{
    private const double TrajectoryTolerance = 1e-8;
    private const double OutcomeTolerance = 1e-6;

    internal required string Name { get; init; }

    /// <summary>Leading steps that are comparable between processors.</summary>
    internal required int ComparedSteps { get; init; }

    internal required double[][] Actions { get; init; }

    internal required double[][] QPos { get; init; }

    internal required double[][] QVel { get; init; }

    internal required double[] Rewards { get; init; }

    /// <summary>0 or 1 per step; null when the file does not have them.</summary>
    internal double[]? Terminated { get; init; }

    /// <summary>Reward terms by name.</summary>
    internal IReadOnlyDictionary<string, double[]> Terms { get; init; } = new Dictionary<string, double[]>();

    /// <summary>The observations that the file holds, by time.</summary>
    internal required IReadOnlyDictionary<int, double[]> Observations { get; init; }

    /// <summary>Puts things where the episode has them: in the model of a task that has its own, or mocap bodies.</summary>
    internal Action<IStartState> Prepare { get; init; } = _ => { };

    /// <summary>Replays the episode on our task, physics and outcomes, without ending it where it terminates.</summary>
    internal EpisodeReplay Replay(ITask task)
    {
        var info = task.Info;
        var shared = MuJoCoModel.OfRobot(info.Robot);
        using var own = info.OwnModel ? shared.Copy() : null;
        using var simulator = new Simulator(own ?? shared);
        var memory = new double[info.MemorySize];
        var terms = new double[info.RewardTerms.Length];
        var observation = new double[info.ObservationSize];

        var (qpos, qvel) = (new LargestDifference(TrajectoryTolerance), new LargestDifference(TrajectoryTolerance));
        var (observed, reward) = (new LargestDifference(OutcomeTolerance), new LargestDifference(OutcomeTolerance));
        var knownTerms = Enumerable.Range(0, terms.Length).Where(i => this.Terms.ContainsKey(info.RewardTerms[i])).ToArray();
        var term = knownTerms.ToDictionary(i => i, _ => new LargestDifference(OutcomeTolerance));
        var mismatches = 0;

        this.Start(simulator, info.Stepping);
        CompareState(0);
        for (var step = 0; step < this.ComparedSteps; step++)
        {
            var action = this.Actions[step];
            task.Before(simulator, memory);
            simulator.Step(action, info.FrameSkip, info.Stepping);
            var evaluation = task.Evaluate(simulator, action, memory, terms);
            reward.Add(step, evaluation.Reward, this.Rewards[step]);
            mismatches += this.Terminated is null || evaluation.Terminated == (this.Terminated[step] != 0) ? 0 : 1;
            foreach (var i in knownTerms)
            {
                term[i].Add(step, terms[i], this.Terms[info.RewardTerms[i]][step]);
            }

            CompareState(step + 1);
        }

        QuantityDifference[] quantities =
        [
            qpos.Named("qpos"),
            qvel.Named("qvel"),
            observed.Named("observation"),
            reward.Named("reward"),
            .. knownTerms.Select(i => term[i].Named($"term:{info.RewardTerms[i]}")),
        ];
        return new EpisodeReplay(this.Name, info.Id, this.Actions.Length, this.ComparedSteps, mismatches, quantities);

        void CompareState(int time)
        {
            qpos.AddAll(time, simulator.QPos, this.QPos[time]);
            qvel.AddAll(time, simulator.QVel, this.QVel[time]);
            if (this.Observations.TryGetValue(time, out var expected))
            {
                task.Observe(simulator, observation);
                observed.AddAll(time, observation, expected);
            }
        }
    }

    private void Start(Simulator simulator, Stepping stepping)
    {
        simulator.ResetData();
        this.Prepare(simulator);
        if (stepping.IsControlSuite)
        {
            simulator.ForwardPassively();
            simulator.SetState(this.QPos[0], this.QVel[0]);
            simulator.ForwardPassively();
        }
        else
        {
            simulator.SetState(this.QPos[0], this.QVel[0]);
            simulator.Forward();
        }
    }
}
