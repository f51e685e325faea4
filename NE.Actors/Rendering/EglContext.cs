namespace NE.Actors.Rendering;

/// <summary>An OpenGL context of EGL without any surface: MuJoCo draws into a framebuffer of its own.</summary>
/// <remarks>The display is initialised again and again, which EGL allows, and never terminated: that would end every other context on
/// it. A display is one per process and platform.</remarks>
internal sealed unsafe class EglContext : OpenGlContext
{
    private const uint SurfacelessPlatform = 0x31DD;
    private const uint DevicePlatform = 0x313F;
    private const uint OpenGlApi = 0x30A2;
    private const int MostDevices = 16;

    private readonly EglLibrary egl;
    private readonly nint display;
    private readonly nint context;

    private EglContext(EglLibrary egl, uint platform, nint native)
    {
        this.egl = egl;
        this.display = egl.GetPlatformDisplay(platform, native, null);
        if (this.display == 0)
        {
            throw new OpenGlException($"eglGetPlatformDisplay: {egl.Error()} (no driver for this platform)");
        }

        Require(egl, egl.Initialize(this.display, null, null) != 0, "eglInitialize");
        // The bound API belongs to the thread.
        Require(egl, egl.BindApi(OpenGlApi) != 0, "eglBindAPI(OpenGL)");
        var config = Config(egl, this.display);
        this.context = egl.CreateContext(this.display, config, 0, null);
        Require(egl, this.context != 0, "eglCreateContext");
        if (egl.MakeCurrent(this.display, 0, 0, this.context) == 0)
        {
            var reason = egl.Error();
            egl.DestroyContext(this.display, this.context);
            throw new OpenGlException($"eglMakeCurrent without a surface: {reason}");
        }
    }

    private protected override string Library => EglLibrary.Name;

    internal static EglContext Surfaceless() => new(EglLibrary.Load(), SurfacelessPlatform, 0);

    internal static EglContext OnDevice()
    {
        var egl = EglLibrary.Load();
        var devices = stackalloc nint[MostDevices];
        var count = 0;
        if (egl.QueryDevices == null || egl.QueryDevices(MostDevices, devices, &count) == 0 || count == 0)
        {
            throw new OpenGlException("EGL lists no device");
        }

        var reasons = new List<string>();
        for (var i = 0; i < count; i++)
        {
            try
            {
                return new EglContext(egl, DevicePlatform, devices[i]);
            }
            catch (OpenGlException e)
            {
                reasons.Add($"device {i}: {e.Message}");
            }
        }

        throw new OpenGlException(string.Join("; ", reasons));
    }

    private protected override void MakeCurrent() =>
        Require(this.egl, this.egl.MakeCurrent(this.display, 0, 0, this.context) != 0, "eglMakeCurrent");

    private protected override void Free()
    {
        // A context that is current is destroyed only when it no longer is.
        this.egl.BindApi(OpenGlApi);
        this.egl.MakeCurrent(this.display, 0, 0, 0);
        this.egl.DestroyContext(this.display, this.context);
    }

    private protected override nint Function(ReadOnlySpan<byte> name)
    {
        fixed (byte* text = name)
        {
            return this.egl.GetProcAddress(text);
        }
    }

    private static nint Config(EglLibrary egl, nint display)
    {
        // Red, green, blue, alpha, depth, stencil bits; renderable by OpenGL; the surface type, which by default would be a window.
        int[] wanted = [0x3024, 8, 0x3023, 8, 0x3022, 8, 0x3021, 8, 0x3025, 24, 0x3026, 8, 0x3040, 8, 0x3033, 1, 0x3038];
        nint config;
        int count;
        fixed (int* attributes = wanted)
        {
            Require(egl, egl.ChooseConfig(display, attributes, &config, 1, &count) != 0, "eglChooseConfig");
        }

        return count > 0 ? config : throw new OpenGlException("no configuration with OpenGL, 8 bits per colour, 24 of depth and 8 of stencil");
    }

    private static void Require(EglLibrary egl, bool done, string what)
    {
        if (!done)
        {
            throw new OpenGlException($"{what}: {egl.Error()}");
        }
    }
}
