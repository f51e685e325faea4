using NE.Actors.Environments;
using NE.Model;
using NE.Model.Agents;
using NE.Model.Replay;
using NE.Shell.Host;

namespace NE.Shell.Configuration;

/// <summary>What a run takes, computed before anything is created.</summary>
/// <param name="Learner">Its networks.</param>
/// <param name="GradientSteps">Critic updates of the whole run.</param>
/// <param name="ReplayRows">Transitions, or frames, that the buffer comes to hold.</param>
/// <param name="ReplayBytes">The full replay buffer on disk, read through the page cache.</param>
/// <param name="StateBytes">Online and target parameters, both moments, ages and masks: one checkpoint without the replay.</param>
/// <param name="DiskBytes">All of the run directory at its largest.</param>
/// <param name="MemoryBytes">Resident memory at its largest, replay pages included.</param>
/// <param name="Seconds">Rough duration on one CPU core.</param>
/// <param name="ScaleRatio">All parameters as multiple of those at network.scale = 0.</param>
public sealed record RunPlan(
    LearnerSize Learner,
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

    /// <summary>A run that takes longer than this is said to.</summary>
    private const double LongSeconds = 2 * 86_400;

    /// <summary>Numbers of an observation from which on it is rather a picture: 3 x 32 x 32.</summary>
    private const int PictureNumbers = 3_072;

    /// <summary>Numbers of an observation that is not a picture, or does not say that it is one.</summary>
    private int VectorSize { get; init; }

    /// <summary>Convolutions of our own engine on one core of 2023.</summary>
    private const double ConvolutionOperationsPerSecond = 90e9;

    /// <summary>Resident memory without the pages of the replay, which the system may reclaim.</summary>
    public long MemoryBesideReplay => this.MemoryBytes - this.ReplayBytes;

    /// <summary>Computes the plan of a resolved configuration.</summary>
    /// <param name="environment">What the agent sees of it.</param>
    public static RunPlan Create(Settings settings, EnvironmentSpec environment)
    {
        LearnerSize learner = LearnerSizeModule.create(settings, environment.Observation, environment.ActionSize);
        long parameters = learner.Parameters;
        long gradientSteps = SettingsModule.gradientSteps(settings);
        long rowBytes = (long)sizeof(float) * TransitionRows.create(environment.Observation, environment.ActionSize).RowFloats;
        // A cycle clears the buffer at every switch.
        long filled = settings.Cycle.Steps.Value > 0 ? settings.Cycle.Steps.Value : settings.Run.Steps;
        long rows = Math.Min(settings.Learner.BufferSize.Value, filled);
        long replay = rows * rowBytes;
        // parameter, target, two moments, two powers of the betas: 4 bytes each; mask: a bit
        long state = (parameters * 24) + (parameters / 8);
        long history = (long)(HistoryBytesPerMillion * Math.Max(0.05, settings.Run.Steps / 1e6));
        double work = settings.Run.Learner.IsSac || settings.Run.Learner.IsDrq ? WorkOfSac : 1;
        // Of every picture the heads read each shifted copy.
        int copies = settings.Run.Learner.SeesPixels ? settings.Pixels.Shifts.Value : 1;
        double ofParameters = work * (parameters - learner.Encoder) * settings.Learner.BatchSize * copies / ParameterRowsPerSecond;
        double seconds = Math.Max(1 / MostUpdatesPerSecond, ofParameters + (learner.ConvolutionOperations / ConvolutionOperationsPerSecond));
        Settings unscaled = SettingsModule.apply([("network.scale", "0")], settings).ResultValue;
        return new RunPlan(
            learner,
            gradientSteps,
            rows,
            replay,
            state,
            replay + (2 * SegmentBytes) + (StatesOnDisk * state) + history,
            BaseMemory + learner.WorkingBytes + replay + (StatesOnDisk * state),
            (gradientSteps * seconds) + (learner.EventOperations / ConvolutionOperationsPerSecond),
            parameters / (double)LearnerSizeModule.create(unscaled, environment.Observation, environment.ActionSize).Parameters)
        {
            VectorSize = environment.Observation.IsPixels ? 0 : environment.ObservationSize,
        };
    }

    /// <summary>What a user should know before the run begins: what does not fit, what takes days, and why.</summary>
    /// <param name="memory">Bytes of memory that there are.</param>
    /// <param name="disk">Bytes that are free where the run will lie.</param>
    public IReadOnlyList<string> Warnings(long memory, long disk)
    {
        List<string> warnings = [.. this.Misfits(memory, disk)];

        if (this.Seconds > LongSeconds)
        {
            warnings.Add($"the gradient steps take about {Format.Duration(this.Seconds)} on one core; fewer run.steps, or a smaller learner.batchSize or network.hidden, take less");
        }

        if (warnings.Count > 0 && this.VectorSize >= PictureNumbers)
        {
            warnings.Add(
                $"an observation is a vector of {Format.Count(this.VectorSize)} numbers: if it is a picture, --pixels stores it in bytes and sees it by convolutions (tasks of ours and task files); "
                + "an environment of another kind should send fewer numbers, such as a smaller picture in grey");
        }

        return warnings;
    }

    /// <summary>Rows of the replay in so many bytes, as a round number.</summary>
    private long RowsIn(long bytes)
    {
        long rows = bytes / Math.Max(1, this.ReplayBytes / Math.Max(1, this.ReplayRows));
        long unit = (long)Math.Pow(10, Math.Max(0, Math.Floor(Math.Log10(Math.Max(1, rows))) - 1));
        return Math.Max(1, rows / unit * unit);
    }

    /// <summary>How many of these runs fit in the memory at a time, whichever they are; at least one.</summary>
    /// <param name="plans">Those that are known.</param>
    /// <param name="memory">Bytes of memory that there are.</param>
    public static int FitTogether(IReadOnlyList<RunPlan> plans, long memory) =>
        plans.Count == 0 ? int.MaxValue : (int)Math.Clamp(memory / Math.Max(1, plans.Max(plan => plan.MemoryBesideReplay)), 1, int.MaxValue);

    /// <summary>What to say where so many of these runs at a time do not fit in the memory; null where they do.</summary>
    /// <param name="plans">Those that are known.</param>
    /// <param name="parallel">Runs at a time.</param>
    /// <param name="memory">Bytes of memory that there are.</param>
    public static string? MisfitTogether(IReadOnlyList<RunPlan> plans, int parallel, long memory)
    {
        RunPlan[] largest = [.. plans.OrderByDescending(plan => plan.MemoryBesideReplay).Take(parallel)];

        if (largest.Length > 0 && largest[0].MemoryBesideReplay > memory)
        {
            // Fewer at a time would not help.
            return largest[0].Misfits(memory, long.MaxValue).First();
        }

        long together = largest.Sum(plan => plan.MemoryBesideReplay);
        return together > memory
            ? $"{largest.Length} runs at a time take up to {Format.Bytes(together)} of memory beside their replays, and this machine has {Format.Bytes(memory)}: "
                + "some will be ended by the system; a smaller --parallel takes less"
            : null;
    }

    /// <summary>What does not fit on this machine; nothing where all does.</summary>
    /// <param name="memory">Bytes of memory that there are.</param>
    /// <param name="disk">Bytes that are free where the run will lie.</param>
    public IEnumerable<string> Misfits(long memory, long disk)
    {
        if (this.MemoryBesideReplay > memory)
        {
            yield return $"the run takes up to {Format.Bytes(this.MemoryBesideReplay)} of memory beside the replay, and this machine has {Format.Bytes(memory)}: it will be ended by the system; "
                + "a smaller learner.batchSize or network.hidden takes less";
        }
        else if (this.MemoryBytes > memory)
        {
            yield return $"the replay and the run take up to {Format.Bytes(this.MemoryBytes)}, and this machine has {Format.Bytes(memory)} of memory: batches will be read from the disk, slowly; "
                + $"learner.bufferSize={this.RowsIn(memory - this.MemoryBesideReplay)} fits";
        }

        if (this.DiskBytes > disk)
        {
            yield return $"the run takes up to {Format.Bytes(this.DiskBytes)} on disk, and {Format.Bytes(disk)} are free: it will stop when the disk is full; a smaller learner.bufferSize, or --runs on another disk";
        }
    }
}
