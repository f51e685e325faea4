using System.Buffers.Binary;
using NE.Actors.Rendering;
using NE.Model;
using NE.Model.Replay;
using NE.Model.Tasks;

namespace NE.Actors.Environments;

/// <summary>A MuJoCo task seen from its camera as DrQ-v2 does: actions are repeated, the last frames are stacked, one frame is drawn per step
/// of the agent, after the repeats. Belongs to the thread of its first reset or step, since OpenGL does.</summary>
public sealed class PixelEnvironment : IEnvironment, IRenderable
{
    private const uint Magic = 0x5850454E; // "NEPX"
    private const int Format = 1;

    private readonly MuJoCoEnvironment task;
    /// <summary>The task with actions of one symmetric bound; frees it with itself.</summary>
    private readonly IEnvironment fitted;
    private readonly Camera camera;
    private readonly IReadOnlyList<OpenGlKind>? openGl;
    private readonly FrameStack frames;
    private readonly float[] state;
    private readonly byte[] image;
    private readonly byte[] header;
    private Renderer? renderer;

    /// <param name="task">The task; freed with this environment.</param>
    /// <param name="shape">Sizes of an observation.</param>
    /// <param name="actionRepeat">Control steps per step of the agent, at least 1.</param>
    /// <param name="openGl">Kinds of OpenGL to try; by default `OpenGlKind.Order`.</param>
    public PixelEnvironment(MuJoCoEnvironment task, PixelShape shape, int actionRepeat, IReadOnlyList<OpenGlKind>? openGl = null)
    {
        this.task = task;
        this.fitted = RescaledEnvironment.Fitted(task);
        this.camera = task.Camera;
        this.openGl = openGl;
        this.Shape = shape;
        this.Spec = Describe(this.fitted.Spec, shape, actionRepeat);
        this.frames = new FrameStack(shape);
        this.state = new float[task.Spec.ObservationSize];
        this.image = new byte[shape.FrameBytes];
        this.header = Header(shape, actionRepeat);
    }

    public EnvironmentSpec Spec { get; }

    /// <summary>Sizes of an observation.</summary>
    public PixelShape Shape { get; }

    public bool? IsInverted => this.task.IsInverted;

    /// <summary>The task under the pictures, for views and tests.</summary>
    public MuJoCoEnvironment Task => this.task;

    /// <summary>Seconds between two steps of the agent.</summary>
    public double? SecondsPerStep => this.Spec.ActionRepeat * this.task.SecondsPerStep;

    /// <summary>Draws the task for people, in any size; the observation's frames stay as they are.</summary>
    public void Render(int width, int height, Span<byte> rgb) => this.task.Render(width, height, rgb);

    public void Reset(Draws draws, Span<float> observation)
    {
        var pictures = this.Pictures(observation);
        this.task.Reset(draws, this.state);
        this.Draw();
        this.frames.Begin(this.image);
        this.frames.Observation.CopyTo(pictures);
    }

    public StepResult Step(ReadOnlySpan<float> action, Span<float> observation)
    {
        var pictures = this.Pictures(observation);
        var result = this.fitted.Step(action, this.state);
        var reward = result.Reward;
        for (var i = 1; i < this.Spec.ActionRepeat && !result.IsLast; i++)
        {
            result = this.fitted.Step(action, this.state);
            reward += result.Reward;
        }

        if (result.Diverged)
        {
            // There is nothing to be seen: the last sound picture stands, as the last sound state does in other environments.
            reward = 0;
            this.frames.Repeat();
        }
        else
        {
            this.Draw();
            this.frames.Push(this.image);
        }

        this.frames.Observation.CopyTo(pictures);
        return result with { Reward = reward };
    }

    public byte[] SaveState() => [.. this.header, .. this.frames.Observation, .. this.task.SaveState()];

    public void RestoreState(ReadOnlySpan<byte> state, Span<float> observation)
    {
        var pictures = this.Pictures(observation);
        if (!state.StartsWith(this.header) || state.Length < this.header.Length + pictures.Length)
        {
            var shape = this.Shape;
            throw new InvalidDataException(
                $"Expected a saved state of {this.Spec.Id} in pixels ({shape.Stack} frames of {shape.Height} x {shape.Width}, "
                + $"{this.Spec.ActionRepeat} repeats, format {Format}), found {state.Length} bytes that are damaged or of another environment.");
        }

        var rest = state[this.header.Length..];
        // First what may be refused.
        this.task.RestoreState(rest[pictures.Length..], this.state);
        this.frames.Restore(rest[..pictures.Length]);
        this.frames.Observation.CopyTo(pictures);
    }

    public void Dispose()
    {
        // The renderer looks at the task's simulator.
        this.renderer?.Dispose();
        this.renderer = null;
        this.fitted.Dispose();
    }

    internal static EnvironmentSpec Describe(EnvironmentSpec spec, PixelShape shape, int actionRepeat)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(actionRepeat, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(shape.Stack, 1, nameof(shape));
        // The last step of an episode may have fewer repeats.
        var limit = spec.TimeLimit == EnvironmentSpec.NoTimeLimit ? spec.TimeLimit : (spec.TimeLimit + actionRepeat - 1) / actionRepeat;
        return spec with { Observation = ObservationForm.NewPixels(shape), ActionRepeat = actionRepeat, TimeLimit = limit };
    }

    private static byte[] Header(PixelShape shape, int actionRepeat)
    {
        var header = new byte[6 * sizeof(int)];
        int[] numbers = [unchecked((int)Magic), Format, shape.Height, shape.Width, shape.Stack, actionRepeat];
        for (var i = 0; i < numbers.Length; i++)
        {
            BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(i * sizeof(int)), numbers[i]);
        }

        return header;
    }

    /// <summary>Makes the renderer at the first picture, so that it belongs to the thread that steps.</summary>
    private void Draw()
    {
        this.renderer ??= new Renderer(this.task.Simulator, this.Shape.Width, this.Shape.Height, this.camera, this.openGl);
        this.renderer.Render(this.image);
    }

    /// <summary>The bytes of an observation's memory.</summary>
    private Span<byte> Pictures(Span<float> observation) => observation.Length == this.Spec.ObservationSize
        ? PackedBytes.write(this.Shape.ObservationBytes, observation)
        : throw new ArgumentException(
            $"An observation of {this.Spec.Id} in pixels has {this.Shape.ObservationBytes} bytes in {this.Spec.ObservationSize} floats; "
            + $"the given memory has {observation.Length}.",
            nameof(observation));
}
