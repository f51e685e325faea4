using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace NE.Actors.MuJoCo;

/// <summary>The stored form of a simulator: a header (magic, format, MuJoCo version, robot, sizes), the warning counters, then the arrays
/// below, little-endian doubles; last what only newer versions of MuJoCo have (`MuJoCoLayout.MoreState`). Stored in checkpoints: a change of the
/// order or the list needs a new format number.</summary>
/// <remarks>
/// The arrays are what mj_step reads before it writes (state, warm start, inputs) and every derived array that tasks or the renderer
/// read between two steps. The derived ones cannot be recomputed: after a step they belong to the last evaluation inside
/// it, so mj_forward would give other values. Of a model that is the simulator's own, what may be changed is stored too.
/// </remarks>
internal sealed unsafe class SimulatorState
{
    private const uint Magic = 0x5350454E; // "NEPS"
    private const int Format = 1;

    private readonly MuJoCoModel model;
    private readonly byte* data;
    private readonly byte[] header;
    private readonly (nint Address, int Bytes)[] blocks;

    // Where MuJoCo writes and reads what has no place in the table.
    private readonly double[] more;

    internal SimulatorState(MuJoCoModel model, byte* data)
    {
        this.model = model;
        this.data = data;
        this.header = Header(model);
        var offsets = model.Layout.Data;
        this.blocks =
        [
            ((nint)(data + offsets.Warning), 2 * sizeof(int) * model.Layout.Constants.Warnings),
            ((nint)(data + offsets.Time), sizeof(double)),
            this.Doubles(offsets.QPos, model.NQ),
            this.Doubles(offsets.QVel, model.NV),
            this.Doubles(offsets.Act, model.NA),
            this.Doubles(offsets.QAcc, model.NV),
            this.Doubles(offsets.QAccWarmStart, model.NV),
            this.Doubles(offsets.Ctrl, model.NU),
            this.Doubles(offsets.QFrcApplied, model.NV),
            this.Doubles(offsets.XFrcApplied, 6 * model.NBody),
            this.Doubles(offsets.MocapPos, 3 * model.NMocap),
            this.Doubles(offsets.MocapQuat, 4 * model.NMocap),
            this.Doubles(offsets.UserData, model.NUserData),
            this.Doubles(offsets.SensorData, model.NSensorData),
            this.Doubles(offsets.XPos, 3 * model.NBody),
            this.Doubles(offsets.XQuat, 4 * model.NBody),
            this.Doubles(offsets.XMat, 9 * model.NBody),
            this.Doubles(offsets.XIPos, 3 * model.NBody),
            this.Doubles(offsets.XIMat, 9 * model.NBody),
            this.Doubles(offsets.XAnchor, 3 * model.NJoint),
            this.Doubles(offsets.XAxis, 3 * model.NJoint),
            this.Doubles(offsets.GeomXPos, 3 * model.NGeom),
            this.Doubles(offsets.GeomXMat, 9 * model.NGeom),
            this.Doubles(offsets.SiteXPos, 3 * model.NSite),
            this.Doubles(offsets.SiteXMat, 9 * model.NSite),
            this.Doubles(offsets.CameraXPos, 3 * model.NCamera),
            this.Doubles(offsets.CameraXMat, 9 * model.NCamera),
            this.Doubles(offsets.LightXPos, 3 * model.NLight),
            this.Doubles(offsets.LightXDir, 3 * model.NLight),
            this.Doubles(offsets.SubtreeCom, 3 * model.NBody),
            this.Doubles(offsets.SubtreeLinVel, 3 * model.NBody),
            this.Doubles(offsets.SubtreeAngMom, 3 * model.NBody),
            this.Doubles(offsets.CInert, 10 * model.NBody),
            this.Doubles(offsets.CVel, 6 * model.NBody),
            this.Doubles(offsets.CFrcExt, 6 * model.NBody),
            this.Doubles(offsets.ActuatorForce, model.NU),
            this.Doubles(offsets.QFrcActuator, model.NV),
            this.Doubles(offsets.QFrcConstraint, model.NV),
            .. model.IsCopy ? OwnModel(model) : [],
        ];
        this.more = model.Layout.MoreState == 0 ? [] : new double[MuJoCoNative.mj_stateSize((nint)model.Address, model.Layout.MoreState)];
        this.Length = this.header.Length + this.blocks.Sum(block => block.Bytes) + this.more.Length * sizeof(double);
    }

