using NE.Actors.MuJoCo;
using NE.Model.Tasks;

namespace NE.Actors.Rendering;

/// <summary>Draws one simulator with MuJoCo's own OpenGL renderer, as dm_control does: default visual options, shadows, reflections, all
/// geom categories, up to 1000 geoms, the model's multisampling. Belongs to the thread that creates it: draw and dispose there, while
/// the simulator is alive and stands still.</summary>
/// <example>
/// using var renderer = new Renderer(environment.Simulator, 84, 84, Camera.NewFixed(0));
/// renderer.Render(rgb);
/// </example>
public sealed unsafe class Renderer : IDisposable
{
    /// <summary>Largest width and height in pixels.</summary>
    public const int LargestSide = 4096;

    private const int MostGeoms = 1000;
    private const int FontScale = 150;
    private const int OffscreenBuffer = 1;

    /// <summary>Guards the offscreen size in models while a context is made, and MuJoCo's process-wide table of OpenGL functions, which
    /// mjr_makeContext fills.</summary>
    private static readonly Lock making = new();

    private readonly Simulator simulator;
    private readonly Camera camera;
    private readonly OpenGlContext gl;
    private readonly RenderMemory memory;
    private readonly MuJoCoRectangle viewport;
    private readonly byte[] row;
    private bool disposed;

    /// <param name="simulator">What is drawn; must outlive the renderer.</param>
    /// <param name="width">Pixels, 1 to LargestSide.</param>
    /// <param name="height">Pixels, 1 to LargestSide.</param>
    /// <param name="camera">From where it is looked at. Throws ArgumentException when the model has no such camera or body.</param>
    /// <param name="order">Kinds of OpenGL to try; by default `OpenGlKind.Order`.</param>
    /// <exception cref="RendererUnavailableException">No OpenGL without a screen works here.</exception>
    public Renderer(Simulator simulator, int width, int height, Camera camera, IReadOnlyList<OpenGlKind>? order = null)
    {
        RequireSide(width, nameof(width));
        RequireSide(height, nameof(height));
        RequireCamera(camera, simulator.Model);
        this.simulator = simulator;
        this.camera = camera;
        this.Width = width;
        this.Height = height;
        this.viewport = new MuJoCoRectangle(0, 0, width, height);
        this.row = new byte[3 * width];
        this.gl = OpenGlContext.Open(order);
        this.memory = new RenderMemory(simulator.Model.Layout);
        MuJoCoRenderNative.mjv_makeScene((nint)simulator.Model.Address, this.memory.Scene, MostGeoms);
        this.MakeContext(simulator.Model);
        MuJoCoRenderNative.mjr_setBuffer(OffscreenBuffer, this.memory.Context);
        if (this.memory.CurrentBuffer != OffscreenBuffer || this.memory.BufferWidth != width || this.memory.BufferHeight != height)
        {
            var found = $"{this.memory.BufferWidth} x {this.memory.BufferHeight}";
            this.Dispose();
            throw new InvalidOperationException($"MuJoCo made an offscreen buffer of {found} pixels instead of {width} x {height} ({this.OpenGl}).");
        }
    }

    public int Width { get; }

    public int Height { get; }

    /// <summary>Bytes of a frame: height x width x 3.</summary>
    public int FrameBytes => 3 * this.Width * this.Height;

    /// <summary>What draws, for people.</summary>
    public string OpenGl => this.gl.Description;

    /// <summary>Draws the simulator as it stands now.</summary>
    /// <param name="rgb">Gets height x width x 3 bytes, the top row first.</param>
    public void Render(Span<byte> rgb)
    {
        ObjectDisposedException.ThrowIf(this.disposed, this);
        ObjectDisposedException.ThrowIf(this.simulator.IsDisposed, this.simulator);
        if (rgb.Length != this.FrameBytes)
        {
            throw new ArgumentException($"A frame has {this.FrameBytes} bytes ({this.Height} x {this.Width} x 3); the given memory has {rgb.Length}.", nameof(rgb));
        }

        this.gl.Use();
        this.memory.Aim(this.camera, this.simulator.SubtreeCom);
        MuJoCoRenderNative.mjv_updateScene(
            (nint)this.simulator.Model.Address,
            this.simulator.DataAddress,
            this.memory.Option,
            this.memory.Perturb,
            this.memory.View,
            RenderMemory.AllCategories,
            this.memory.Scene);
        MuJoCoRenderNative.mjr_render(this.viewport, this.memory.Scene, this.memory.Context);
        fixed (byte* pixels = rgb)
        {
            MuJoCoRenderNative.mjr_readPixels(pixels, null, this.viewport, this.memory.Context);
        }

        GC.KeepAlive(this.simulator);
        this.Flip(rgb);
    }

