using NE.Model;
using NE.Model.Networks;

namespace NE.Shell.Configuration;

/// <summary>What a run takes, computed before anything is created.</summary>
/// <param name="ActorParameters">Weights, biases, gains and shifts of the actor.</param>
/// <param name="CriticParameters">Weights, biases, gains and shifts of both critics.</param>
/// <param name="GradientSteps">Critic updates of the whole run.</param>
/// <param name="ReplayRows">Transitions that the buffer comes to hold.</param>
/// <param name="ReplayBytes">The full replay buffer on disk, read through the page cache.</param>
/// <param name="StateBytes">Online and target parameters, both moments, ages and masks: one checkpoint without the replay.</param>
/// <param name="DiskBytes">All of the run directory at its largest.</param>
/// <param name="MemoryBytes">Resident memory at its largest, replay pages included.</param>
/// <param name="Seconds">Rough duration on one CPU core.</param>
/// <param name="ScaleRatio">All parameters as multiple of those at network.scale = 0.</param>
public sealed record RunPlan(
    long ActorParameters,
    long CriticParameters,
    long GradientSteps,
    long ReplayRows,
    long ReplayBytes,
    long StateBytes,
    long DiskBytes,
    long MemoryBytes,
    double Seconds,
    double ScaleRatio)
{
    /// <summary>Commits whose state is on disk at once: two resumable ones, the best policy, and the one being written.</summary>
    private const int StatesOnDisk = 4;

    /// <summary>Libraries, actor system and runtime of a CPU run.</summary>
    private const long BaseMemory = 450L << 20;

    /// <summary>Journal, snapshots, CSV files and logs of a million steps.</summary>
    private const long HistoryBytesPerMillion = 100L << 20;

    /// <summary>Largest segment of the replay: the head and tail of the ring may each keep one more than the rows in use.</summary>
    private const long SegmentBytes = 16L << 20;

    /// <summary>A batch of 256 at HalfCheetah size (116,616 parameters) takes about 2 ms on one core of 2023.</summary>
    private const double ParameterRowsPerSecond = 500.0 * 256 * 116_616;

    /// <summary>Time of an update of SAC, which computes more of the actor and of both critics in it, in updates of TD3.</summary>
    private const double WorkOfSac = 1.5;

    /// <summary>No network is so small that an update costs less than this.</summary>
    private const double MostUpdatesPerSecond = 2_000;

    /// <summary>Computes the plan of a resolved configuration.</summary>
    public static RunPlan Create(Settings settings, TaskSize task)
    {
        int outputs = NetworkForms.actorOutputs(settings.Run.Learner, task.Actions);
        long actor = NetworkForms.actor(settings.Network, task.Observations, outputs).ParameterCount;
        long critics = 2 * NetworkForms.critic(settings.Network, task.Observations, task.Actions).ParameterCount;
        long gradientSteps = SettingsModule.gradientSteps(settings);
        // observation, next observation, action, reward and the end flag, each a 4-byte number
        long rowBytes = 4L * ((2 * task.Observations) + task.Actions + 2);
        // A cycle clears the buffer at every switch.
        long filled = settings.Cycle.Steps.Value > 0 ? settings.Cycle.Steps.Value : settings.Run.Steps;
        long rows = Math.Min(settings.Learner.BufferSize.Value, filled);
        long replay = rows * rowBytes;
        // parameter, target, two moments, two powers of the betas: 4 bytes each; mask: a bit
        long state = (actor + critics) * 24 + ((actor + critics) / 8);
        long history = (long)(HistoryBytesPerMillion * Math.Max(0.05, settings.Run.Steps / 1e6));
        double work = settings.Run.Learner.IsSac ? WorkOfSac : 1;
        double rate = Math.Min(MostUpdatesPerSecond, ParameterRowsPerSecond / (work * (actor + critics) * settings.Learner.BatchSize));
        return new RunPlan(
            actor,
            critics,
            gradientSteps,
            rows,
            replay,
            state,
            replay + (2 * SegmentBytes) + (StatesOnDisk * state) + history,
            BaseMemory + replay + (StatesOnDisk * state),
            gradientSteps / rate,
            NetworkForms.scaleRatio(settings.Network, settings.Run.Learner, task.Observations, task.Actions));
    }
}
