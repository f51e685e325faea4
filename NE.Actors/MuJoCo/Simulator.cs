using NE.Model.Tasks;

namespace NE.Actors.MuJoCo;

/// <summary>One simulated robot: an mjData on a shared model. Used by one thread at a time. The spans show MuJoCo's own memory.</summary>
public sealed unsafe class Simulator : IStartState, IDisposable
{
    private const double Limit = 1e10;

    // mjWARN_CONTACTFULL and mjWARN_CNSTRFULL, which stand before everything that moved between versions.
    private const int FirstFullWarning = 1;
    private const int LastFullWarning = 2;

    private readonly DataHandle data;
    private readonly nint modelAddress;
    private readonly nint dataAddress;
    private readonly int* warnings;

    // Those that mean the state left the numbers: BADQPOS, BADQVEL, BADQACC.
    private readonly int firstBadWarning;
    private readonly int lastBadWarning;
    private readonly double* time;
    private readonly double* qpos;
    private readonly double* qvel;
    private readonly double* ctrl;
    private readonly double* act;
    private readonly double* mocapPos;
    private readonly double* xpos;
    private readonly double* xmat;
    private readonly double* xipos;
    private readonly double* geomXPos;
    private readonly double* siteXPos;
    private readonly double* cinert;
    private readonly double* cvel;
    private readonly double* cfrcExt;
    private readonly double* qfrcActuator;
    private readonly double* qfrcConstraint;
    private readonly double* sensorData;
    private readonly double* qpos0;
    private readonly double* bodyMass;
    private readonly double* jointRange;
    private readonly byte* jointLimited;
    private readonly int* contactCount;
    private readonly SimulatorState state;

    public Simulator(MuJoCoModel model)
    {
        this.Model = model;
        this.data = new DataHandle(model.Handle);
        if (this.data.IsInvalid)
        {
            throw new InsufficientMemoryException($"MuJoCo could not allocate a simulation of '{model.Name}' (about 14 MB).");
        }

        this.modelAddress = (nint)model.Address;
        this.dataAddress = this.data.DangerousGetHandle();
        var offsets = model.Layout.Data;
        this.warnings = (int*)(this.dataAddress + offsets.Warning);
        (this.firstBadWarning, this.lastBadWarning) = (model.Layout.Constants.BadQPos, model.Layout.Constants.BadQAcc);
        this.time = (double*)(this.dataAddress + offsets.Time);
        this.qpos = this.Pointer(offsets.QPos);
        this.qvel = this.Pointer(offsets.QVel);
        this.ctrl = this.Pointer(offsets.Ctrl);
        this.act = this.Pointer(offsets.Act);
        this.mocapPos = this.Pointer(offsets.MocapPos);
        this.xpos = this.Pointer(offsets.XPos);
        this.xmat = this.Pointer(offsets.XMat);
        this.xipos = this.Pointer(offsets.XIPos);
        this.geomXPos = this.Pointer(offsets.GeomXPos);
        this.siteXPos = this.Pointer(offsets.SiteXPos);
        this.cinert = this.Pointer(offsets.CInert);
        this.cvel = this.Pointer(offsets.CVel);
        this.cfrcExt = this.Pointer(offsets.CFrcExt);
        this.qfrcActuator = this.Pointer(offsets.QFrcActuator);
        this.qfrcConstraint = this.Pointer(offsets.QFrcConstraint);
        this.sensorData = this.Pointer(offsets.SensorData);
        this.qpos0 = model.Array(model.Layout.Model.QPos0);
        this.bodyMass = model.Array(model.Layout.Model.BodyMass);
        this.jointRange = model.Array(model.Layout.Model.JointRange);
        this.jointLimited = (byte*)model.Array(model.Layout.Model.JointLimited);
        this.contactCount = (int*)(this.dataAddress + offsets.ContactCount);
        this.state = new SimulatorState(model, (byte*)this.dataAddress);
    }

    public MuJoCoModel Model { get; }

    /// <summary>Whether the Control Suite's way of stepping computes contact forces (`CFrcExt`) too, as Gymnasium's always does.</summary>
    public bool TakesContactForces { get; init; }

    /// <summary>Whether a step counts as diverged whose contacts or constraints did not all fit into MuJoCo's memory for them: it leaves the others out.</summary>
    public bool NeedsEveryContact { get; init; }

    public double Timestep => this.Model.Timestep;

    public double Time
    {
        get
        {
            this.ThrowIfDisposed();
            return *this.time;
        }
    }

