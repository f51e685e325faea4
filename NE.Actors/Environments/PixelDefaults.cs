using NE.Model.Replay;

namespace NE.Actors.Environments;

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
