namespace NE.Actors.MuJoCo;

/// <summary>The canary's model, and what its compiled form must say. Sizes that lie beside each other in some version are unequal.</summary>
internal static unsafe class CanaryModel
{
    internal const double Timestep = 0.00123;
    internal const int Ball = 1, Flyer = 2, Post = 3, Arm = 4;
    internal const int Block = 4, Tip = 2, Eye = 3, Swing = 2;
    internal const int Geoms = 8, Sites = 3;

    /// <summary>A ball that lies on the floor in two points, one that flies, a post that stands, an arm with three joints, a mocap body.</summary>
    internal const string Xml =
        """
        <mujoco model="canary">
          <compiler angle="radian"/>
          <option timestep="0.00123" gravity="0 0 -7.5" cone="elliptic"/>
          <size nuserdata="11" nuser_body="3"/>
          <visual><global offwidth="331" offheight="221"/></visual>
          <worldbody>
            <geom name="floor" type="plane" size="5 5 0.1"/>
            <body name="ball" pos="0.3 0.2 0.0525">
              <freejoint name="lies"/>
              <geom name="left" type="sphere" size="0.0625" mass="0.875" pos="-0.1 0 0"/>
              <geom name="right" type="sphere" size="0.0625" mass="0.875" pos="0.1 0 0"/>
            </body>
            <body name="flyer" pos="5 0.4 2">
              <freejoint name="flies"/>
              <geom name="flying" type="sphere" size="0.125" mass="0.75" contype="0" conaffinity="0"/>
            </body>
            <body name="post" pos="3 0.25 0.5" quat="1 0 0 1">
              <inertial pos="0.01 0.02 0.03" quat="1 1 0 0" mass="0.4375" diaginertia="0.003 0.002 0.001"/>
              <geom name="block" type="box" size="0.04 0.05 0.06" pos="0.1 0.2 0.3" quat="1 0 1 0" contype="0" conaffinity="0"/>
              <site name="foot"/>
              <site name="knee" pos="0 0 0.05"/>
              <site name="tip" pos="0.4 0.5 0.6" quat="0 0 0 1"/>
              <camera name="first"/>
              <camera name="second"/>
              <camera name="third"/>
              <camera name="eye" pos="0.7 0.8 0.9" quat="0 1 0 0"/>
              <light pos="0.15 0.25 0.35" dir="0 1 0"/>
            </body>
            <body name="arm" pos="-3 0.6 1">
              <joint name="swing" type="hinge" axis="0 1 0" pos="0 0 0.1" ref="0.375" springref="0.125" limited="true" range="-12.5 13.5"/>
              <geom name="upper" type="sphere" size="0.03125" mass="0.5" pos="0 0 0.0625" contype="0" conaffinity="0"/>
              <body name="hand" pos="0 0 0.5">
                <joint name="tilt" type="hinge" axis="1 0 0" ref="-0.625" springref="0.25" limited="false"/>
                <joint name="reach" type="slide" axis="0 0 1" limited="true" range="-2.5 3.5"/>
                <geom name="lower" type="sphere" size="0.015625" mass="0.25" contype="0" conaffinity="0"/>
              </body>
            </body>
            <body name="target" mocap="true" pos="1 2 3" quat="0 1 0 0">
              <geom name="goal" type="sphere" size="0.02" mass="0.0625" contype="0" conaffinity="0"/>
            </body>
          </worldbody>
          <equality><weld body1="arm" body2="post" active="false"/></equality>
          <actuator>
            <motor name="swings" joint="swing" gear="2" ctrllimited="true" ctrlrange="-0.7 0.9"/>
            <motor name="tilts" joint="tilt" ctrllimited="true" ctrlrange="-1.1 1.3"/>
            <motor name="tilts too" joint="tilt" ctrllimited="true" ctrlrange="-1.7 1.9"/>
            <motor name="throws" joint="reach" gear="1e9" ctrllimited="false"/>
            <general name="one" joint="tilt" dyntype="integrator" ctrllimited="true" ctrlrange="-2.1 2.3"/>
            <general name="two" joint="tilt" dyntype="integrator" ctrllimited="false"/>
          </actuator>
          <sensor>
            <jointpos name="angle" joint="swing"/>
            <framepos name="place" objtype="xbody" objname="post"/>
            <subtreelinvel name="speed" body="flyer"/>
            <subtreeangmom name="spin" body="flyer"/>
          </sensor>
          <keyframe>
            <key name="rest"/>
            <key name="start" qpos="0.3 0.2 0.0525 1 0 0 0 5 0.4 2 1 0 0 0 0.375 -0.625 0.05"
                 qvel="0 0 0 0 0 0 0.5 -0.25 0.125 0.25 0.5 0.75 0.5 0 0" act="0.3125 -0.1875"/>
          </keyframe>
        </mujoco>
        """;