    /// <summary>Frees the OpenGL objects. Throws InvalidOperationException on another thread than the creating one.</summary>
    public void Dispose()
    {
        if (this.disposed)
        {
            return;
        }

        this.gl.Use();
        this.disposed = true;
        MuJoCoRenderNative.mjr_freeContext(this.memory.Context);
        MuJoCoRenderNative.mjv_freeScene(this.memory.Scene);
        this.memory.Dispose();
        this.gl.Dispose();
    }

    /// <summary>The offscreen buffer has the size that the model says. It is set to the frame's for as long as the context is made: a
    /// buffer of just this size gives the same pixels as a larger one and is 5 to 15 % faster. Nothing else reads it, so that a model that
    /// other threads simulate and draw meanwhile may be changed here.</summary>
    private void MakeContext(MuJoCoModel model)
    {
        var width = (int*)(model.Address + model.Layout.Model.OffWidth);
        var height = (int*)(model.Address + model.Layout.Model.OffHeight);
        making.Enter();
        var (widthBefore, heightBefore) = (*width, *height);
        (*width, *height) = (this.Width, this.Height);
        MuJoCoHandlers.Holding(
            () => MuJoCoRenderNative.mjr_makeContext((nint)model.Address, this.memory.Context, FontScale),
            () =>
            {
                (*width, *height) = (widthBefore, heightBefore);
                making.Exit();
            });
        GC.KeepAlive(model);
    }

    /// <summary>OpenGL's first row is the bottom one.</summary>
    private void Flip(Span<byte> rgb)
    {
        var stride = this.row.Length;
        for (int top = 0, bottom = this.Height - 1; top < bottom; top++, bottom--)
        {
            var upper = rgb.Slice(top * stride, stride);
            var lower = rgb.Slice(bottom * stride, stride);
            upper.CopyTo(this.row);
            lower.CopyTo(upper);
            this.row.CopyTo(lower);
        }
    }

    private static void RequireSide(int pixels, string name)
    {
        if (pixels is < 1 or > LargestSide)
        {
            throw new ArgumentOutOfRangeException(name, pixels, $"Expected 1 to {LargestSide} pixels, found {pixels}.");
        }
    }

    private static void RequireCamera(Camera camera, MuJoCoModel model)
    {
        switch (camera)
        {
            case Camera.Fixed chosen when (uint)chosen.index >= (uint)model.NCamera:
                throw new ArgumentException($"The model '{model.Name}' has {model.NCamera} cameras (numbers from 0); there is no camera {chosen.index}.", nameof(camera));
            case Camera.Tracking chosen when (uint)chosen.body >= (uint)model.NBody:
                throw new ArgumentException($"The model '{model.Name}' has {model.NBody} bodies (numbers from 0); there is no body {chosen.body}.", nameof(camera));
            case Camera.Tracking chosen:
                RequireOrbit(chosen.distance, chosen.azimuth, chosen.elevation);
                break;
            case Camera.Free chosen:
                RequireOrbit(chosen.distance, chosen.azimuth, chosen.elevation);
                break;
        }
    }

    private static void RequireOrbit(double distance, double azimuth, double elevation)
    {
        if (!(distance > 0 && double.IsFinite(distance) && double.IsFinite(azimuth) && double.IsFinite(elevation)))
        {
            throw new ArgumentException($"Expected a camera at a distance above 0 and at finite angles, found {distance} m, {azimuth} and {elevation} degrees.", "camera");
        }
    }
}
