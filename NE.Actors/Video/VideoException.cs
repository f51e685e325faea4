namespace NE.Actors.Video;

/// <summary>A video that cannot be made; the message is written for the user.</summary>
public sealed class VideoException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>Somebody stopped it, as Ctrl-C in a terminal stops every process of it.</summary>
    public bool IsInterruption { get; init; }
}
