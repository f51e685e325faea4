using NE.Model;
using NE.Model.Replay;

namespace NE.Actors.Environments;

/// <summary>What is fixed about an environment that shows pictures.</summary>
/// <param name="Id">The task's id.</param>
/// <param name="Shape">Sizes of an observation.</param>
/// <param name="ActionRepeat">Control steps of the task per step of the agent.</param>
/// <param name="ActionSize">Numbers in an action.</param>
/// <param name="ActionLow">Lower bounds of the action [ActionSize].</param>
/// <param name="ActionHigh">Upper bounds of the action [ActionSize].</param>
/// <param name="TimeLimit">Steps of the agent after which an episode is truncated.</param>
public sealed record PixelSpec(
    string Id, PixelShape Shape, int ActionRepeat, int ActionSize, float[] ActionLow, float[] ActionHigh, int TimeLimit);

/// <summary>The defaults of pixel tasks, those of DrQ-v2.</summary>
public static class PixelDefaults
{
    /// <summary>Height and width in pixels.</summary>
    public const int Size = 84;

    /// <summary>Frames of an observation.</summary>
    public const int FrameStack = 3;

    /// <summary>Control steps of the task per step of the agent.</summary>
    public const int ActionRepeat = 2;

    public static PixelShape Shape => new(Size, Size, FrameStack);
}

/// <summary>One simulated task that is seen through pictures. Belongs to the thread of its first reset or step, since OpenGL does; a step
/// makes no garbage.</summary>
public interface IPixelEnvironment : IDisposable
{
    PixelSpec Spec { get; }

    /// <summary>The newest frame of the observation, channels first [3 x height x width]; until the next call. What a replay row stores.</summary>
    ReadOnlySpan<byte> NewestFrame { get; }

    /// <summary>Starts an episode with noise from the stream and writes the first observation [3 * stack x height x width]. Throws
    /// RendererUnavailableException where nothing can be drawn.</summary>
    void Reset(Draws draws, Span<byte> observation);

    /// <summary>Repeats an action [ActionSize] until the episode ends, at most ActionRepeat times, sums the rewards, and writes the next
    /// observation. Throws ArgumentException for a wrong size or a number that is not finite, InvalidOperationException when no episode is
    /// under way.</summary>
    StepResult Step(ReadOnlySpan<float> action, Span<byte> observation);

    /// <summary>Everything needed to continue bit-exactly, in any process.</summary>
    byte[] SaveState();

    /// <summary>Continues where `SaveState` was called and writes the observation that was the last one then. Throws InvalidDataException
    /// for a state that is damaged, of another task or of pictures of another shape.</summary>
    void RestoreState(ReadOnlySpan<byte> state, Span<byte> observation);
}
