using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace NE.EnvironmentClient;

/// <summary>Answers NE.Actors on standard input and output, by the protocol of docs/bring-your-own-environment.md.</summary>
/// <example>return EnvironmentServer.Run(new MyEnvironment());</example>
public static class EnvironmentServer
{
    private const uint Version = 1;
    private const int LongestFrame = 1 << 26;

    private const byte Hello = 0x01, Reset = 0x02, Step = 0x03, Save = 0x04, Restore = 0x05, Render = 0x06, Close = 0x07;
    private const byte Failed = 0xff;

    /// <summary>An answer's type is its request's with this bit.</summary>
    private const byte Answers = 0x80;

    /// <summary>Serves until the other side closes. Returns the exit code of the process. What the environment prints goes to standard error, also by
    /// native code and by programs that it starts, because standard output belongs to the protocol; standard input is empty for them.</summary>
    public static int Run(IServedEnvironment environment)
    {
        using var input = StandardStreams.TakeInput();
        using var output = StandardStreams.TakeOutput();
        Console.SetOut(Console.Error);
        // Ctrl-C in a terminal reaches the whole group of processes; who started this one decides when it ends.
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, context => context.Cancel = true);
        Serve(environment, input, output);
        (environment as IDisposable)?.Dispose();
        return 0;
    }

    /// <summary>Serves over two streams until a Close, the end of the input, or the end of whoever reads the output.</summary>
    public static void Serve(IServedEnvironment environment, Stream input, Stream output)
    {
        var length = new byte[sizeof(uint)];
        byte request;
        do
        {
            if (input.ReadAtLeast(length, length.Length, throwOnEndOfStream: false) < length.Length)
            {
                return;
            }

            var frame = new byte[BinaryPrimitives.ReadUInt32LittleEndian(length)];
            if (frame.Length == 0 || input.ReadAtLeast(frame, frame.Length, throwOnEndOfStream: false) < frame.Length)
            {
                return;
            }

            request = frame[0];
            byte[] answer;
            byte type;
            try
            {
                (type, answer) = ((byte)(request | Answers), Answer(environment, request, frame.AsSpan(1)));
            }
            catch (Exception problem)
            {
                Console.Error.WriteLine(problem);
                (type, answer) = (Failed, Encoding.UTF8.GetBytes($"{problem.GetType().Name}: {problem.Message}"));
            }

            var bytes = new byte[sizeof(uint) + 1 + answer.Length];
            BinaryPrimitives.WriteInt32LittleEndian(bytes, 1 + answer.Length);
            bytes[sizeof(uint)] = type;
            answer.CopyTo(bytes, sizeof(uint) + 1);
            try
            {
                output.Write(bytes);
                output.Flush();
            }
            catch (IOException)
            {
                return;
            }
        }
        while (request != Close);
    }

    private static byte[] Answer(IServedEnvironment environment, byte request, ReadOnlySpan<byte> payload)
    {
        var schema = environment.Schema;
        var observation = new float[schema.ObservationLow.Length];
        switch (request)
        {
            case Hello:
                var version = BinaryPrimitives.ReadUInt32LittleEndian(payload);
                return version == Version ? Describe(environment) : throw new InvalidDataException($"expected protocol version {Version}, found {version}");
            case Reset:
                environment.Reset(BinaryPrimitives.ReadUInt64LittleEndian(payload), observation);
                return Bytes(observation);
            case Step:
                var step = environment.Step(Floats(payload, schema.ActionLow.Length), observation);
                var flags = (step.Terminated ? 1 : 0) | (step.Truncated ? 2 : 0);
                return [.. BitConverter.GetBytes(step.Reward), (byte)flags, .. Bytes(observation)];
            case Save when environment is IStoredEnvironment stored:
                var state = stored.SaveState();
                return state.Length < LongestFrame ? state : throw new InvalidDataException($"a state of {state.Length} bytes is too long for a frame");
            case Restore when environment is IStoredEnvironment stored:
                stored.RestoreState(payload, observation);
                return Bytes(observation);
            case Render when environment is IRenderedEnvironment rendered:
                var (width, height) = (BinaryPrimitives.ReadInt32LittleEndian(payload), BinaryPrimitives.ReadInt32LittleEndian(payload[4..]));
                return [.. BitConverter.GetBytes(width), .. BitConverter.GetBytes(height), .. rendered.Render(width, height)];
            case Close:
                return [];
            default:
                throw new InvalidDataException($"a message of type 0x{request:x2} is not known, or this environment cannot do it");
        }
    }

    private static byte[] Describe(IServedEnvironment environment)
    {
        var schema = environment.Schema;
        var id = Encoding.UTF8.GetBytes(schema.Id);
        var flags = (environment is IStoredEnvironment ? 1 : 0) | (environment is IRenderedEnvironment ? 2 : 0);
        return
        [
            .. BitConverter.GetBytes(Version), (byte)flags, .. BitConverter.GetBytes(schema.TimeLimit), .. BitConverter.GetBytes(id.Length), .. id,
            .. BitConverter.GetBytes(schema.ObservationLow.Length), .. BitConverter.GetBytes(schema.ActionLow.Length),
            .. Bytes(schema.ObservationLow), .. Bytes(schema.ObservationHigh), .. Bytes(schema.ActionLow), .. Bytes(schema.ActionHigh),
        ];
    }

    // Little-endian, as the processors are that NE.Actors runs on.
    private static byte[] Bytes(float[] values) => MemoryMarshal.AsBytes<float>(values).ToArray();

    private static float[] Floats(ReadOnlySpan<byte> payload, int count) => payload.Length == sizeof(float) * count
        ? MemoryMarshal.Cast<byte, float>(payload).ToArray()
        : throw new InvalidDataException($"expected an action of {count} numbers, found {payload.Length} bytes");
}
