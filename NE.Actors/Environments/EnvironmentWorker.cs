using System.Buffers.Binary;
using System.Text;
using NE.Actors.MuJoCo;
using NE.Model;
using static NE.Model.History;

namespace NE.Actors.Environments;

/// <summary>
/// Steps one environment: writes transitions, keeps episodes. Every draw is keyed by (seed, environment, episode, step), so nothing depends on when a
/// round arrives. Lives on the environment's simulator thread.
/// </summary>
public sealed class EnvironmentWorker
{
    /// <summary>Of our own environments.</summary>
    private const int FormatVersion = 1;

    /// <summary>Of others: the length and the text of the fingerprint follow the header.</summary>
    private const int FingerprintedVersion = 2;
    private const int HeaderBytes = sizeof(int) + 2 * sizeof(long) + sizeof(double);

    private readonly IEnvironment environment;
    private readonly Settings settings;
    private readonly int index;
    private readonly BehaviourPolicy behaviour;
    private readonly float[] observation;
    private readonly float[] next;
    private readonly float[] action;
    private long episode;
    private long stepInEpisode;
    private double episodeReturn;

    /// <summary>In a run of one task.</summary>
    public EnvironmentWorker(IEnvironment environment, Settings settings, int index)
        : this(environment, settings, index, settings.Learner.StartSteps.Value)
    {
    }

    /// <param name="randomUntil">Actions are uniformly random before this step of the run.</param>
    public EnvironmentWorker(IEnvironment environment, Settings settings, int index, long randomUntil)
    {
        var spec = environment.Spec;
        (this.environment, this.settings, this.index) = (environment, settings, index);
        this.behaviour = new BehaviourPolicy(settings, index, randomUntil, spec);
        this.observation = new float[spec.ObservationSize];
        this.next = new float[spec.ObservationSize];
        this.action = new float[spec.ActionSize];
    }

    /// <summary>Number of the current episode.</summary>
    public long Episode => this.episode;

    /// <summary>What the next action is chosen for [ObservationSize].</summary>
    public ReadOnlySpan<float> Observation => this.observation;

    /// <summary>Begins an episode.</summary>
    public void Begin(long number)
    {
        this.episode = number;
        this.stepInEpisode = 0;
        this.episodeReturn = 0;
        this.environment.Reset(Draws.At(this.settings.Run.Seed, Purpose.Reset, this.index, number, 0), this.observation);
    }

    /// <summary>Takes the steps of a round and fills its block, whatever it held.</summary>
    public void Step(StepRound work)
    {
        work.Block.Clear();
        for (var i = 0; i < work.Steps; i++)
        {
            var step = work.Step + (long)i * work.Stride;
            this.behaviour.Choose(work.Policy, step, new EpisodePlace(this.episode, this.stepInEpisode), this.observation, this.action);
            this.Take(step, this.action, work.Block);
        }
        work.Block.Episode = this.episode;
    }

    /// <summary>Takes one step with an action that was chosen elsewhere and fills the block, whatever it held.</summary>
    /// <param name="step">Environment steps of the whole run before it.</param>
    /// <param name="chosen">The action [ActionSize].</param>
    /// <param name="block">Has room for one transition.</param>
    /// <exception cref="ArgumentException">The action is of another size or not finite.</exception>
    public void Step(long step, ReadOnlySpan<float> chosen, TransitionBlock block)
    {
        block.Clear();
        this.Take(step, chosen, block);
        block.Episode = this.episode;
    }

    /// <summary>Everything that a resume needs: counters, the fingerprint of an environment that is not ours, and the simulator's state, if
    /// it can be saved.</summary>
    public byte[] Save()
    {
        var spec = this.environment.Spec;
        byte[] fingerprint = spec.Fingerprint is { } print ? Encoding.UTF8.GetBytes(print.Text) : [];
        var simulator = spec.SavesState ? this.environment.SaveState() : [];
        var header = new byte[HeaderBytes];
        var span = header.AsSpan();
        BinaryPrimitives.WriteInt32LittleEndian(span, spec.Fingerprint is null ? FormatVersion : FingerprintedVersion);
        BinaryPrimitives.WriteInt64LittleEndian(span[4..], this.episode);
        BinaryPrimitives.WriteInt64LittleEndian(span[12..], this.stepInEpisode);
        BinaryPrimitives.WriteDoubleLittleEndian(span[20..], this.episodeReturn);
        return spec.Fingerprint is null ? [.. header, .. simulator] : [.. header, .. BitConverter.GetBytes(fingerprint.Length), .. fingerprint, .. simulator];
    }