    public int NQ => this.Model.NQ;

    public int NV => this.Model.NV;

    public int NU => this.Model.NU;

    public int NBody => this.Model.NBody;

    public int NGeom => this.Model.NGeom;

    public int NSite => this.Model.NSite;

    public ReadOnlySpan<double> QPos => this.View(this.qpos, this.NQ);

    public ReadOnlySpan<double> QVel => this.View(this.qvel, this.NV);

    public ReadOnlySpan<double> Ctrl => this.View(this.ctrl, this.NU);

    public ReadOnlySpan<double> Act => this.View(this.act, this.Model.NA);

    public ReadOnlySpan<double> QPos0 => this.View(this.qpos0, this.NQ);

    public ReadOnlySpan<double> XPos => this.View(this.xpos, 3 * this.NBody);

    public ReadOnlySpan<double> XMat => this.View(this.xmat, 9 * this.NBody);

    public ReadOnlySpan<double> XIPos => this.View(this.xipos, 3 * this.NBody);

    public ReadOnlySpan<double> GeomXPos => this.View(this.geomXPos, 3 * this.NGeom);

    public ReadOnlySpan<double> SiteXPos => this.View(this.siteXPos, 3 * this.NSite);

    public ReadOnlySpan<double> CInert => this.View(this.cinert, 10 * this.NBody);

    public ReadOnlySpan<double> CVel => this.View(this.cvel, 6 * this.NBody);

    public ReadOnlySpan<double> CFrcExt => this.View(this.cfrcExt, 6 * this.NBody);

    public ReadOnlySpan<double> QFrcActuator => this.View(this.qfrcActuator, this.NV);

    public ReadOnlySpan<double> QFrcConstraint => this.View(this.qfrcConstraint, this.NV);

    public ReadOnlySpan<double> SensorData => this.View(this.sensorData, this.Model.NSensorData);

    public ReadOnlySpan<double> BodyMass => this.View(this.bodyMass, this.NBody);

    public ReadOnlySpan<double> JointRange => this.View(this.jointRange, 2 * this.Model.NJoint);

    public ReadOnlySpan<byte> JointLimited
    {
        get
        {
            this.ThrowIfDisposed();
            return new ReadOnlySpan<byte>(this.jointLimited, this.Model.NJoint);
        }
    }

    /// <summary>The positions, to be overwritten; call `Forward` afterwards.</summary>
    public Span<double> Positions
    {
        get
        {
            this.ThrowIfDisposed();
            return new Span<double>(this.qpos, this.NQ);
        }
    }

    /// <summary>The velocities, to be overwritten; call `Forward` afterwards.</summary>
    public Span<double> Velocities
    {
        get
        {
            this.ThrowIfDisposed();
            return new Span<double>(this.qvel, this.NV);
        }
    }

    public int ContactCount
    {
        get
        {
            this.ThrowIfDisposed();
            return *this.contactCount;
        }
    }

    /// <summary>Centres of mass of the bodies with all that hangs on them [nbody x 3]; valid while this object is alive.</summary>
    internal double* SubtreeCom => this.Pointer(this.Model.Layout.Data.SubtreeCom);

    /// <summary>Whether the arrays can be what they are taken for: parts of one allocation.</summary>
    internal bool IsOneBlock => this.state.IsOneBlock;

    internal bool IsDisposed => this.data.IsClosed;

    /// <summary>The mjData, for rendering on the thread that steps it; valid while this object is alive.</summary>
    internal nint DataAddress => this.dataAddress;

    /// <summary>Back to the model's initial pose, everything else 0. Derived arrays are stale until `Forward`.</summary>
    public void ResetData()
    {
        this.ThrowIfDisposed();
        MuJoCoNative.mj_resetData(this.modelAddress, this.dataAddress);
        GC.KeepAlive(this);
    }

