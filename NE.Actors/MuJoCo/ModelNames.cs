using System.Runtime.InteropServices;
using NE.Model;

namespace NE.Actors.MuJoCo;

/// <summary>A kind of thing in a model that has a name.</summary>
internal enum ModelObject
{
    Body,
    Joint,
    Geom,
    Site,
    Camera,
    Actuator,
    Sensor,
    Keyframe,
}

/// <summary>The names in a compiled model and what the compiled arrays say about them.</summary>
internal sealed unsafe class ModelNames(MuJoCoModel model)
{
    /// <summary>Index of a named thing; -1 when the model has none of this name.</summary>
    internal int Find(ModelObject kind, string name)
    {
        var found = MuJoCoNative.mj_name2id((nint)model.Address, this.Number(kind), name);
        GC.KeepAlive(model);
        return found;
    }

    /// <summary>How many things of a kind the model has.</summary>
    internal int Count(ModelObject kind) => kind switch
    {
        ModelObject.Body => model.NBody,
        ModelObject.Joint => model.NJoint,
        ModelObject.Geom => model.NGeom,
        ModelObject.Site => model.NSite,
        ModelObject.Camera => model.NCamera,
        ModelObject.Actuator => model.NU,
        ModelObject.Sensor => model.NSensor,
        _ => model.NKeyframe,
    };

    /// <summary>All names of a kind, in the model's order.</summary>
    internal IReadOnlyList<string> All(ModelObject kind) => [.. Enumerable.Range(0, this.Count(kind)).Select(i => this.Name(kind, i)).OfType<string>()];

    /// <summary>The name of a thing; null when it has none.</summary>
    internal string? Name(ModelObject kind, int index)
    {
        var name = Marshal.PtrToStringUTF8(MuJoCoNative.mj_id2name((nint)model.Address, this.Number(kind), index));
        GC.KeepAlive(model);
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
        var offsets = model.Layout.Model;
        // mjtJoint: free, ball, slide, hinge.
        var (positions, velocities) = this.Integer(offsets.JointType, index) switch { 0 => (7, 6), 1 => (4, 3), _ => (1, 1) };
        return (this.Integer(offsets.JointPosition, index), positions, this.Integer(offsets.JointVelocity, index), velocities);
    }

    /// <summary>Whether a joint is free: its first three coordinates are a position in the world.</summary>
    internal bool IsFree(int joint) => this.Integer(model.Layout.Model.JointType, joint) == 0;

    /// <summary>Where a sensor's readings begin and how many there are.</summary>
    internal (int Address, int Count) Sensor(int index) =>
        (this.Integer(model.Layout.Model.SensorAddress, index), this.Integer(model.Layout.Model.SensorSize, index));

    /// <summary>Whether an actuator's control has limits.</summary>
    internal bool IsLimited(int actuator)
    {
        var limited = ((byte*)model.Array(model.Layout.Model.ActuatorControlLimited))[actuator] != 0;
        GC.KeepAlive(model);
        return limited;
    }

    /// <summary>An entry of an array of int.</summary>
    private int Integer(int offset, int index)
    {
        var value = ((int*)model.Array(offset))[index];
        GC.KeepAlive(model);
        return value;
    }

    /// <summary>MuJoCo's mjtObj.</summary>
    private int Number(ModelObject kind)
    {
        var numbers = model.Layout.Constants;
        return kind switch
        {
            ModelObject.Body => numbers.Body,
            ModelObject.Joint => numbers.Joint,
            ModelObject.Geom => numbers.Geom,
            ModelObject.Site => numbers.Site,
            ModelObject.Camera => numbers.Camera,
            ModelObject.Actuator => numbers.Actuator,
            ModelObject.Sensor => numbers.Sensor,
            _ => numbers.Keyframe,
        };
    }
}
