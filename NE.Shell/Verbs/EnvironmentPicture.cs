using NE.Actors.Environments;
using NE.Actors.Environments.Catalogue;
using NE.Actors.Rendering;
using NE.Actors.Video;
using NE.Model;
using NE.Shell.Host;

namespace NE.Shell.Verbs;

/// <summary>`ne env show ID --image FILE`: a picture of a start state.</summary>
internal static class EnvironmentPicture
{
    /// <summary>Draws the start of the first episode of seed 0.</summary>
    public static void Write(string id, string file, VideoSize size, bool overwrite)
    {
        if (!file.EndsWith(".png", StringComparison.OrdinalIgnoreCase))
        {
            throw new UserError($"a picture is a .png, found '{file}'");
        }

        if (File.Exists(file) && !overwrite)
        {
            throw new UserError($"{file} exists already; name another file, or give --overwrite to replace it");
        }

        using IEnvironment environment = EnvironmentFactory.Create(id);
        IRenderable view = EpisodeVideo.View(environment);
        environment.Reset(Draws.At(0, Purpose.Reset, 0, 0, 0), new float[environment.Spec.ObservationSize]);
        var picture = new byte[size.Bytes];
        view.Render(size.Width, size.Height, picture);

        try
        {
            PngPicture.Write(file, size.Width, size.Height, picture);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new UserError($"the picture {file} cannot be written: {problem.Message}");
        }
    }
}
