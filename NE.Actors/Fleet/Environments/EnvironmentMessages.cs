using Akka.Actor;
using NE.Actors.Fleet.Wire;
using NE.Model;
using NE.Model.Networks;
using static NE.Model.History;

namespace NE.Actors.Fleet.Environments;

/// <summary>What a run and the nodes that hold its environments say to each other. Environments are named by a number that the run gives to each of
/// their incarnations; every message names the placement (epoch) that it speaks of, so that what is late is known to be.</summary>
public interface IEnvironmentMessage;

/// <summary>To a node: make this environment's simulator. Asked again, it answers again.</summary>
public sealed record OpenEnvironment : IEnvironmentMessage
{
    public required int Number { get; init; }

    public required long Epoch { get; init; }

    /// <summary>Rounds that it has taken, here or elsewhere.</summary>
    public required long Round { get; init; }

    /// <summary>Name of the run.</summary>
    public required string Run { get; init; }

    /// <summary>Number of the environment in the run.</summary>
    public required int Index { get; init; }

    /// <summary>The run's, as YAML.</summary>
    public required string Configuration { get; init; }

    /// <summary>Id of the task.</summary>
    public required string Task { get; init; }

    /// <summary>What the environment is made of where the run began; null for one of ours.</summary>
    public required string? Fingerprint { get; init; }

    /// <summary>Actions are uniformly random before this step of the run.</summary>
    public required long RandomUntil { get; init; }

    /// <summary>State to go on from; null begins with an episode.</summary>
    public required byte[]? State { get; init; }

    /// <summary>Number of the episode that it begins with, unless it goes on.</summary>
    public required long Episode { get; init; }

    /// <summary>An episode that another version of MuJoCo simulated is given up.</summary>
    public required bool OnOtherMuJoCo { get; init; }
}

/// <summary>To a node: it is not needed there any more.</summary>
public sealed record CloseEnvironment(int Number, long Epoch) : IEnvironmentMessage;

/// <summary>To a node: a piece of a policy, of which it keeps the newest two.</summary>
/// <param name="Version">Rises with every policy of the run.</param>
/// <param name="Part">From 0.</param>
/// <param name="Parts">Of how many.</param>
/// <param name="Exploration">How it explores, which is no part of a stored policy.</param>
public sealed record PolicyPart(long Version, int Part, int Parts, Exploration Exploration, byte[] Bytes) : IEnvironmentMessage;

/// <summary>To a node: take these rounds.</summary>
/// <param name="Policy">Version of the policy that acts; 0 where the orders have actions.</param>
public sealed record StepEnvironments(long Policy, IReadOnlyList<RoundOrder> Rounds) : IEnvironmentMessage;

/// <summary>One environment's round.</summary>
/// <param name="Round">Rounds that it has taken before, and one.</param>
/// <param name="Step">Environment steps of the whole run before its first one.</param>
/// <param name="Stride">Steps of the whole run between two of its own.</param>
/// <param name="Steps">Steps to take.</param>
/// <param name="Action">Of the only step [ActionSize]; empty where the policy acts.</param>
public sealed record RoundOrder(int Number, long Epoch, long Round, long Step, int Stride, int Steps, float[] Action);

/// <summary>From a node: the simulator is up.</summary>
/// <param name="Episode">That it is in.</param>
/// <param name="State">Before the first step.</param>
/// <param name="Observation">That the first action is chosen for, as it lies in the replay memory.</param>
public sealed record EnvironmentOpened(int Number, long Epoch, long Episode, byte[] State, float[] Observation) : IEnvironmentMessage
{
    /// <summary>Of what is not always small.</summary>
    internal long Bytes => this.State.Length + (long)this.Observation.Length * sizeof(float);
}

/// <summary>From a node: the simulator failed.</summary>
/// <param name="Unusable">Another attempt would end the same way: the environment is not what it was.</param>
public sealed record EnvironmentBroken(int Number, long Epoch, bool Unusable, string Message) : IEnvironmentMessage;

/// <summary>From a node: it was to take a round of an environment that it does not hold.</summary>
public sealed record EnvironmentMissing(int Number, long Epoch) : IEnvironmentMessage;

