using System.Runtime.InteropServices;

namespace NE.Actors.Rendering;

/// <summary>An OpenGL context of OSMesa, Mesa's library that draws into memory. MuJoCo draws into a framebuffer of its own, so the
/// context's own picture is small and never looked at.</summary>
internal sealed unsafe partial class OsMesaContext : OpenGlContext
{
    private const string Name = "libOSMesa.so.8";
    private const uint Rgba = 0x1908;
    private const uint UnsignedByte = 0x1401;
    private const int Size = 16;
    private const int Now = 2;
    private const int Global = 0x100;

    private static readonly Lock gate = new();
    private static nint library;

    private readonly nint context;
    private readonly byte* picture;

    internal OsMesaContext()
    {
        var create = (delegate* unmanaged[Cdecl]<uint, int, int, int, nint, nint>)Export("OSMesaCreateContextExt");
        this.context = create(Rgba, 24, 8, 0, 0);
        if (this.context == 0)
        {
            throw new OpenGlException("OSMesaCreateContextExt failed");
        }

        this.picture = (byte*)NativeMemory.AllocZeroed(Size * Size * 4);
        if (MakeCurrent(this.context, this.picture) == 0)
        {
            this.Free();
            throw new OpenGlException("OSMesaMakeCurrent failed");
        }
    }

    private protected override string Library => Name;

    private protected override void MakeCurrent()
    {
        if (MakeCurrent(this.context, this.picture) == 0)
        {
            throw new OpenGlException("OSMesaMakeCurrent failed");
        }
    }

    private protected override void Free()
    {
        MakeCurrent(0, null);
        ((delegate* unmanaged[Cdecl]<nint, void>)Export("OSMesaDestroyContext"))(this.context);
        NativeMemory.Free(this.picture);
    }

    private protected override nint Function(ReadOnlySpan<byte> name)
    {
        var find = (delegate* unmanaged[Cdecl]<byte*, nint>)Export("OSMesaGetProcAddress");
        fixed (byte* text = name)
        {
            return find(text);
        }
    }

    private static byte MakeCurrent(nint context, byte* picture) =>
        ((delegate* unmanaged[Cdecl]<nint, void*, uint, int, int, byte>)Export("OSMesaMakeCurrent"))(
            context, picture, UnsignedByte, Size, Size);

    private static nint Export(string name)
    {
        lock (gate)
        {
            if (library == 0)
            {
                // Global, so that MuJoCo finds its functions here even when libEGL was tried before and is still loaded.
                library = dlopen(Name, Now | Global);
            }

            return library == 0
                ? throw new OpenGlException($"{Name} is not installed")
                : NativeLibrary.TryGetExport(library, name, out var address) ? address : throw new OpenGlException($"{Name} has no function {name}");
        }
    }

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint dlopen(string name, int flags);
}
