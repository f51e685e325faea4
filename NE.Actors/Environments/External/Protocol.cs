using System.Buffers.Binary;
using System.Text;

namespace NE.Actors.Environments.External;

/// <summary>
/// The messages between this program and an environment in another process, as bytes. All numbers are little-endian; f32 and f64 are IEEE 754.
/// A frame is: u32 length of what follows (1 to 2^26), u8 type, payload. Frames to the child go to its standard input, answers come from its
/// standard output; exactly one answer follows each frame.
/// <code>
/// to the child                       payload
/// 0x01 Hello                         u32 protocol version (1)
/// 0x02 Reset                         u64 seed, below 2^63
/// 0x03 Step                          f32 x actions
/// 0x04 Save                          nothing
/// 0x05 Restore                       the bytes of a Saved
/// 0x06 Render                        u32 width, u32 height
/// 0x07 Close                         nothing; the child ends after its answer. It also ends when its standard input ends.
///
/// from the child
/// 0x81 Schema    (answers Hello)     u32 protocol version (1), u8 flags (1: saves state, 2: renders), u32 time limit in steps (0: none),
///                                    u32 n and n bytes: id in UTF-8, u32 observations, u32 actions,
///                                    f32 x observations: lower bounds, f32 x observations: upper bounds (both may be infinite),
///                                    f32 x actions: lower bounds, f32 x actions: upper bounds (finite)
/// 0x82 Began     (answers Reset)     f32 x observations: the first observation
/// 0x83 Stepped   (answers Step)      f64 reward, u8 flags (1: terminated, 2: truncated), f32 x observations: the next observation
/// 0x84 Saved     (answers Save)      bytes, at most 2^26 - 1: everything needed to continue exactly, in any process
/// 0x85 Restored  (answers Restore)   f32 x observations: the observation that was the last one when Saved was made
/// 0x86 Frame     (answers Render)    u32 width, u32 height, 3 x width x height bytes: RGB, rows from the top
/// 0x87 Closed    (answers Close)     nothing
/// 0xff Failed    (answers anything)  text in UTF-8: why the child cannot do it; the environment is given up
/// </code>
/// Numbers in observations and rewards are finite.
/// </summary>
internal static class Protocol
{
    internal const uint Version = 1;

    private const byte RendersFlag = 2;

    /// <summary>Bytes before a payload: the length and the type.</summary>
    internal const int FrameHeader = 5;

    /// <summary>The longest frame: its type and payload.</summary>
    internal const int LongestFrame = 1 << 26;

    internal static byte[] Hello() => BitConverter.GetBytes(Version);

    /// <summary>Reads a Schema. Throws ProtocolException.</summary>
    internal static Schema ReadSchema(ReadOnlySpan<byte> payload)
    {
        if (payload.Length >= 4 && BinaryPrimitives.ReadUInt32LittleEndian(payload) is not Version and var version)
        {
            throw new ProtocolException($"expected protocol version {Version}, found {version}");
        }

        const int Fixed = 13;
        var id = payload.Length < Fixed ? -1L : BinaryPrimitives.ReadUInt32LittleEndian(payload[9..]);
        if (id < 0 || payload.Length < Fixed + id + 8)
        {
            throw new ProtocolException($"expected a schema, found {payload.Length} bytes that are too few for one");
        }

        var rest = payload[(int)(Fixed + id)..];
        long observations = BinaryPrimitives.ReadUInt32LittleEndian(rest);
        long actions = BinaryPrimitives.ReadUInt32LittleEndian(rest[4..]);
        rest = rest[8..];
        if (observations < 1 || actions < 1 || rest.Length != 8 * (observations + actions))
        {
            throw new ProtocolException(
                $"expected at least one observation and one action with two bounds each, found {Counted.Of(observations, "observation")}, {Counted.Of(actions, "action")} and "
                + $"{rest.Length} bytes of bounds instead of {8 * (observations + actions)}");
        }

        var (n, m) = ((int)observations, (int)actions);
        var limit = BinaryPrimitives.ReadUInt32LittleEndian(payload[5..]);
        var schema = new Schema(
            Encoding.UTF8.GetString(payload[Fixed..(int)(Fixed + id)]),
            SavesState: (payload[4] & 1) != 0,
            Renders: (payload[4] & RendersFlag) != 0,
            limit is 0 or > int.MaxValue ? EnvironmentSpec.NoTimeLimit : (int)limit,
            Floats(rest, 0, n),
            Floats(rest, n, n),
            Floats(rest, 2 * n, m),
            Floats(rest, 2 * n + m, m),
            Fingerprint(payload));
        if (Array.FindIndex(schema.ActionLow, bound => !float.IsFinite(bound)) is >= 0 and var low)
        {
            throw new ProtocolException($"expected finite bounds of the actions, found {schema.ActionLow[low]} as the lower bound of action {low}");
        }

        if (Array.FindIndex(schema.ActionHigh, bound => !float.IsFinite(bound)) is >= 0 and var high)
        {
            throw new ProtocolException($"expected finite bounds of the actions, found {schema.ActionHigh[high]} as the upper bound of action {high}");
        }

        return schema;
    }

