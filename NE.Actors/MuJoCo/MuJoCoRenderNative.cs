using System.Runtime.InteropServices;

namespace NE.Actors.MuJoCo;

/// <summary>MuJoCo's visualiser (mjv) and OpenGL renderer (mjr). The mjr functions need a current OpenGL context: without one they call
/// the fatal error handler.</summary>
internal static unsafe partial class MuJoCoRenderNative
{
    private const string Library = MuJoCoNative.Library;

    [LibraryImport(Library)]
    internal static partial void mjv_defaultScene(nint scene);

    [LibraryImport(Library)]
    internal static partial void mjv_defaultOption(nint option);

    [LibraryImport(Library)]
    internal static partial void mjv_defaultCamera(nint camera);

    [LibraryImport(Library)]
    internal static partial void mjv_defaultPerturb(nint perturb);

    [LibraryImport(Library)]
    internal static partial void mjv_makeScene(nint model, nint scene, int maxGeoms);

    [LibraryImport(Library)]
    internal static partial void mjv_freeScene(nint scene);

    [LibraryImport(Library)]
    internal static partial void mjv_updateScene(nint model, nint data, nint option, nint perturb, nint camera, int categories, nint scene);

    [LibraryImport(Library)]
    internal static partial void mjr_defaultContext(nint context);

    [LibraryImport(Library)]
    internal static partial void mjr_makeContext(nint model, nint context, int fontScale);

    [LibraryImport(Library)]
    internal static partial void mjr_freeContext(nint context);

    [LibraryImport(Library)]
    internal static partial void mjr_setBuffer(int framebuffer, nint context);

    [LibraryImport(Library)]
    internal static partial void mjr_render(MuJoCoRectangle viewport, nint scene, nint context);

    [LibraryImport(Library)]
    internal static partial void mjr_readPixels(byte* rgb, float* depth, MuJoCoRectangle viewport, nint context);
}

/// <summary>mjrRect: pixels, the origin at the bottom left.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct MuJoCoRectangle(int Left, int Bottom, int Width, int Height);
