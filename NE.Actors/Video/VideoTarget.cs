namespace NE.Actors.Video;

/// <summary>Where a video goes and how it is made.</summary>
/// <param name="Path">The file; its ending says the format: .mp4 (through ffmpeg), .png or .apng (an animated PNG).</param>
/// <param name="Size">Pixels of a frame.</param>
/// <param name="Ffmpeg">The ffmpeg executable; null when there is none.</param>
/// <param name="Threads">Threads that ffmpeg may use; 0 leaves it to ffmpeg.</param>
public sealed record VideoTarget(string Path, VideoSize Size, string? Ffmpeg, int Threads = 0)
{
    /// <summary>Added to the name while the file is not complete.</summary>
    internal const string PartialSuffix = ".partial";

    /// <summary>The ending of the best format that can be had.</summary>
    public static string Ending(string? ffmpeg) => ffmpeg is null ? ".png" : ".mp4";

    /// <summary>Why a file of this name cannot be made; null when it can.</summary>
    public static string? Problem(string path, string? ffmpeg) => System.IO.Path.GetExtension(path).ToLowerInvariant() switch
    {
        ".mp4" when ffmpeg is null => $"an .mp4 needs ffmpeg, which is not on the PATH: apt-get install ffmpeg, or name a .png (an animated PNG, which browsers play), not '{path}'",
        ".mp4" or ".png" or ".apng" => null,
        _ => $"a video is an .mp4 or an animated .png, found '{path}'",
    };

    /// <summary>Begins the file; its folder is created when absent.</summary>
    /// <exception cref="VideoException">The format cannot be made here, or the file not be written.</exception>
    public IVideoFile Create(double secondsPerFrame)
    {
        if (Problem(this.Path, this.Ffmpeg) is { } problem)
        {
            throw new VideoException(problem);
        }

        try
        {
            Directory.CreateDirectory(System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(this.Path))!);
            if (Directory.Exists(this.Path))
            {
                throw new IOException("it is a folder");
            }

            return System.IO.Path.GetExtension(this.Path).Equals(".mp4", StringComparison.OrdinalIgnoreCase)
                ? new Mp4File(this, this.Ffmpeg!, secondsPerFrame)
                : new AnimatedPng(this.Path, this.Size, secondsPerFrame);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw Unwritable(this.Path, error);
        }
    }

    internal static VideoException Unwritable(string path, Exception error) => new($"The video {path} cannot be written: {error.Message}", error);
}