    /// <summary>Bytes of a saved state of this robot.</summary>
    internal int Length { get; }

    /// <summary>Whether the arrays of mjData, which follow the warnings and the time, can be parts of one allocation.</summary>
    internal bool IsOneBlock => OneBlock.Holds([.. this.blocks.Skip(2).Select(block => block.Address)]);

    internal void Save(Span<byte> target)
    {
        this.header.CopyTo(target);
        target = target[this.header.Length..];
        foreach (var (address, bytes) in this.blocks)
        {
            new ReadOnlySpan<byte>((void*)address, bytes).CopyTo(target);
            target = target[bytes..];
        }

        if (this.more.Length > 0)
        {
            fixed (double* state = this.more)
            {
                MuJoCoNative.mj_getState((nint)this.model.Address, (nint)this.data, state, this.model.Layout.MoreState);
            }

            MemoryMarshal.AsBytes(this.more.AsSpan()).CopyTo(target);
        }
    }

    internal void Restore(ReadOnlySpan<byte> source)
    {
        this.Check(source);
        source = source[this.header.Length..];
        foreach (var (address, bytes) in this.blocks)
        {
            source[..bytes].CopyTo(new Span<byte>((void*)address, bytes));
            source = source[bytes..];
        }

        if (this.more.Length > 0)
        {
            source.CopyTo(MemoryMarshal.AsBytes(this.more.AsSpan()));
            fixed (double* state = this.more)
            {
                MuJoCoNative.mj_setState((nint)this.model.Address, (nint)this.data, state, this.model.Layout.MoreState);
            }
        }
    }

    private static byte[] Header(MuJoCoModel model)
    {
        int[] numbers =
        [
            unchecked((int)Magic), Format, model.Layout.Version,
            model.NQ, model.NV, model.NU, model.NA, model.NBody, model.NJoint, model.NGeom, model.NSite, model.NCamera, model.NLight,
            model.NMocap, model.NUserData, model.NSensorData,
        ];
        var name = Encoding.UTF8.GetBytes(model.Name);
        return [.. MemoryMarshal.AsBytes<int>(numbers), .. BitConverter.GetBytes(name.Length), .. name];
    }

    private void Check(ReadOnlySpan<byte> source)
    {
        if (source.Length < 12 || BinaryPrimitives.ReadUInt32LittleEndian(source) != Magic)
        {
            throw new InvalidDataException($"Expected a saved simulator state of {this.Length} bytes, found {source.Length} bytes of something else.");
        }

        var format = BinaryPrimitives.ReadInt32LittleEndian(source[4..]);
        var version = BinaryPrimitives.ReadInt32LittleEndian(source[8..]);
        if (format != Format)
        {
            throw new InvalidDataException($"The simulator state has format {format}; this program reads format {Format}.");
        }

        if (version != this.model.Layout.Version)
        {
            throw new OtherMuJoCoException(
                $"The simulator state is of MuJoCo {MuJoCoLayouts.NameOf(version)}, and the library here is {this.model.Layout.VersionName}: an episode cannot be continued by another one.");
        }

        if (!source.StartsWith(this.header))
        {
            throw new InvalidDataException($"The simulator state belongs to another robot than '{this.model.Name}', or to another revision of it.");
        }

        if (source.Length != this.Length)
        {
            throw new InvalidDataException($"The state of '{this.model.Name}' must have {this.Length} bytes and has {source.Length}: it is damaged.");
        }
    }

    private static (nint Address, int Bytes)[] OwnModel(MuJoCoModel model) =>
    [
        ((nint)model.Array(model.Layout.Model.GeomPos), 3 * model.NGeom * sizeof(double)),
        ((nint)model.Array(model.Layout.Model.GeomSize), 3 * model.NGeom * sizeof(double)),
    ];

    private (nint Address, int Bytes) Doubles(int offset, int count) => (*(nint*)(this.data + offset), count * sizeof(double));
}
