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

    private readonly RenderOffsets offsets;
    private nint memory;

    internal RenderMemory(MuJoCoLayout layout)
    {
        this.offsets = layout.Render;
        var total = this.Sizes().Sum(size => Padded(size));
        this.memory = (nint)NativeMemory.AlignedAlloc((nuint)total, 64);
        new Span<byte>((void*)this.memory, total).Fill(Mark);
        var at = this.memory;
        this.Scene = Take(ref at, this.offsets.SceneSize);
        this.Option = Take(ref at, this.offsets.OptionSize);
        this.View = Take(ref at, this.offsets.CameraSize);
        this.Perturb = Take(ref at, this.offsets.PerturbSize);
        this.Context = Take(ref at, this.offsets.ContextSize);
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

    internal int SceneGeoms => *(int*)(this.Scene + this.offsets.SceneNGeom);

    internal int SceneCapacity => *(int*)(this.Scene + this.offsets.SceneMaxGeom);

    internal int BufferWidth => *(int*)(this.Context + this.offsets.ContextOffWidth);

    internal int BufferHeight => *(int*)(this.Context + this.offsets.ContextOffHeight);

    internal int CurrentBuffer => *(int*)(this.Context + this.offsets.ContextCurrentBuffer);

    internal double CameraDistance => *(double*)(this.View + this.offsets.CameraDistance);

    internal double CameraElevation => *(double*)(this.View + this.offsets.CameraElevation);

    /// <summary>Whether nothing was written behind any of the structures: their sizes are those of the library.</summary>
    internal bool IsIntact
    {
        get
        {
            nint[] starts = [this.Scene, this.Option, this.View, this.Perturb, this.Context];
            return starts.Zip(this.Sizes(), (start, size) => start + size)
                .All(end => new ReadOnlySpan<byte>((void*)end, Guard).IndexOfAnyExcept(Mark) < 0);
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
                this.Integer(this.offsets.CameraType, @fixed);
                this.Integer(this.offsets.CameraFixedId, chosen.index);
                break;
            case Camera.Tracking chosen:
                var com = subtreeCom + 3 * chosen.body;
                this.Integer(this.offsets.CameraType, free);
                this.Orbit(com[0], com[1], com[2], chosen.distance, chosen.azimuth, chosen.elevation);
                break;
            case Camera.Free chosen:
                this.Integer(this.offsets.CameraType, free);
                this.Orbit(chosen.x, chosen.y, chosen.z, chosen.distance, chosen.azimuth, chosen.elevation);
                break;
        }
    }

    public void Dispose()
    {
        NativeMemory.AlignedFree((void*)this.memory);
        this.memory = 0;
    }

    private static int Padded(int size) => (size + Guard + 63) / 64 * 64;

    private static nint Take(ref nint at, int size)
    {
        var taken = at;
        at += Padded(size);
        return taken;
    }

    private int[] Sizes() =>
        [this.offsets.SceneSize, this.offsets.OptionSize, this.offsets.CameraSize, this.offsets.PerturbSize, this.offsets.ContextSize];

    private void Orbit(double x, double y, double z, double distance, double azimuth, double elevation)
    {
        this.Number(this.offsets.CameraLookAt, x);
        this.Number(this.offsets.CameraLookAt + sizeof(double), y);
        this.Number(this.offsets.CameraLookAt + 2 * sizeof(double), z);
        this.Number(this.offsets.CameraDistance, distance);
        this.Number(this.offsets.CameraAzimuth, azimuth);
        this.Number(this.offsets.CameraElevation, elevation);
    }

    private void Integer(int offset, int value) => *(int*)(this.View + offset) = value;

    private void Number(int offset, double value) => *(double*)(this.View + offset) = value;
}