    /// <summary>Continues exactly where <see cref="Save"/> was. An environment that cannot save its state begins the next episode instead.</summary>
    /// <param name="state">What <see cref="Save"/> returned.</param>
    /// <param name="onOtherMuJoCo">An episode that another version of MuJoCo simulated is given up and the next one begun.</param>
    /// <exception cref="InvalidDataException">The bytes are of another version.</exception>
    /// <exception cref="EnvironmentUnusableException">They are of another environment.</exception>
    /// <exception cref="OtherMuJoCoException">Another version of MuJoCo simulated the episode.</exception>
    public void Restore(ReadOnlySpan<byte> state, bool onOtherMuJoCo = false)
    {
        var spec = this.environment.Spec;
        EnvironmentFingerprint.Require(this.settings.Run.Environment, Stored(state, out var simulator), spec.Fingerprint, onOtherMuJoCo);
        this.episode = BinaryPrimitives.ReadInt64LittleEndian(state[4..]);
        if (!spec.SavesState)
        {
            this.Begin(this.episode + 1);
            return;
        }
        this.stepInEpisode = BinaryPrimitives.ReadInt64LittleEndian(state[12..]);
        this.episodeReturn = BinaryPrimitives.ReadDoubleLittleEndian(state[20..]);
        try
        {
            this.environment.RestoreState(state[simulator..], this.observation);
        }
        catch (OtherMuJoCoException) when (onOtherMuJoCo)
        {
            this.Begin(NextEpisode(state));
        }
    }

    /// <summary>The first episode that was not begun when this state was saved, or was begun without a step being taken: with what number the same
    /// environment begins on another task, so that nothing is drawn twice.</summary>
    /// <exception cref="InvalidDataException">The bytes are damaged or of another version.</exception>
    public static long NextEpisode(ReadOnlySpan<byte> state)
    {
        var place = Place(state);
        return place.Step == 0 ? place.Episode : place.Episode + 1;
    }

    /// <summary>Where the environment was when this state was saved.</summary>
    /// <exception cref="InvalidDataException">The bytes are damaged or of another version.</exception>
    public static EpisodePlace Place(ReadOnlySpan<byte> state)
    {
        Stored(state, out _);
        return new EpisodePlace(BinaryPrimitives.ReadInt64LittleEndian(state[4..]), BinaryPrimitives.ReadInt64LittleEndian(state[12..]));
    }

    /// <summary>The fingerprint of the environment whose state this is; null for one of ours.</summary>
    /// <exception cref="InvalidDataException">The bytes are damaged or of another version.</exception>
    public static EnvironmentFingerprint? Fingerprint(ReadOnlySpan<byte> state) => Stored(state, out _);

    private static EnvironmentFingerprint? Stored(ReadOnlySpan<byte> state, out int simulator)
    {
        var version = state.Length < HeaderBytes ? 0 : BinaryPrimitives.ReadInt32LittleEndian(state);
        if (version is not (FormatVersion or FingerprintedVersion))
        {
            throw new InvalidDataException($"The stored environment has format {version}; this program reads {FormatVersion} and {FingerprintedVersion}.");
        }
        simulator = HeaderBytes;
        if (version == FormatVersion)
        {
            return null;
        }
        var length = state.Length < HeaderBytes + sizeof(int) ? -1 : BinaryPrimitives.ReadInt32LittleEndian(state[HeaderBytes..]);
        simulator += sizeof(int) + length;
        return length >= 0 && simulator <= state.Length
            ? EnvironmentFingerprint.OfText(Encoding.UTF8.GetString(state[(simulator - length)..simulator]))
            : throw new InvalidDataException($"The stored environment of {state.Length} bytes is damaged.");
    }

    private void Take(long step, ReadOnlySpan<float> chosen, TransitionBlock block)
    {
        var result = this.environment.Step(chosen, this.next);
        // A time limit is not the end of the task: the value of the next state still counts.
        var notDone = result.Terminated ? 0f : 1f;
        block.Add((int)this.stepInEpisode, this.observation, chosen, (float)result.Reward, notDone, this.next);
        this.stepInEpisode++;
        this.episodeReturn += result.Reward;

        if (result.IsLast)
        {
            block.Divergences += result.Diverged ? 1 : 0;
            block.Episodes.Add(new EpisodeEnded(step + 1, this.index, this.episode, this.episodeReturn, (int)this.stepInEpisode, result.Terminated));
            this.Begin(this.episode + 1);
        }
        else
        {
            this.next.CopyTo(this.observation, 0);
        }
    }
}
