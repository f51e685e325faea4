using System.Buffers.Binary;
using NE.Actors.MuJoCo;
using NE.Model;

namespace NE.Actors.Environments.External;

/// <summary>An environment in a process of its own that speaks `Protocol` over its standard input and output. When it fails, it is killed and throws
/// ExternalEnvironmentException; a new one must be made. A step makes no garbage.</summary>
public sealed class ExternalEnvironment : IEnvironment, IRenderable
{
    private const uint Magic = 0x5845454E; // "NEEX"
    private const int Format = 1;
    private const int HeaderBytes = 13;
    private const int LargestFrameSide = 4096;

    private static readonly WarningThrottle throttle = new(intervalMilliseconds: 1000);
    private static string? lastTold;

    private readonly ChildProcess child;
    private readonly ExternalPatience patience;
    private readonly Schema schema;
    private int elapsed;
    private bool underWay;

    /// <summary>Starts the process and asks what it is. Throws EnvironmentUnusableException; on a simulator thread that shall end,
    /// OperationCanceledException.</summary>
    /// <param name="command">The program and its arguments.</param>
    /// <param name="patience">How long the process may take.</param>
    public ExternalEnvironment(IReadOnlyList<string> command, ExternalPatience patience)
    {
        this.patience = patience;
        this.child = new ChildProcess(command, StoppingThread.Token, line => Report(command[0], line));
        try
        {
            this.schema = this.Greet();
        }
        catch (ExternalEnvironmentException problem)
        {
            this.child.Dispose();
            Tell(problem);
            // What no run logs is shown: a log that other runs of the process have does not count, and only runs have simulator threads.
            throw Log is null || !StoppingThread.Token.CanBeCanceled ? Unusable(problem, problem.Message) : new EnvironmentUnusableException(problem.Message, problem);
        }
        catch
        {
            this.child.Dispose();
            throw;
        }

        this.Spec = new EnvironmentSpec(
            this.schema.Id, this.schema.ObservationLow.Length, this.schema.ActionLow.Length, this.schema.ActionLow, this.schema.ActionHigh,
            this.schema.TimeLimit, this.schema.SavesState)
        {
            Fingerprint = this.schema.Fingerprint,
        };
    }

    /// <summary>Gets what children of the whole process write to their standard error, at most one line a second; null drops it. Must outlive every run.</summary>
    public static Action<string>? Log { get; set; }

    public EnvironmentSpec Spec { get; }

    /// <summary>Whether `Render` can be called.</summary>
    public bool Renders => this.schema.Renders;

    /// <summary>The protocol does not say it.</summary>
    public double? SecondsPerStep => null;

    /// <summary>The number of the child process.</summary>
    public int ProcessId => this.child.Id;

    /// <summary>The seed, of 63 bits, that the program is given for an episode that begins with these draws.</summary>
    public static ulong SeedOf(Draws draws) => draws.NextUInt64() >> 1;

    public void Reset(Draws draws, Span<float> observation)
    {
        this.RequireObservation(observation);
        this.underWay = false;
        BinaryPrimitives.WriteUInt64LittleEndian(this.child.Request(sizeof(ulong)), SeedOf(draws));
        this.Observe(this.Exchange(Message.Reset, sizeof(ulong), Message.Began), observation);
        this.elapsed = 0;
        this.underWay = true;
    }

    public StepResult Step(ReadOnlySpan<float> action, Span<float> observation)
    {
        this.RequireObservation(observation);
        this.WriteAction(action);
        if (!this.underWay)
        {
            throw new InvalidOperationException($"No episode of {this.Spec.Id} is under way: it was never started or is over. Call Reset first.");
        }

        this.underWay = false;
        var answer = this.Exchange(Message.Step, sizeof(float) * action.Length, Message.Stepped);
        StepResult result;
        try
        {
            result = Protocol.ReadStepped(answer, observation);
        }
        catch (ProtocolException problem)
        {
            throw this.Failure(problem);
        }

        this.elapsed++;
        result = result with { Truncated = result.Truncated || this.elapsed >= this.Spec.TimeLimit };
        this.underWay = !result.IsLast;
        return result;
    }

