namespace NE.Actors.Rendering;

/// <summary>No way of drawing without a screen works here. Names everything that was tried, and the packages that are missing.</summary>
public sealed class RendererUnavailableException(string message) : Exception(message)
{
    /// <summary>What brings a working OpenGL on Debian: either command alone is enough.</summary>
    public const string Packages = "apt-get install libegl1 libegl-mesa0 libgl1-mesa-dri (or libosmesa6 alone)";

    internal static RendererUnavailableException Of(IEnumerable<(string Name, string Reason)> tried) =>
        new($"Nothing can be drawn: no OpenGL without a screen works here. Tried:\n{string.Join('\n', tried.Select(t => $"  {t.Name}: {t.Reason}"))}\n"
            + $"On Debian install it with: {Packages}.");
}
