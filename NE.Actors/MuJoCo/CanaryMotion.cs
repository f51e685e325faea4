using NE.Model.Tasks;

namespace NE.Actors.MuJoCo;

/// <summary>One step of the canary, whose numbers are known, seen through every field of mjData. The derived arrays are those of the pose before it.</summary>
internal static unsafe class CanaryMotion
{
    /// <summary>First positions and velocities of the flyer and of the arm's joint.</summary>
    private const int FlyerQ = 7, FlyerV = 6, SwingV = 12;

    private const double Gravity = 7.5;
    private const double Push = 0.75, Wind = 0.375;

    internal static void Check(CanaryWitness witness, Simulator simulator)
    {
        witness.Expect("the data's arrays in one block of memory", true, simulator.IsOneBlock);
        simulator.ToKeyframe(1);
        var numbers = new Numbers(simulator);
        numbers[numbers.Offsets.QFrcApplied, FlyerV + 2] = Push;
        numbers[numbers.Offsets.XFrcApplied, 6 * CanaryModel.Flyer] = Wind;
        for (var i = 0; i < simulator.Model.NUserData; i++)
        {
            numbers[numbers.Offsets.UserData, i] = 1.5 + i;
        }

        simulator.Step([0.5, 0.25, 0.125, 0, 0.75, -0.5], 1, Stepping.Gymnasium);
        CheckState(witness, simulator, numbers);
        CheckPlaces(witness, numbers);
        CheckForces(witness, numbers);
        CheckRestoring(witness, simulator);
        CheckWarnings(witness, simulator, numbers);
        witness.Near("userdata after a reset", 0, numbers[numbers.Offsets.UserData, 3]);
    }

    private static void CheckState(CanaryWitness witness, Simulator simulator, Numbers numbers)
    {
        var offsets = numbers.Offsets;
        const double acceleration = Push / 0.75 - Gravity;
        const double velocity = 0.125 + CanaryModel.Timestep * acceleration;
        witness.Near("time after a step", CanaryModel.Timestep, simulator.Time);
        witness.Near("qacc", [Wind / 0.75, 0, acceleration], numbers.Of(offsets.QAcc, FlyerV, 3));
        witness.Near("qacc_warmstart", numbers.Of(offsets.QAcc, FlyerV, 3), numbers.Of(offsets.QAccWarmStart, FlyerV, 3));
        witness.Near("qvel", velocity, simulator.QVel[FlyerV + 2]);
        witness.Near("qpos", 2 + CanaryModel.Timestep * velocity, simulator.QPos[FlyerQ + 2]);
        witness.Near("act", [0.3125 + CanaryModel.Timestep * 0.75, -0.1875 - CanaryModel.Timestep * 0.5], numbers.Of(offsets.Act, 0, 2));
        witness.Near("ctrl", [0.5, 0.25, 0.125, 0, 0.75, -0.5], numbers.Of(offsets.Ctrl, 0, 6));
        witness.Near("qfrc_applied", [0, Push, 0], numbers.Of(offsets.QFrcApplied, FlyerV + 1, 3));
        witness.Near("xfrc_applied", [0, Wind, 0], numbers.Of(offsets.XFrcApplied, 6 * CanaryModel.Flyer - 1, 3));
        witness.Near("userdata", [1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5, 9.5, 10.5, 11.5], numbers.Of(offsets.UserData, 0, 11));
        witness.Near("mocap_pos", [1, 2, 3], numbers.Of(offsets.MocapPos, 0, 3));
        witness.Near("mocap_quat", [0, 1, 0, 0], numbers.Of(offsets.MocapQuat, 0, 4));
        // A sphere's moment of inertia is 2/5 m r^2.
        const double inertia = 0.4 * 0.75 * 0.125 * 0.125;
        double[] speed = [0.5, -0.25, 0.125], spin = [0.25 * inertia, 0.5 * inertia, 0.75 * inertia];
        witness.Near("sensordata", [0.375, 3, 0.25, 0.5, .. speed, .. spin], numbers.Of(offsets.SensorData, 0, 10));
        witness.Near("subtree_linvel", speed, numbers.Of(offsets.SubtreeLinVel, 3 * CanaryModel.Flyer, 3));
        witness.Near("subtree_angmom", spin, numbers.Of(offsets.SubtreeAngMom, 3 * CanaryModel.Flyer, 3));
    }

