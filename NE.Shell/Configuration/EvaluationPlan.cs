using NE.Actors.Environments;
using NE.Model;

namespace NE.Shell.Configuration;

/// <summary>What the evaluations of a run take, computed before anything is created.</summary>
/// <param name="Evaluations">Those at step 0 and at every interval, of which each has so many episodes.</param>
/// <param name="Episodes">Of one evaluation.</param>
/// <param name="Steps">Steps of all of them, if every episode lasts as long as it can; null where nothing ends an episode by time.</param>
/// <param name="Share">Part of the run's processor time; null where nothing is known of the environment's speed.</param>
/// <param name="Within">A longer interval that makes the share a tenth, where it is more; null where it is not, or where no interval does.</param>
public sealed record EvaluationPlan(long Evaluations, int Episodes, long? Steps, double? Share, long? Within)
{
    /// <summary>Of a run's time evaluations are to take no more.</summary>
    private const double MostShare = 0.1;

    /// <summary>Whether evaluations take more of the run's time than they should.</summary>
    public bool IsMuch => this.Share > MostShare;

    /// <summary>Microseconds of a control step of each family of tasks on one core of 2023, the one that the plan's gradient steps are of (`ne bench environments`, `ne env run`).</summary>
    private static readonly (string Family, double Microseconds)[] Costs =
    [
        ("HalfCheetah", 28), ("Hopper", 66), ("Walker2d", 97), ("Ant", 209), ("HumanoidStandup", 580), ("Humanoid", 270), ("Swimmer", 54), ("Reacher", 26),
        ("Pusher", 65), ("InvertedPendulum", 25), ("InvertedDoublePendulum", 63), ("dmc/reacher", 5), ("dmc/walker", 120), ("dmc/cartpole", 11),
        ("dmc/cheetah", 16), ("dmc/pendulum", 4), ("dmc/acrobot", 20), ("dmc/ball_in_cup", 53),
        ("dmc/hopper", 35), ("dmc/finger", 15), ("dmc/point_mass", 5), ("dmc/fish", 55), ("dmc/swimmer", 110), ("dmc/humanoid", 190), ("dmc/quadruped", 110),
    ];

    /// <summary>A frame of 84 x 84 by Mesa's software rasteriser, on the same core.</summary>
    private const double SecondsPerFrame = 0.012;

    /// <summary>Of a resolved configuration.</summary>
    /// <param name="learning">Seconds of the gradient steps on one core.</param>
    public static EvaluationPlan Create(Settings settings, EnvironmentSpec environment, double learning)
    {
        (long total, long every, int episodes) = (settings.Run.Steps, settings.Evaluation.Every.Value, settings.Evaluation.Episodes);
        long count = 1 + (total / every);

        int longest = settings.Evaluation.LongestEpisode(environment.TimeLimit);

        if (longest == EnvironmentSpec.NoTimeLimit)
        {
            return new(count, episodes, null, null, null);
        }

        long ofOne = (long)episodes * longest;

        if (SecondsPerStep(settings.Run.Environment) is not { } controlStep)
        {
            return new(count, episodes, count * ofOne, null, null);
        }

        double cost = (controlStep * environment.ActionRepeat) + (environment.Observation.IsPixels ? SecondsPerFrame : 0);

        double run = learning + (total * cost);
        double ShareOf(long evaluations) => evaluations * ofOne * cost / (run + (evaluations * ofOne * cost));
        // share = n c / (run + n c), and one of the evaluations is at step 0.
        double most = MostShare / (1 - MostShare) * run / (ofOne * cost);
        long within = (long)Math.Ceiling(total / Math.Max(1, Math.Floor(most) - 1));
        return new(count, episodes, count * ofOne, ShareOf(count), ShareOf(count) > MostShare && within > every && ShareOf(1 + (total / within)) <= MostShare ? within : null);
    }

    /// <summary>The mean over the tasks of a cycle; null where one is not ours.</summary>
    private static double? SecondsPerStep(string id)
    {
        string[] tasks = TaskCycle.isCycle(id) ? [.. TaskCycle.tasks(id)] : [id];
        double[] known = [.. tasks.SelectMany(task => Costs.Where(cost => IsOfFamily(task, cost.Family)).Select(cost => cost.Microseconds))];
        return known.Length == tasks.Length ? known.Average() / 1e6 : null;
    }

    private static bool IsOfFamily(string id, string family) => id.StartsWith(family + "-", StringComparison.Ordinal);
}