/// <summary>From a node: it lacks the policy of the rounds that it was asked for.</summary>
public sealed record PolicyMissing(long Version) : IEnvironmentMessage;

/// <summary>From a node: these rounds are done.</summary>
public sealed record EnvironmentsStepped(IReadOnlyList<RoundResult> Rounds) : IEnvironmentMessage;

/// <summary>One environment's round.</summary>
/// <param name="Rows">The transitions as they lie in the replay memory.</param>
/// <param name="Episodes">That ended, in order.</param>
/// <param name="Divergences">Episodes that ended because the simulation left the numbers.</param>
/// <param name="Episode">Number of the one that it is in now.</param>
/// <param name="State">After the round: whoever has it goes on from there.</param>
/// <param name="Observation">That the next action is chosen for; empty where that is a picture.</param>
public sealed record RoundResult(
    int Number, long Epoch, long Round, float[] Rows, IReadOnlyList<EpisodeEnded> Episodes, int Divergences, long Episode, byte[] State, float[] Observation)
{
    /// <summary>Of what is not always small.</summary>
    internal long Bytes => this.State.Length + ((long)this.Rows.Length + this.Observation.Length) * sizeof(float);
}

/// <summary>Writes <see cref="IEnvironmentMessage"/>.</summary>
public sealed class EnvironmentSerializer(ExtendedActorSystem system) : WireSerializer(system, forms)
{
    public static readonly WireMessages Messages = new("ne-environments", typeof(EnvironmentSerializer), typeof(IEnvironmentMessage));

    private static readonly WireForm[] forms =
    [
        WireForm.Of<OpenEnvironment>("open/1", Write, ReadOpen),
        WireForm.Of<CloseEnvironment>(
            "close/1",
            (message, writer) =>
            {
                writer.Write(message.Number);
                writer.Write(message.Epoch);
            },
            reader => new(reader.ReadInt32(), reader.ReadInt64())),
        WireForm.Of<PolicyPart>(
            "policy/1",
            (message, writer) =>
            {
                writer.Write(message.Version);
                writer.Write(message.Part);
                writer.Write(message.Parts);
                Write(message.Exploration, writer);
                writer.WriteBytes(message.Bytes);
            },
            reader => new(reader.ReadInt64(), reader.ReadInt32(), reader.ReadInt32(), ReadExploration(reader), reader.ReadBlock())),
        WireForm.Of<StepEnvironments>(
            "step/2",
            (message, writer) =>
            {
                writer.Write(message.Policy);
                writer.WriteList(message.Rounds, round => Write(round, writer));
            },
            reader => new(reader.ReadInt64(), reader.ReadList(() => ReadOrder(reader)))),
        WireForm.Of<EnvironmentOpened>(
            "opened/2",
            (message, writer) =>
            {
                writer.Write(message.Number);
                writer.Write(message.Epoch);
                writer.Write(message.Episode);
                writer.WriteBytes(message.State);
                writer.WriteFloats(message.Observation);
            },
            reader => new(reader.ReadInt32(), reader.ReadInt64(), reader.ReadInt64(), reader.ReadBlock(), reader.ReadFloats())),
        WireForm.Of<EnvironmentBroken>(
            "broken/1",
            (message, writer) =>
            {
                writer.Write(message.Number);
                writer.Write(message.Epoch);
                writer.Write(message.Unusable);
                writer.Write(message.Message);
            },
            reader => new(reader.ReadInt32(), reader.ReadInt64(), reader.ReadBoolean(), reader.ReadString())),
        WireForm.Of<EnvironmentMissing>(
            "missing/1",
            (message, writer) =>
            {
                writer.Write(message.Number);
                writer.Write(message.Epoch);
            },
            reader => new(reader.ReadInt32(), reader.ReadInt64())),
        WireForm.Of<PolicyMissing>("policy-missing/1", (message, writer) => writer.Write(message.Version), reader => new(reader.ReadInt64())),
        WireForm.Of<EnvironmentsStepped>(
            "stepped/2",
            (message, writer) => writer.WriteList(message.Rounds, round => Write(round, writer)),
            reader => new(reader.ReadList(() => ReadResult(reader)))),
    ];

    public override int Identifier => 7_312;

