using System.Runtime.InteropServices;
using NE.Model;

namespace NE.Actors.MuJoCo;

/// <summary>A kind of thing in a model that has a name; the numbers are MuJoCo's mjtObj.</summary>
internal enum ModelObject
{
    Body = 1,
    Joint = 3,
    Geom = 5,
    Site = 6,
    Camera = 7,
    Actuator = 18,
    Sensor = 19,
    Keyframe = 23,
}

/// <summary>The names in a compiled model and what the compiled arrays say about them.</summary>
internal sealed class ModelNames
{
    private readonly MuJoCoModel model;
    private readonly IReadOnlyDictionary<string, double[]> arrays;

    internal ModelNames(MuJoCoModel model)
    {
        this.model = model;
        this.arrays = ModelArrays.Read(model);
    }

    /// <summary>Index of a named thing; -1 when the model has none of this name.</summary>
    internal int Find(ModelObject kind, string name)
    {
        var found = MuJoCoNative.mj_name2id(this.Address, (int)kind, name);
        GC.KeepAlive(this.model);
        return found;
    }

    /// <summary>All names of a kind, in the model's order.</summary>
    internal IReadOnlyList<string> All(ModelObject kind)
    {
        var count = kind == ModelObject.Keyframe ? this.model.NKeyframe : (int)this.arrays[kind switch
        {
            ModelObject.Body => "nbody",
            ModelObject.Joint => "njnt",
            ModelObject.Geom => "ngeom",
            ModelObject.Site => "nsite",
            ModelObject.Camera => "ncam",
            ModelObject.Actuator => "nu",
            _ => "nsensor",
        }][0];
        return [.. Enumerable.Range(0, count).Select(i => this.Name(kind, i)).OfType<string>()];
    }

    /// <summary>The name of a thing; null when it has none.</summary>
    internal string? Name(ModelObject kind, int index)
    {
        var name = Marshal.PtrToStringUTF8(MuJoCoNative.mj_id2name(this.Address, (int)kind, index));
        GC.KeepAlive(this.model);
        return string.IsNullOrEmpty(name) ? null : name;
    }

    /// <summary>Says that the model has no such thing, and what was probably meant.</summary>
    internal string Unknown(ModelObject kind, string name)
    {
        var word = kind.ToString().ToLowerInvariant();
        var known = this.All(kind);
        var near = Nearest.ranked(1, name, known);
        var hint = near.IsEmpty ? "" : $"; did you mean '{near.Head}'?";
        return known.Count == 0
            ? $"the model has no {word} '{name}', and no {word} with a name at all"
            : $"the model has no {word} '{name}'{hint} (its {word} names: {string.Join(", ", known)})";
    }

    /// <summary>Where a joint's coordinates begin and how many there are.</summary>
    internal (int Position, int Positions, int Velocity, int Velocities) Joint(int index)
    {
        // mjtJoint: free, ball, slide, hinge.
        var (positions, velocities) = (int)this.arrays["jnt_type"][index] switch { 0 => (7, 6), 1 => (4, 3), _ => (1, 1) };
        return ((int)this.arrays["jnt_qposadr"][index], positions, (int)this.arrays["jnt_dofadr"][index], velocities);
    }

    /// <summary>Whether a joint is free: its first three coordinates are a position in the world.</summary>
    internal bool IsFree(int joint) => this.arrays["jnt_type"][joint] == 0;

    /// <summary>Where a sensor's readings begin and how many there are.</summary>
    internal (int Address, int Count) Sensor(int index) => ((int)this.arrays["sensor_adr"][index], (int)this.arrays["sensor_dim"][index]);

    /// <summary>Whether an actuator's control has limits.</summary>
    internal bool IsLimited(int actuator) => this.arrays["actuator_ctrllimited"][actuator] != 0;

    private nint Address
    {
        get
        {
            unsafe
            {
                return (nint)this.model.Address;
            }
        }
    }
}
