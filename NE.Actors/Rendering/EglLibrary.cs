using System.Runtime.InteropServices;

namespace NE.Actors.Rendering;

/// <summary>The functions of libEGL that are used here (EGL 1.5, Khronos registry).</summary>
internal sealed unsafe class EglLibrary
{
    internal const string Name = "libEGL.so.1";

    private static readonly Lock gate = new();
    private static EglLibrary? loaded;

    internal readonly delegate* unmanaged[Cdecl]<int> GetError;
    internal readonly delegate* unmanaged[Cdecl]<byte*, nint> GetProcAddress;
    internal readonly delegate* unmanaged[Cdecl]<uint, nint, nint*, nint> GetPlatformDisplay;
    internal readonly delegate* unmanaged[Cdecl]<nint, int*, int*, uint> Initialize;
    internal readonly delegate* unmanaged[Cdecl]<uint, uint> BindApi;
    internal readonly delegate* unmanaged[Cdecl]<nint, int*, nint*, int, int*, uint> ChooseConfig;
    internal readonly delegate* unmanaged[Cdecl]<nint, nint, nint, int*, nint> CreateContext;
    internal readonly delegate* unmanaged[Cdecl]<nint, nint, nint, nint, uint> MakeCurrent;
    internal readonly delegate* unmanaged[Cdecl]<nint, nint, uint> DestroyContext;

    private EglLibrary(nint handle)
    {
        this.GetError = (delegate* unmanaged[Cdecl]<int>)Export(handle, "eglGetError");
        this.GetProcAddress = (delegate* unmanaged[Cdecl]<byte*, nint>)Export(handle, "eglGetProcAddress");
        this.GetPlatformDisplay = (delegate* unmanaged[Cdecl]<uint, nint, nint*, nint>)Export(handle, "eglGetPlatformDisplay");
        this.Initialize = (delegate* unmanaged[Cdecl]<nint, int*, int*, uint>)Export(handle, "eglInitialize");
        this.BindApi = (delegate* unmanaged[Cdecl]<uint, uint>)Export(handle, "eglBindAPI");
        this.ChooseConfig = (delegate* unmanaged[Cdecl]<nint, int*, nint*, int, int*, uint>)Export(handle, "eglChooseConfig");
        this.CreateContext = (delegate* unmanaged[Cdecl]<nint, nint, nint, int*, nint>)Export(handle, "eglCreateContext");
        this.MakeCurrent = (delegate* unmanaged[Cdecl]<nint, nint, nint, nint, uint>)Export(handle, "eglMakeCurrent");
        this.DestroyContext = (delegate* unmanaged[Cdecl]<nint, nint, uint>)Export(handle, "eglDestroyContext");
        fixed (byte* name = "eglQueryDevicesEXT\0"u8)
        {
            this.QueryDevices = (delegate* unmanaged[Cdecl]<int, nint*, int*, uint>)this.GetProcAddress(name);
        }
    }

    /// <summary>An extension; null when the library lacks it.</summary>
    internal delegate* unmanaged[Cdecl]<int, nint*, int*, uint> QueryDevices { get; }

    /// <summary>The library, loaded at the first call. Throws OpenGlException; a later call tries again.</summary>
    internal static EglLibrary Load()
    {
        lock (gate)
        {
            return loaded ??= NativeLibrary.TryLoad(Name, out var handle)
                ? new EglLibrary(handle)
                : throw new OpenGlException($"{Name} is not installed");
        }
    }

    /// <summary>The last error of this thread, as Khronos writes it.</summary>
    internal string Error()
    {
        var code = this.GetError();
        return code switch
        {
            0x3001 => "EGL_NOT_INITIALIZED",
            0x3003 => "EGL_BAD_ALLOC",
            0x3004 => "EGL_BAD_ATTRIBUTE",
            0x3005 => "EGL_BAD_CONFIG",
            0x3008 => "EGL_BAD_DISPLAY",
            0x3009 => "EGL_BAD_MATCH",
            0x300C => "EGL_BAD_PARAMETER",
            _ => $"EGL error 0x{code:X4}",
        };
    }

    private static nint Export(nint handle, string name) =>
        NativeLibrary.TryGetExport(handle, name, out var address) ? address : throw new OpenGlException($"{Name} has no function {name}; EGL 1.5 is needed");
}
