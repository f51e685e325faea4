namespace NE.Actors.Rendering;

/// <summary>A way to get an OpenGL context without a screen.</summary>
/// <param name="Name">For people.</param>
/// <param name="Create">Creates a context that is current on the calling thread, or throws OpenGlException with the reason.</param>
public sealed record OpenGlKind(string Name, Func<OpenGlContext> Create)
{
    /// <summary>EGL without a surface: any Mesa, no device node needed.</summary>
    public static readonly OpenGlKind EglSurfaceless = new("EGL surfaceless", static () => EglContext.Surfaceless());

    /// <summary>EGL on one of the devices that the driver lists: graphics cards whose driver has no surfaceless platform.</summary>
    public static readonly OpenGlKind EglDevice = new("EGL device", static () => EglContext.OnDevice());

    /// <summary>Mesa's software renderer without EGL.</summary>
    public static readonly OpenGlKind OsMesa = new("OSMesa", static () => new OsMesaContext());

    /// <summary>The order in which they are tried.</summary>
    public static readonly IReadOnlyList<OpenGlKind> Order = [EglSurfaceless, EglDevice, OsMesa];
}

/// <summary>Why one kind of context cannot be had; the next kind is tried.</summary>
public sealed class OpenGlException(string message) : Exception(message);
