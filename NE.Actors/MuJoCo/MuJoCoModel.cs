using System.Collections.Concurrent;
using System.Text;
using NE.Model.Tasks;

namespace NE.Actors.MuJoCo;

/// <summary>A compiled model. Read-only while it is simulated, so all simulators of one robot share it; a task whose start states change
/// the model works on a copy.</summary>
public sealed unsafe class MuJoCoModel : IDisposable
{
    /// <summary>mjINT_RK4.</summary>
    private const int RungeKutta = 1;

    private static readonly ConcurrentDictionary<string, Lazy<MuJoCoModel>> robots = new();
    private static readonly Lock compiler = new();

    private readonly MuJoCoLibrary library;

    private MuJoCoModel(MuJoCoLibrary library, string name, ModelHandle handle, bool isCopy = false)
    {
        this.library = library;
        this.Name = name;
        this.Handle = handle;
        this.IsCopy = isCopy;
        var offsets = library.Layout.Model;
        this.NQ = this.Size(offsets.NQ);
        this.NV = this.Size(offsets.NV);
        this.NU = this.Size(offsets.NU);
        this.NA = this.Size(offsets.NA);
        this.NBody = this.Size(offsets.NBody);
        this.NJoint = this.Size(offsets.NJoint);
        this.NGeom = this.Size(offsets.NGeom);
        this.NSite = this.Size(offsets.NSite);
        this.NCamera = this.Size(offsets.NCamera);
        this.NLight = this.Size(offsets.NLight);
        this.NKeyframe = this.Size(offsets.NKeyframe);
        this.NSensor = this.Size(offsets.NSensor);
        this.NMocap = this.Size(offsets.NMocap);
        this.NUserData = this.Size(offsets.NUserData);
        this.NSensorData = this.Size(offsets.NSensorData);
        this.Timestep = *(double*)(this.Address + offsets.Timestep);
        this.IsRungeKutta = this.Integer(offsets.Integrator) == RungeKutta;
    }

    public string Name { get; }

    public int NQ { get; }

    public int NV { get; }

    public int NU { get; }

    public int NA { get; }

    public int NBody { get; }

    public int NJoint { get; }

    public int NGeom { get; }

    public int NSite { get; }

    public int NCamera { get; }

    public int NLight { get; }

    public int NKeyframe { get; }

    public int NSensor { get; }

    public int NMocap { get; }

    public int NUserData { get; }

    public int NSensorData { get; }

    /// <summary>The physics step in seconds.</summary>
    public double Timestep { get; }

    /// <summary>Whether the integrator is Runge-Kutta of order 4, which makes whole steps only.</summary>
    public bool IsRungeKutta { get; }

    /// <summary>Whether this is a `Copy`, which its owner may change; what may be changed is part of the simulator's state.</summary>
    public bool IsCopy { get; }

    internal ModelHandle Handle { get; }

    internal MuJoCoLayout Layout => this.library.Layout;

    /// <summary>The mjModel; valid while this object is alive.</summary>
    internal byte* Address => (byte*)this.Handle.DangerousGetHandle();

    /// <summary>The model of a robot that `Robots.names` lists: compiled once per process, shared, never freed.</summary>
    public static MuJoCoModel OfRobot(string name) =>
        robots.GetOrAdd(name, static robot => new Lazy<MuJoCoModel>(() => FromXml(robot, Robots.read(robot)), LazyThreadSafetyMode.PublicationOnly)).Value;

    /// <summary>Compiles MJCF text. The caller owns the model.</summary>
    public static MuJoCoModel FromXml(string name, string xml) => FromXml(MuJoCoLibrary.Current, name, xml);

    internal static MuJoCoModel FromXml(MuJoCoLibrary library, string name, string xml)
    {
        // A real file: MuJoCo's in-memory file system is another structure in every version, of 2 MB in 2.2.2.
        var file = Path.Combine(Path.GetTempPath(), $"ne-{Guid.NewGuid():N}.xml");
        try
        {
            File.WriteAllText(file, xml);
            return new MuJoCoModel(library, name, Compile(library, name, file));
        }
        finally
        {
            File.Delete(file);
        }
    }

    /// <summary>Compiles a user's own MJCF file where it lies, so that its includes, meshes and textures are found. The caller owns the model.
    /// Throws ModelCompileException with MuJoCo's text.</summary>
    public static MuJoCoModel FromFile(string path) =>
        new(MuJoCoLibrary.Current, Path.GetFileNameWithoutExtension(path), Compile(MuJoCoLibrary.Current, path, path));

    /// <summary>The compiled model in MuJoCo's own binary form: equal bytes, equal model.</summary>
    public byte[] ToBytes()
    {
        var bytes = new byte[MuJoCoNative.mj_sizeModel((nint)this.Address)];
        fixed (byte* target = bytes)
        {
            MuJoCoNative.mj_saveModel((nint)this.Address, 0, target, bytes.Length);
        }

        GC.KeepAlive(this);
        return bytes;
    }

    /// <summary>A model of one's own, to be changed. The caller owns it.</summary>
    public MuJoCoModel Copy()
    {
        var copy = MuJoCoNative.mj_copyModel(0, this.Handle.DangerousGetHandle());
        GC.KeepAlive(this);
        return copy != 0
            ? new MuJoCoModel(this.library, this.Name, new ModelHandle(copy), isCopy: true)
            : throw new InsufficientMemoryException($"MuJoCo could not copy the model '{this.Name}'.");
    }

    /// <summary>The limits of an actuator's control.</summary>
    public (double Low, double High) ControlRange(int actuator)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)actuator, (uint)this.NU, nameof(actuator));
        var range = this.Array(this.Layout.Model.ActuatorControlRange) + 2 * actuator;
        return (range[0], range[1]);
    }

    public void Dispose() => this.Handle.Dispose();

    /// <summary>One of the sizes that mjModel begins with.</summary>
    internal int Size(int offset) => this.Layout.SizeBytes == sizeof(long) ? checked((int)*(long*)(this.Address + offset)) : this.Integer(offset);

    internal int Integer(int offset) => *(int*)(this.Address + offset);

    internal double* Array(int offset) => *(double**)(this.Address + offset);

    private static ModelHandle Compile(MuJoCoLibrary library, string name, string file)
    {
        const int Size = 1000;
        var error = stackalloc byte[Size];
        nint model;
        // The compiler keeps the last parsed document in a global.
        lock (compiler)
        {
            model = MuJoCoNative.mj_loadXML(file, 0, error, Size);
        }

        if (model != 0)
        {
            return new ModelHandle(model);
        }

        // Its lines as one: "unrecognized element", "Element 'x', line 3".
        var text = string.Join(". ", Text(error, Size).Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)).TrimEnd('.');
        throw new ModelCompileException($"MuJoCo {library.Layout.VersionName} cannot compile the model '{name}': {text}.{NewerModel.Advice(text, library.Layout, library.Plugins)}");
    }

    private static string Text(byte* text, int size)
    {
        var bytes = new ReadOnlySpan<byte>(text, size);
        var end = bytes.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? bytes : bytes[..end]);
    }
}
