namespace NE.Actors.Video;

/// <summary>A video that is being written. Its file appears under its name when it is finished; before, and when it is not, there is none.</summary>
public interface IVideoFile : IDisposable
{
    /// <summary>Frames so far.</summary>
    int Frames { get; }

    /// <summary>Appends a frame [height x width x 3], top row first.</summary>
    /// <exception cref="VideoException">It cannot be written.</exception>
    void Add(ReadOnlySpan<byte> rgb);

    /// <summary>Completes the file and gives it its name. A video without a frame is an error.</summary>
    /// <exception cref="VideoException">It cannot be written.</exception>
    void Finish();
}