    public void ToKeyframe(int keyframe)
    {
        this.ThrowIfDisposed();
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)keyframe, (uint)this.Model.NKeyframe, nameof(keyframe));
        MuJoCoNative.mj_resetDataKeyframe(this.modelAddress, this.dataAddress, keyframe);
        // An episode's time begins at 0, whenever the keyframe was taken.
        *this.time = 0;
        GC.KeepAlive(this);
    }

    /// <summary>Overwrites positions [nq] and velocities [nv]; call `Forward` afterwards.</summary>
    public void SetState(ReadOnlySpan<double> positions, ReadOnlySpan<double> velocities)
    {
        this.ThrowIfDisposed();
        Require(this.NQ, positions.Length, nameof(positions));
        Require(this.NV, velocities.Length, nameof(velocities));
        positions.CopyTo(new Span<double>(this.qpos, this.NQ));
        velocities.CopyTo(new Span<double>(this.qvel, this.NV));
    }

    /// <summary>Brings the derived arrays and the solver's warm start up to date. Belongs to a reset only: never after a step or a
    /// restore, where the tasks must see the lagged arrays.</summary>
    public void Forward()
    {
        this.ThrowIfDisposed();
        MuJoCoNative.mj_forward(this.modelAddress, this.dataAddress);
        GC.KeepAlive(this);
    }

    /// <summary>As `Forward`, with the actuators switched off: a start state as the Control Suite shows it. Differs from `Forward` where actuators
    /// push without a control, as servos do.</summary>
    public void ForwardPassively()
    {
        this.ThrowIfDisposed();
        // The parts of mj_forward without mj_fwdActuation. Its flag that would do the same is in the model, which is shared.
        MuJoCoNative.mj_step1(this.modelAddress, this.dataAddress);
        new Span<double>(this.qfrcActuator, this.NV).Clear();
        MuJoCoNative.mj_fwdAcceleration(this.modelAddress, this.dataAddress);
        MuJoCoNative.mj_fwdConstraint(this.modelAddress, this.dataAddress);
        MuJoCoNative.mj_sensorAcc(this.modelAddress, this.dataAddress);
        GC.KeepAlive(this);
    }

    /// <summary>Sets the controls [nu], not clamped, and makes the physics steps of one control step in Gymnasium's way or the Control
    /// Suite's. Throws PhysicsDivergedException when the state left the numbers; MuJoCo may then have reset the data by itself. Also when a contact
    /// was left out, with <see cref="NeedsEveryContact"/>.</summary>
    public void Step(ReadOnlySpan<double> controls, int physicsSteps, Stepping stepping)
    {
        this.ThrowIfDisposed();
        Require(this.NU, controls.Length, nameof(controls));
        controls.CopyTo(new Span<double>(this.ctrl, this.NU));
        var (bad, full) = (this.BadStateWarnings(), this.Warnings(FirstFullWarning, LastFullWarning));
        if (stepping.IsGymnasium)
        {
            this.WholeSteps(physicsSteps);
            MuJoCoNative.mj_rnePostConstraint(this.modelAddress, this.dataAddress);
        }
        else
        {
            this.LegacyStep(physicsSteps, this.TakesContactForces);
        }

        GC.KeepAlive(this);
        if (this.BadStateWarnings() != bad || !InBounds(this.QPos) || !InBounds(this.QVel))
        {
            throw new PhysicsDivergedException(
                $"The simulation of '{this.Model.Name}' diverged: a position, velocity or acceleration is not a number or beyond {Limit:0e+0}. "
                + "The episode is lost; reset the environment.");
        }

        if (this.NeedsEveryContact && this.Warnings(FirstFullWarning, LastFullWarning) != full)
        {
            throw new PhysicsDivergedException(
                $"The simulation of '{this.Model.Name}' left out contacts or constraints that did not fit into the memory that the model gives them. "
                + "The episode is lost; reset the environment.");
        }
    }

    public void Settle(int steps)
    {
        this.ThrowIfDisposed();
        new Span<double>(this.ctrl, this.NU).Clear();
        this.LegacyStep(steps, withContactForces: false);
        *this.time = 0;
        GC.KeepAlive(this);
    }

    public void MoveGeom(int geom, double x, double y)
    {
        var position = this.OwnGeom(geom, this.Model.Layout.Model.GeomPos);
        (position[0], position[1]) = (x, y);
    }

    public void MoveMocap(int mocap, double x, double y, double z)
    {
        this.ThrowIfDisposed();
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)mocap, (uint)this.Model.NMocap, nameof(mocap));
        var position = this.mocapPos + 3 * mocap;
        (position[0], position[1], position[2]) = (x, y, z);
    }

    public void ResizeGeom(int geom, double size) => this.OwnGeom(geom, this.Model.Layout.Model.GeomSize)[0] = size;

    /// <summary>Everything that the next step, the tasks and the renderer read, as bytes.</summary>
    public byte[] SaveState()
    {
        this.ThrowIfDisposed();
        var bytes = new byte[this.state.Length];
        this.state.Save(bytes);
        return bytes;
    }

    /// <summary>Continues exactly where `SaveState` was called, in this or another process. Throws InvalidDataException for bytes that
    /// are damaged or of another robot; then nothing was changed.</summary>
    /// <param name="stepping">How this simulator is stepped: the Control Suite's way ends with the first half of the next step, whose
    /// results are made anew here.</param>
    public void RestoreState(ReadOnlySpan<byte> bytes, Stepping stepping)
    {
        this.ThrowIfDisposed();
        this.state.Restore(bytes);
        if (stepping.IsControlSuite)
        {
            if (this.Model.Layout.KinematicsNormalises)
            {
                this.FirstHalfOfStoredPlaces();
            }
            else
            {
                MuJoCoNative.mj_step1(this.modelAddress, this.dataAddress);
            }

            this.state.Restore(bytes);
        }

        GC.KeepAlive(this);
    }

    public void Dispose() => this.data.Dispose();

    private void WholeSteps(int count)
    {
        for (var i = 0; i < count; i++)
        {
            MuJoCoNative.mj_step(this.modelAddress, this.dataAddress);
        }
    }

    /// <summary>mj_step1 without mj_kinematics and the sensors, whose results are stored: kinematics would normalise the quaternions among the
    /// positions once more, which changes their last bit.</summary>
    private void FirstHalfOfStoredPlaces()
    {
        MuJoCoNative.mj_comPos(this.modelAddress, this.dataAddress);
        MuJoCoNative.mj_camlight(this.modelAddress, this.dataAddress);
        MuJoCoNative.mj_tendon(this.modelAddress, this.dataAddress);
        MuJoCoNative.mj_crb(this.modelAddress, this.dataAddress);
        MuJoCoNative.mj_factorM(this.modelAddress, this.dataAddress);
        MuJoCoNative.mj_collision(this.modelAddress, this.dataAddress);
        MuJoCoNative.mj_makeConstraint(this.modelAddress, this.dataAddress);
        MuJoCoNative.mj_transmission(this.modelAddress, this.dataAddress);
        MuJoCoNative.mj_projectConstraint(this.modelAddress, this.dataAddress);
        MuJoCoNative.mj_fwdVelocity(this.modelAddress, this.dataAddress);
    }

    /// <summary>dm_control's legacy step, see `Stepping.ControlSuite`.</summary>
    /// <param name="count">Whole steps' worth.</param>
    /// <param name="withContactForces">Those of the last whole step, with its contacts: the half step that follows finds new ones.</param>
    private void LegacyStep(int count, bool withContactForces)
    {
        if (!this.Model.IsRungeKutta)
        {
            MuJoCoNative.mj_step2(this.modelAddress, this.dataAddress);
            count--;
        }

        this.WholeSteps(count);
        if (withContactForces)
        {
            MuJoCoNative.mj_rnePostConstraint(this.modelAddress, this.dataAddress);
        }

        MuJoCoNative.mj_step1(this.modelAddress, this.dataAddress);
    }

    /// <summary>Three numbers of a geom in a model that is this simulator's own.</summary>
    private double* OwnGeom(int geom, int offset)
    {
        this.ThrowIfDisposed();
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)geom, (uint)this.NGeom, nameof(geom));
        return this.Model.IsCopy
            ? this.Model.Array(offset) + 3 * geom
            : throw new InvalidOperationException($"The model '{this.Model.Name}' is shared with other simulators and must not be changed.");
    }

    private static void Require(int expected, int found, string what)
    {
        if (expected != found)
        {
            throw new ArgumentException($"Expected {expected} {what}, found {found}.", what);
        }
    }

    private static bool InBounds(ReadOnlySpan<double> values)
    {
        foreach (var value in values)
        {
            // Written so that NaN fails.
            if (!(Math.Abs(value) <= Limit))
            {
                return false;
            }
        }

        return true;
    }

    private int BadStateWarnings() => this.Warnings(this.firstBadWarning, this.lastBadWarning);

    /// <summary>How often MuJoCo gave warnings of these kinds since the last reset.</summary>
    private int Warnings(int first, int last)
    {
        var count = 0;
        for (var i = first; i <= last; i++)
        {
            // Each entry is (last info, number).
            count += this.warnings[2 * i + 1];
        }

        return count;
    }

    private ReadOnlySpan<double> View(double* values, int count)
    {
        this.ThrowIfDisposed();
        return new ReadOnlySpan<double>(values, count);
    }

    private double* Pointer(int offset) => *(double**)(this.dataAddress + offset);

    private void ThrowIfDisposed() => ObjectDisposedException.ThrowIf(this.data.IsClosed, this);
}