    /// <summary>Whose integrator is not the first of its kind.</summary>
    internal const string RungeKuttaXml =
        """
        <mujoco><option integrator="RK4"/><worldbody><body><freejoint/><geom size="0.1"/></body></worldbody></mujoco>
        """;

    private static readonly (ModelObject Kind, string Last)[] lastNames =
    [
        (ModelObject.Body, "target"), (ModelObject.Joint, "reach"), (ModelObject.Geom, "goal"), (ModelObject.Site, "tip"),
        (ModelObject.Camera, "eye"), (ModelObject.Actuator, "two"), (ModelObject.Sensor, "spin"), (ModelObject.Keyframe, "start"),
    ];

    internal static void Check(CanaryWitness witness, MuJoCoModel model)
    {
        var offsets = model.Layout.Model;
        int[] sizes =
        [
            model.NQ, model.NV, model.NU, model.NA, model.NBody, model.NJoint, model.NGeom, model.NSite, model.NCamera, model.NLight,
            model.NSensor, model.NKeyframe, model.NMocap, model.NUserData, model.NSensorData,
        ];
        witness.Expect("the model's sizes", $"17 15 6 2 7 5 {Geoms} {Sites} 4 1 4 2 1 11 10", string.Join(' ', sizes));
        witness.Expect("timestep", Timestep, model.Timestep);
        witness.Expect("offscreen size", (331, 221), (model.Integer(offsets.OffWidth), model.Integer(offsets.OffHeight)));
        nint[] arrays =
        [
            .. new[]
            {
                offsets.QPos0, offsets.BodyMass, offsets.JointType, offsets.JointPosition, offsets.JointVelocity, offsets.JointLimited, offsets.JointRange,
                offsets.GeomSize, offsets.GeomPos, offsets.ActuatorControlLimited, offsets.ActuatorControlRange, offsets.SensorSize, offsets.SensorAddress,
            }.Select(offset => (nint)model.Array(offset)),
        ];
        witness.Expect("the model's arrays in one block of memory", true, OneBlock.Holds(arrays));
        CheckArrays(witness, model);
        CheckNames(witness, model);
    }

    private static void CheckArrays(CanaryWitness witness, MuJoCoModel model)
    {
        var offsets = model.Layout.Model;
        var names = new ModelNames(model);
        double* Array(int offset) => model.Array(offset);
        string Bytes(int offset, int count) => string.Concat(new ReadOnlySpan<byte>(Array(offset), count).ToArray());
        witness.Near("qpos0", [0.3, 0.2, 0.0525, 1, 0, 0, 0, 5, 0.4, 2, 1, 0, 0, 0, 0.375, -0.625, 0], new ReadOnlySpan<double>(Array(offsets.QPos0), model.NQ));
        var masses = new ReadOnlySpan<double>(Array(offsets.BodyMass), model.NBody);
        witness.Near("body_mass", [0, 1.75, 0.75, 0.4375, 0.5, 0.25, 0.0625], masses);
        witness.Near("mj_getTotalmass", masses.ToArray().Sum(), MuJoCoNative.mj_getTotalmass((nint)model.Address));
        witness.Expect("jnt_limited", "00101", Bytes(offsets.JointLimited, model.NJoint));
        witness.Expect("jnt_range", (-12.5, 13.5), (Array(offsets.JointRange)[2 * Swing], Array(offsets.JointRange)[2 * Swing + 1]));
        witness.Expect("jnt_type, jnt_qposadr and jnt_dofadr of a free joint", ((7, 7, 6, 6), true), (names.Joint(1), names.IsFree(1)));
        witness.Expect("jnt_type, jnt_qposadr and jnt_dofadr of a slide", ((16, 1, 14, 1), false), (names.Joint(4), names.IsFree(4)));
        witness.Near("geom_size", [0.04, 0.05, 0.06], new ReadOnlySpan<double>(Array(offsets.GeomSize) + 3 * Block, 3));
        witness.Near("geom_pos", [0.1, 0.2, 0.3], new ReadOnlySpan<double>(Array(offsets.GeomPos) + 3 * Block, 3));
        witness.Expect("actuator_ctrllimited", "111010", Bytes(offsets.ActuatorControlLimited, model.NU));
        witness.Expect("actuator_ctrlrange", (-1.1, 1.3), model.ControlRange(1));
        witness.Expect("sensor_adr and sensor_dim", ((0, 1), (7, 3)), (names.Sensor(0), names.Sensor(3)));
    }

    /// <summary>Counts and kinds of named things, through the functions that know them.</summary>
    private static void CheckNames(CanaryWitness witness, MuJoCoModel model)
    {
        var names = new ModelNames(model);
        foreach (var (kind, last) in lastNames)
        {
            var count = names.Count(kind);
            witness.Expect($"the last {kind}'s name", (last, null, count - 1), (names.Name(kind, count - 1), names.Name(kind, count), names.Find(kind, last)));
        }
    }
}