    public byte[] SaveState()
    {
        this.RequireSaving();
        var state = this.Exchange(Message.Save, 0, Message.Saved);
        var bytes = new byte[HeaderBytes + state.Length];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, Magic);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(4), Format);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(8), this.elapsed);
        bytes[12] = this.underWay ? (byte)1 : (byte)0;
        state.CopyTo(bytes.AsSpan(HeaderBytes));
        return bytes;
    }

    public void RestoreState(ReadOnlySpan<byte> state, Span<float> observation)
    {
        this.RequireSaving();
        this.RequireObservation(observation);
        if (state.Length < HeaderBytes || BinaryPrimitives.ReadUInt32LittleEndian(state) != Magic || BinaryPrimitives.ReadInt32LittleEndian(state[4..]) != Format)
        {
            throw new InvalidDataException(
                $"Expected a saved state of an external environment (format {Format}), found {state.Length} bytes that are damaged or something else.");
        }

        var bytes = state[HeaderBytes..];
        bytes.CopyTo(this.child.Request(bytes.Length));
        this.Observe(this.Exchange(Message.Restore, bytes.Length, Message.Restored), observation);
        this.elapsed = BinaryPrimitives.ReadInt32LittleEndian(state[8..]);
        this.underWay = state[12] != 0;
    }

    /// <summary>A picture of the current state: RGB, rows from the top [3 x width x height]. Throws NotSupportedException where the program cannot.</summary>
    public byte[] Render(int width, int height)
    {
        if (!this.Renders)
        {
            throw new NotSupportedException($"The environment {this.Spec.Id} does not render.");
        }

        ArgumentOutOfRangeException.ThrowIfLessThan(Math.Min(width, height), 1, nameof(width));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Math.Max(width, height), LargestFrameSide, nameof(width));
        var request = this.child.Request(8);
        BinaryPrimitives.WriteInt32LittleEndian(request, width);
        BinaryPrimitives.WriteInt32LittleEndian(request[4..], height);
        var answer = this.Exchange(Message.Render, 8, Message.Frame);
        var (found, rows) = answer.Length < 8
            ? (0u, 0u)
            : (BinaryPrimitives.ReadUInt32LittleEndian(answer), BinaryPrimitives.ReadUInt32LittleEndian(answer[4..]));
        return found == width && rows == height && answer.Length == 8 + 3 * width * height
            ? answer[8..].ToArray()
            : throw this.child.Failure($"expected a frame of {width} x {height} pixels, found one of {found} x {rows} in {answer.Length} bytes");
    }

    void IRenderable.Render(int width, int height, Span<byte> rgb) => this.Render(width, height).CopyTo(rgb);

    /// <summary>Ends the process. Called on another thread, it ends a wait for the process, too.</summary>
    public void Dispose() => this.child.Dispose();

    /// <summary>What is wrong with an environment before there is a run and a log: its standard error follows the sentence, without the last line where the
    /// sentence has it.</summary>
    internal static EnvironmentUnusableException Unusable(ExternalEnvironmentException problem, string sentence)
    {
        var lines = problem.StandardError.Split('\n').Select(line => line.TrimEnd()).Where(line => line.Length > 0).ToList();
        if (lines.Count > 0 && sentence.Contains(lines[^1].Trim(), StringComparison.Ordinal))
        {
            lines.RemoveAt(lines.Count - 1);
        }

        var before = lines.Count == 0 ? "" : $"\nIts standard error before that:\n  {string.Join("\n  ", lines)}";
        return new EnvironmentUnusableException(sentence + before, problem);
    }

    private static void Report(string program, string line)
    {
        if (Log is { } log && throttle.Pass($"{Path.GetFileName(program)}: {line}", Environment.TickCount64) is { } text)
        {
            log(text);
        }
    }

    private Schema Greet()
    {
        Protocol.Hello().CopyTo(this.child.Request(sizeof(uint)));
        var answer = this.child.Exchange(Message.Hello, sizeof(uint), Message.Schema, this.patience.Start);
        try
        {
            return Protocol.ReadSchema(answer);
        }
        catch (ProtocolException problem)
        {
            throw this.child.Failure(problem.Message);
        }
    }

    /// <summary>An exchange whose failure leaves the child's last words in the log.</summary>
    private ReadOnlySpan<byte> Exchange(Message request, int size, Message expected)
    {
        try
        {
            return this.child.Exchange(request, size, expected, this.patience.Answer);
        }
        catch (ExternalEnvironmentException problem)
        {
            Tell(problem);
            throw;
        }
    }

    private ExternalEnvironmentException Failure(ProtocolException problem)
    {
        var failure = this.child.Failure(problem.Message);
        Tell(failure);
        return failure;
    }

    /// <summary>Once for failures that come back in the same words.</summary>
    private static void Tell(ExternalEnvironmentException problem)
    {
        if (Log is { } log && problem.StandardError.Length > 0 && Interlocked.Exchange(ref lastTold, problem.Message) != problem.Message)
        {
            log($"{problem.Message} Its standard error ended with:\n  {problem.StandardError.Replace("\n", "\n  ")}");
        }
    }

    private void Observe(ReadOnlySpan<byte> answer, Span<float> observation)
    {
        try
        {
            Protocol.ReadObservation(answer, 0, observation);
        }
        catch (ProtocolException problem)
        {
            throw this.Failure(problem);
        }
    }

    private void RequireSaving()
    {
        if (!this.Spec.SavesState)
        {
            throw new NotSupportedException($"The environment {this.Spec.Id} cannot save its state.");
        }
    }

    private void RequireObservation(Span<float> observation)
    {
        if (observation.Length != this.Spec.ObservationSize)
        {
            throw new ArgumentException(
                $"An observation of {this.Spec.Id} has {Counted.Of(this.Spec.ObservationSize, "number")}; the given memory has {observation.Length}.", nameof(observation));
        }
    }

    private void WriteAction(ReadOnlySpan<float> action)
    {
        if (action.Length != this.Spec.ActionSize)
        {
            throw new ArgumentException($"An action of {this.Spec.Id} has {Counted.Of(this.Spec.ActionSize, "number")}; found {action.Length}.", nameof(action));
        }

        var target = this.child.Request(sizeof(float) * action.Length);
        for (var i = 0; i < action.Length; i++)
        {
            if (!float.IsFinite(action[i]))
            {
                throw new ArgumentException($"Action {i} of {this.Spec.Id} is {action[i]}; it must be a finite number.", nameof(action));
            }

            BinaryPrimitives.WriteSingleLittleEndian(target[(sizeof(float) * i)..], action[i]);
        }
    }
}
