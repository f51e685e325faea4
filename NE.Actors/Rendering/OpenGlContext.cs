using System.Runtime.InteropServices;

namespace NE.Actors.Rendering;

/// <summary>An OpenGL context without a screen. It belongs to the thread that created it: use and free it there.</summary>
/// <remarks>There is no finalizer on purpose: it would run on another thread. A context that is not disposed is leaked.</remarks>
public abstract unsafe class OpenGlContext : IDisposable
{
    private const uint RendererName = 0x1F01;

    /// <summary>The context that is current on this thread; several renderers may live on one thread.</summary>
    [ThreadStatic]
    private static OpenGlContext? current;

    private readonly Thread owner = Thread.CurrentThread;
    private bool disposed;

    private protected OpenGlContext()
    {
    }

    /// <summary>How the context was made and what draws, such as `EGL surfaceless, llvmpipe (LLVM 15.0.6, 256 bits)`.</summary>
    public string Description { get; private set; } = "";

    /// <summary>The first kind that works on this machine, current on the calling thread.</summary>
    /// <param name="order">The kinds to try; by default `OpenGlKind.Order`.</param>
    /// <exception cref="RendererUnavailableException">None works.</exception>
    public static OpenGlContext Open(IReadOnlyList<OpenGlKind>? order = null)
    {
        var tried = new List<(string, string)>();
        foreach (var kind in order ?? OpenGlKind.Order)
        {
            try
            {
                OpenGlProcess.Prepare();
                return kind.Create().Adopt(kind.Name);
            }
            catch (OpenGlException e)
            {
                tried.Add((kind.Name, e.Message));
            }
        }

        throw new RendererUnavailableException(tried);
    }

    /// <summary>Makes this context the one that OpenGL calls of this thread go to.</summary>
    /// <exception cref="InvalidOperationException">Called on another thread than the one that created it.</exception>
    public void Use()
    {
        ObjectDisposedException.ThrowIf(this.disposed, this);
        this.RequireOwnThread();
        if (current != this)
        {
            this.MakeCurrent();
            current = this;
        }
    }

    /// <summary>Frees the context. Can be repeated. Throws InvalidOperationException on another thread than the creating one.</summary>
    public void Dispose()
    {
        if (this.disposed)
        {
            return;
        }

        this.RequireOwnThread();
        this.disposed = true;
        // No context is current after Free; another one of this thread becomes current at its next use.
        current = null;
        this.Free();
    }

    /// <summary>The library that OpenGL functions come from.</summary>
    private protected abstract string Library { get; }

    private protected abstract void MakeCurrent();

    private protected abstract void Free();

    /// <summary>The address of an OpenGL function, 0 when there is none.</summary>
    private protected abstract nint Function(ReadOnlySpan<byte> name);

    /// <summary>Makes a new context this process's and the thread's own, or frees it.</summary>
    private OpenGlContext Adopt(string kind)
    {
        try
        {
            OpenGlProcess.Claim(this.Library);
            this.Use();
            var getString = (delegate* unmanaged[Cdecl]<uint, byte*>)this.Function("glGetString\0"u8);
            var renderer = getString == null ? null : Marshal.PtrToStringUTF8((nint)getString(RendererName));
            this.Description = $"{kind}, {renderer ?? "unknown renderer"}";
            return this;
        }
        catch
        {
            this.Dispose();
            throw;
        }
    }

    private void RequireOwnThread()
    {
        if (Thread.CurrentThread != this.owner)
        {
            throw new InvalidOperationException(
                $"This OpenGL context belongs to the thread {NameOf(this.owner)} and was used on {NameOf(Thread.CurrentThread)}; "
                + "create, use and free a renderer on one thread.");
        }
    }

    private static string NameOf(Thread thread) => $"'{thread.Name ?? "unnamed"}' ({thread.ManagedThreadId})";
}
