namespace NE.Actors.Rendering;

/// <summary>No way of drawing without a screen works here. Names everything that was tried, and the packages that are missing.</summary>
public sealed class RendererUnavailableException : Exception
{
    /// <summary>What brings a working OpenGL on Debian: either list alone is enough.</summary>
    public const string Packages = "apt-get install libegl1 libegl-mesa0 libgl1-mesa-dri (or libosmesa6 alone)";

    internal RendererUnavailableException(IReadOnlyList<(string Name, string Reason)> tried)
        : base($"No picture can be drawn: OpenGL without a screen does not work here. Tried:\n{List(tried, "\n", "  ")}\nOn Debian install it with: {Packages}.") =>
        this.Reasons = List(tried, "; ", "");

    /// <summary>What was tried and why it failed, on one line.</summary>
    public string Reasons { get; }

    private static string List(IReadOnlyList<(string Name, string Reason)> tried, string separator, string indent) =>
        string.Join(separator, tried.Select(kind => $"{indent}{kind.Name}: {kind.Reason}"));
}