    /// <summary>Reads observations at an offset of a payload that must hold nothing after them. Throws ProtocolException.</summary>
    internal static void ReadObservation(ReadOnlySpan<byte> payload, int offset, Span<float> observation)
    {
        if (payload.Length != offset + sizeof(float) * observation.Length)
        {
            throw new ProtocolException(
                $"expected an answer of {offset + sizeof(float) * observation.Length} bytes for {Counted.Of(observation.Length, "observation")}, found {payload.Length} bytes");
        }

        for (var i = 0; i < observation.Length; i++)
        {
            observation[i] = BinaryPrimitives.ReadSingleLittleEndian(payload[(offset + sizeof(float) * i)..]);
            if (!float.IsFinite(observation[i]))
            {
                throw new ProtocolException($"expected finite numbers, found {observation[i]} as observation {i}");
            }
        }
    }

    /// <summary>Reads a Stepped. Throws ProtocolException.</summary>
    internal static StepResult ReadStepped(ReadOnlySpan<byte> payload, Span<float> observation)
    {
        ReadObservation(payload, 9, observation);
        var (reward, flags) = (BinaryPrimitives.ReadDoubleLittleEndian(payload), payload[8]);
        if (!FiniteNumbers.IsReward(reward))
        {
            throw new ProtocolException($"expected a finite reward that 32 bits can hold, found {reward}");
        }

        return flags <= 3
            ? new StepResult(reward, (flags & 1) != 0, (flags & 2) != 0)
            : throw new ProtocolException($"expected flags of 0 to 3 after the reward, found {flags}");
    }

    /// <summary>Of the whole schema. Whether it renders changes no episode, and a program may come to, so either is accepted.</summary>
    private static EnvironmentFingerprint Fingerprint(ReadOnlySpan<byte> payload)
    {
        const string Part = "what the program says about itself";
        var other = payload.ToArray();
        other[4] ^= RendersFlag;
        return EnvironmentFingerprint.Of((Part, payload.ToArray())) with { Equivalent = EnvironmentFingerprint.Of((Part, other)).Text };
    }

    private static float[] Floats(ReadOnlySpan<byte> bytes, int first, int count)
    {
        var values = new float[count];
        for (var i = 0; i < count; i++)
        {
            values[i] = BinaryPrimitives.ReadSingleLittleEndian(bytes[(sizeof(float) * (first + i))..]);
        }

        return values;
    }
}

/// <summary>The type of a frame.</summary>
internal enum Message : byte
{
    Hello = 0x01,
    Reset = 0x02,
    Step = 0x03,
    Save = 0x04,
    Restore = 0x05,
    Render = 0x06,
    Close = 0x07,
    Schema = 0x81,
    Began = 0x82,
    Stepped = 0x83,
    Saved = 0x84,
    Restored = 0x85,
    Frame = 0x86,
    Closed = 0x87,
    Failed = 0xff,
}

/// <summary>What a child says about its environment.</summary>
internal sealed record Schema(
    string Id, bool SavesState, bool Renders, int TimeLimit, float[] ObservationLow, float[] ObservationHigh, float[] ActionLow, float[] ActionHigh,
    EnvironmentFingerprint Fingerprint);

/// <summary>The child said something that is not the protocol. The message says what was expected and found.</summary>
internal sealed class ProtocolException(string message) : Exception(message);