    private static void Write(OpenEnvironment message, BinaryWriter writer)
    {
        writer.Write(message.Number);
        writer.Write(message.Epoch);
        writer.Write(message.Round);
        writer.Write(message.Run);
        writer.Write(message.Index);
        writer.Write(message.Configuration);
        writer.Write(message.Task);
        writer.WriteOptional(message.Fingerprint);
        writer.Write(message.RandomUntil);
        writer.WriteOptional(message.State);
        writer.Write(message.Episode);
        writer.Write(message.OnOtherMuJoCo);
    }

    private static OpenEnvironment ReadOpen(BinaryReader reader) => new()
    {
        Number = reader.ReadInt32(),
        Epoch = reader.ReadInt64(),
        Round = reader.ReadInt64(),
        Run = reader.ReadString(),
        Index = reader.ReadInt32(),
        Configuration = reader.ReadString(),
        Task = reader.ReadString(),
        Fingerprint = reader.ReadOptional(),
        RandomUntil = reader.ReadInt64(),
        State = reader.ReadOptionalBlock(),
        Episode = reader.ReadInt64(),
        OnOtherMuJoCo = reader.ReadBoolean(),
    };

    private static void Write(Exploration exploration, BinaryWriter writer)
    {
        writer.Write((byte)exploration.Tag);
        writer.Write(exploration switch
        {
            Exploration.Gaussian gaussian => gaussian.deviation,
            Exploration.Sampling { logDeviation: var form } => form.Tag,
            _ => 0f,
        });
    }

    private static Exploration ReadExploration(BinaryReader reader)
    {
        var (way, number) = (reader.ReadByte(), reader.ReadSingle());
        return (int)way switch
        {
            Exploration.Tags.Off => Exploration.Off,
            Exploration.Tags.Gaussian => Exploration.NewGaussian(number),
            Exploration.Tags.Sampling when number == LogDeviation.Tags.Clamped => Exploration.NewSampling(LogDeviation.Clamped),
            Exploration.Tags.Sampling when number == LogDeviation.Tags.Tanh => Exploration.NewSampling(LogDeviation.Tanh),
            _ => throw new InvalidDataException($"it claims way {way} of exploring, with {number}"),
        };
    }

    private static void Write(RoundOrder order, BinaryWriter writer)
    {
        writer.Write(order.Number);
        writer.Write(order.Epoch);
        writer.Write(order.Round);
        writer.Write(order.Step);
        writer.Write(order.Stride);
        writer.Write(order.Steps);
        writer.WriteFloats(order.Action);
    }

    private static RoundOrder ReadOrder(BinaryReader reader) =>
        new(reader.ReadInt32(), reader.ReadInt64(), reader.ReadInt64(), reader.ReadInt64(), reader.ReadInt32(), reader.ReadInt32(), reader.ReadFloats());

    private static void Write(RoundResult result, BinaryWriter writer)
    {
        writer.Write(result.Number);
        writer.Write(result.Epoch);
        writer.Write(result.Round);
        writer.WriteFloats(result.Rows);
        writer.WriteList(result.Episodes, episode => Write(episode, writer));
        writer.Write(result.Divergences);
        writer.Write(result.Episode);
        writer.WriteBytes(result.State);
        writer.WriteFloats(result.Observation);
    }

    private static RoundResult ReadResult(BinaryReader reader) => new(
        reader.ReadInt32(),
        reader.ReadInt64(),
        reader.ReadInt64(),
        reader.ReadFloats(),
        reader.ReadList(() => ReadEpisode(reader)),
        reader.ReadInt32(),
        reader.ReadInt64(),
        reader.ReadBlock(),
        reader.ReadFloats());

    private static void Write(EpisodeEnded episode, BinaryWriter writer)
    {
        writer.Write(episode.Step);
        writer.Write(episode.Environment);
        writer.Write(episode.Episode);
        writer.Write(episode.Return);
        writer.Write(episode.Length);
        writer.Write(episode.Terminated);
    }

    private static EpisodeEnded ReadEpisode(BinaryReader reader) =>
        new(reader.ReadInt64(), reader.ReadInt32(), reader.ReadInt64(), reader.ReadDouble(), reader.ReadInt32(), reader.ReadBoolean());
}