    /// <summary>What stands on the post, which is turned by 90 degrees about z: each has a place and a direction of its own.</summary>
    private static void CheckPlaces(CanaryWitness witness, Numbers numbers)
    {
        var offsets = numbers.Offsets;
        const int post = CanaryModel.Post;
        witness.Near("xpos", [3, 0.25, 0.5], numbers.Of(offsets.XPos, 3 * post, 3));
        witness.Near("xquat", [Math.Sqrt(0.5), 0, 0, Math.Sqrt(0.5)], numbers.Of(offsets.XQuat, 4 * post, 4));
        witness.Near("xmat", [0, -1, 0, 1, 0, 0, 0, 0, 1], numbers.Of(offsets.XMat, 9 * post, 9));
        witness.Near("xipos", [2.98, 0.26, 0.53], numbers.Of(offsets.XIPos, 3 * post, 3));
        witness.Near("ximat", [0, 0, 1, 1, 0, 0, 0, 1, 0], numbers.Of(offsets.XIMat, 9 * post, 9));
        witness.Near("geom_xpos", [2.8, 0.35, 0.8], numbers.Of(offsets.GeomXPos, 3 * CanaryModel.Block, 3));
        witness.Near("geom_xmat", [0, -1, 0, 0, 0, 1, -1, 0, 0], numbers.Of(offsets.GeomXMat, 9 * CanaryModel.Block, 9));
        witness.Near("site_xpos", [2.5, 0.65, 1.1], numbers.Of(offsets.SiteXPos, 3 * CanaryModel.Tip, 3));
        witness.Near("site_xmat", [0, 1, 0, -1, 0, 0, 0, 0, 1], numbers.Of(offsets.SiteXMat, 9 * CanaryModel.Tip, 9));
        witness.Near("cam_xpos", [2.2, 0.95, 1.4], numbers.Of(offsets.CameraXPos, 3 * CanaryModel.Eye, 3));
        witness.Near("cam_xmat", [0, 1, 0, 1, 0, 0, 0, 0, -1], numbers.Of(offsets.CameraXMat, 9 * CanaryModel.Eye, 9));
        witness.Near("light_xpos", [2.75, 0.4, 0.85], numbers.Of(offsets.LightXPos, 0, 3));
        witness.Near("light_xdir", [-1, 0, 0], numbers.Of(offsets.LightXDir, 0, 3));
        witness.Near("xanchor", [-3, 0.6, 1.1], numbers.Of(offsets.XAnchor, 3 * CanaryModel.Swing, 3));
        witness.Near("xaxis", [0, 1, 0], numbers.Of(offsets.XAxis, 3 * CanaryModel.Swing, 3));
        // The upper arm has twice the mass of the hand.
        witness.Near("subtree_com", [-3, 0.6, (2 * 1.0625 + 1.55) / 3], numbers.Of(offsets.SubtreeCom, 3 * CanaryModel.Arm, 3));
        witness.Near("cinert", 0.5, numbers[offsets.CInert, 10 * CanaryModel.Arm + 9]);
        witness.Near("cvel", [0, 0.5, 0], numbers.Of(offsets.CVel, 6 * CanaryModel.Arm, 3));
    }

    private static void CheckForces(CanaryWitness witness, Numbers numbers)
    {
        var offsets = numbers.Offsets;
        witness.Expect("ncon", 2, numbers.Contacts);
        witness.Near("actuator_force", [0.5, 0.25, 0.125, 0, 0.3125, -0.1875], numbers.Of(offsets.ActuatorForce, 0, 6));
        witness.Near("qfrc_actuator", [.. new double[SwingV], 1, 0.5, 0], numbers.Of(offsets.QFrcActuator, 0, SwingV + 3));
        // The floor carries what does not fall of the ball; the solver stops a little before that is exact.
        var carried = 1.75 * (numbers[offsets.QAcc, 2] + Gravity);
        witness.Expect("the floor carries the ball", true, carried > 1);
        witness.Near("qfrc_constraint", carried, numbers[offsets.QFrcConstraint, 2], 1e-3);
        witness.Near("cfrc_ext of the ball", numbers[offsets.QFrcConstraint, 2], numbers[offsets.CFrcExt, 6 * CanaryModel.Ball + 5], 1e-6);
        witness.Near("cfrc_ext of the flyer", [Wind, 0, 0], numbers.Of(offsets.CFrcExt, 6 * CanaryModel.Flyer + 3, 3));
    }

    private static void CheckRestoring(CanaryWitness witness, Simulator simulator)
    {
        var stored = simulator.SaveState();
        simulator.Step([0, 0, 0, 0, 0, 0], 2, Stepping.Gymnasium);
        simulator.RestoreState(stored, Stepping.ControlSuite);
        witness.Expect("a stored state is restored", true, simulator.SaveState().AsSpan().SequenceEqual(stored));
    }

    /// <summary>The first and the last of the warnings by which a step is known to have diverged.</summary>
    private static void CheckWarnings(CanaryWitness witness, Simulator simulator, Numbers numbers)
    {
        var constants = simulator.Model.Layout.Constants;
        simulator.Positions[FlyerQ] = double.NaN;
        witness.Expect("a step from a bad position diverges", (true, true, false), (Diverges(simulator, strength: 0), numbers.IsWarned(constants.BadQPos), numbers.IsWarned(constants.BadQAcc)));
        simulator.ToKeyframe(1);
        witness.Expect("a step after a reset diverges", false, Diverges(simulator, strength: 0));
        witness.Expect("a step of a bad acceleration diverges", (true, false, true), (Diverges(simulator, strength: 1e9), numbers.IsWarned(constants.BadQPos), numbers.IsWarned(constants.BadQAcc)));
        simulator.ResetData();
    }

    private static bool Diverges(Simulator simulator, double strength)
    {
        try
        {
            simulator.Step([0, 0, 0, strength, 0, 0], 1, Stepping.Gymnasium);
            return false;
        }
        catch (PhysicsDivergedException)
        {
            return true;
        }
    }

    /// <summary>The arrays of an mjData, by their offsets.</summary>
    private readonly struct Numbers(Simulator simulator)
    {
        internal DataOffsets Offsets => simulator.Model.Layout.Data;

        internal int Contacts => simulator.ContactCount;

        /// <summary>Each warning is (last info, number).</summary>
        internal bool IsWarned(int warning) => ((int*)(simulator.DataAddress + this.Offsets.Warning))[2 * warning + 1] > 0;

        internal double this[int offset, int index]
        {
            get => (*(double**)(simulator.DataAddress + offset))[index];
            set => (*(double**)(simulator.DataAddress + offset))[index] = value;
        }

        internal ReadOnlySpan<double> Of(int offset, int first, int count) => new(*(double**)(simulator.DataAddress + offset) + first, count);
    }
}
