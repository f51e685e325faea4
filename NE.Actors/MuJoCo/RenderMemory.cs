using System.Runtime.InteropServices;
using NE.Model.Tasks;

namespace NE.Actors.MuJoCo;

/// <summary>The structures of MuJoCo's renderer in native memory, with their default values. Each is followed by guard bytes.</summary>
internal sealed unsafe class RenderMemory : IDisposable
{
    /// <summary>mjCAT_ALL: static, dynamic and decorative geoms.</summary>
    internal const int AllCategories = 7;

    private const int Guard = 32;
    private const byte Mark = 0xA5;

    private readonly MuJoCoLayout layout;
    private nint memory;

    internal RenderMemory(MuJoCoLayout layout)
    {
        this.layout = layout;
        var total = this.Sizes().Sum(size => Padded(size));
        this.memory = (nint)NativeMemory.AlignedAlloc((nuint)total, 64);
        new Span<byte>((void*)this.memory, total).Fill(Mark);
        var at = this.memory;
        this.Scene = Take(ref at, this.layout.Scene.Size);
        this.Option = Take(ref at, this.layout.Option.Size);
        this.View = Take(ref at, this.layout.View.Size);
        this.Perturb = Take(ref at, this.layout.Perturb.Size);
        this.Context = Take(ref at, this.layout.Context.Size);
        MuJoCoRenderNative.mjv_defaultScene(this.Scene);
        MuJoCoRenderNative.mjv_defaultOption(this.Option);
        MuJoCoRenderNative.mjv_defaultCamera(this.View);
        MuJoCoRenderNative.mjv_defaultPerturb(this.Perturb);
        MuJoCoRenderNative.mjr_defaultContext(this.Context);
    }

    internal nint Scene { get; }

    internal nint Option { get; }

    internal nint View { get; }

    internal nint Perturb { get; }

    internal nint Context { get; }

    internal int SceneGeoms => *(int*)(this.Scene + this.layout.Scene.NGeom);

    internal int SceneCapacity => *(int*)(this.Scene + this.layout.Scene.MaxGeom);

    internal int BufferWidth => *(int*)(this.Context + this.layout.Context.OffWidth);

    internal int BufferHeight => *(int*)(this.Context + this.layout.Context.OffHeight);

    internal int CurrentBuffer => *(int*)(this.Context + this.layout.Context.CurrentBuffer);

    /// <summary>Where the camera is: type, number of the fixed one, distance, azimuth, elevation.</summary>
    internal (int Type, int FixedId, double Distance, double Azimuth, double Elevation) Place => (
        *(int*)(this.View + this.layout.View.Type),
        *(int*)(this.View + this.layout.View.FixedId),
        *(double*)(this.View + this.layout.View.Distance),
        *(double*)(this.View + this.layout.View.Azimuth),
        *(double*)(this.View + this.layout.View.Elevation));

    /// <summary>Position and direction of the left of the two eyes from which the scene was made [6].</summary>
    internal ReadOnlySpan<float> Eye => new((void*)(this.Scene + this.layout.Scene.Camera), 6);

    /// <summary>Whether the sizes of the structures are those of the library: each was written to its end, give or take an alignment, and no
    /// further.</summary>
    internal bool HasTheirSizes
    {
        get
        {
            nint[] starts = [this.Scene, this.Option, this.View, this.Perturb, this.Context];
            return starts.Zip(this.Sizes(), (start, size) => start + size)
                .All(end => IsMarked(end, Guard) && !IsMarked(end - sizeof(long), sizeof(long)));
        }
    }

    /// <summary>Looks from where a task says, at the data as it is now; call it before every frame.</summary>
    /// <remarks>MuJoCo's own tracking camera approaches its body by a fifth of the way per frame, so a picture would depend on how many
    /// were drawn before it, and an episode that is restored would look different. Here the camera is where it belongs at once.</remarks>
    internal void Aim(Camera camera, double* subtreeCom)
    {
        const int free = 0;
        const int @fixed = 2;
        switch (camera)
        {
            case Camera.Fixed chosen:
                this.Integer(this.layout.View.Type, @fixed);
                this.Integer(this.layout.View.FixedId, chosen.index);
                break;
            case Camera.Tracking chosen:
                var com = subtreeCom + 3 * chosen.body;
                this.Integer(this.layout.View.Type, free);
                this.Orbit(com[0], com[1], com[2], chosen.distance, chosen.azimuth, chosen.elevation);
                break;
            case Camera.Free chosen:
                this.Integer(this.layout.View.Type, free);
                this.Orbit(chosen.x, chosen.y, chosen.z, chosen.distance, chosen.azimuth, chosen.elevation);
                break;
        }
    }

    public void Dispose()
    {
        NativeMemory.AlignedFree((void*)this.memory);
        this.memory = 0;
    }

    private static bool IsMarked(nint start, int bytes) => new ReadOnlySpan<byte>((void*)start, bytes).IndexOfAnyExcept(Mark) < 0;

    private static int Padded(int size) => (size + Guard + 63) / 64 * 64;

    private static nint Take(ref nint at, int size)
    {
        var taken = at;
        at += Padded(size);
        return taken;
    }

    private int[] Sizes() =>
        [this.layout.Scene.Size, this.layout.Option.Size, this.layout.View.Size, this.layout.Perturb.Size, this.layout.Context.Size];

    private void Orbit(double x, double y, double z, double distance, double azimuth, double elevation)
    {
        this.Number(this.layout.View.LookAt, x);
        this.Number(this.layout.View.LookAt + sizeof(double), y);
        this.Number(this.layout.View.LookAt + 2 * sizeof(double), z);
        this.Number(this.layout.View.Distance, distance);
        this.Number(this.layout.View.Azimuth, azimuth);
        this.Number(this.layout.View.Elevation, elevation);
    }

    private void Integer(int offset, int value) => *(int*)(this.View + offset) = value;

    private void Number(int offset, double value) => *(double*)(this.View + offset) = value;
}
