using NE.Actors.Video;
using NE.Shell.Host;

namespace NE.Shell.Verbs;

/// <summary>Where a video that the user asked for goes.</summary>
internal static class VideoFiles
{
    /// <summary>The target of a file that the user named; what is wrong with the name is said before anything is done.</summary>
    public static VideoTarget Named(string file, VideoSize size, bool overwrite, ShellHost host)
    {
        VideoTarget target = new(file, size, Ffmpeg.Find(host.SearchPath));

        if (VideoTarget.Problem(file, target.Ffmpeg) is { } problem)
        {
            throw new UserError(problem);
        }

        return overwrite || !File.Exists(file)
            ? target
            : throw new UserError($"{file} exists already; name another file, or give --overwrite to replace it");
    }
}
