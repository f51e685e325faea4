using NE.Model.Tasks;

namespace NE.Actors.MuJoCo;

/// <summary>A self-test at load: a small model with odd sizes and numbers is compiled, read through the layout and stepped once, so that a
/// library whose memory differs from the table is refused instead of read wrongly. Takes about a millisecond.</summary>
internal static unsafe class MuJoCoCanary
{
    private const double Timestep = 0.00123;

    private const string Xml =
        """
        <mujoco model="canary">
          <compiler angle="radian"/>
          <option timestep="0.00123"/>
          <visual><global offwidth="331" offheight="221"/></visual>
          <worldbody>
            <body pos="0.11 0.22 1.33">
              <freejoint/>
              <geom type="sphere" size="0.0625" mass="1.75"/>
              <body pos="0 0 0.5">
                <joint name="a" type="hinge" axis="0 1 0" ref="0.375" limited="true" range="-12.5 13.5"/>
                <geom type="sphere" size="0.03125" mass="0.5" pos="0 0 0.0625"/>
                <body pos="0 0 0.5">
                  <joint name="b" type="hinge" axis="1 0 0" ref="-0.625"/>
                  <geom type="sphere" size="0.015625" mass="0.25"/>
                  <site pos="0 0 0.1"/>
                </body>
              </body>
            </body>
            <body pos="3 0 0"/>
          </worldbody>
          <actuator>
            <motor joint="a" ctrllimited="true" ctrlrange="-0.7 0.9"/>
            <motor joint="b" ctrllimited="true" ctrlrange="-1.1 1.3"/>
            <motor joint="a" ctrllimited="true" ctrlrange="-1.7 1.9"/>
          </actuator>
        </mujoco>
        """;

    internal static void Check(MuJoCoLibrary library)
    {
        using var model = MuJoCoModel.FromXml(library, "canary", Xml);
        Expect(library, "model sizes", "9 8 3 5 3 1", $"{model.NQ} {model.NV} {model.NU} {model.NBody} {model.NGeom} {model.NSite}");
        Expect(library, "timestep", Timestep, model.Timestep);
        Expect(library, "control range", (-1.1, 1.3), model.ControlRange(1));
        Expect(library, "geom_size", 0.015625, model.Array(library.Layout.Model.GeomSize)[6]);
        Expect(library, "body_mass", 1.75, model.Array(library.Layout.Model.BodyMass)[1]);
        Expect(library, "geom_pos", 0.0625, model.Array(library.Layout.Model.GeomPos)[5]);
        Expect(library, "integrator", false, model.IsRungeKutta);
        Expect(library, "qpos0", -0.625, model.Array(library.Layout.Model.QPos0)[8]);

        using var simulator = new Simulator(model);
        Expect(library, "jnt_range", 13.5, simulator.JointRange[3]);
        Expect(library, "jnt_limited", "010", string.Concat(simulator.JointLimited.ToArray()));
        var before = simulator.QPos[2];
        Expect(library, "qpos after a reset", 1.33, before);
        simulator.Step([0.5, 0.25, 0.125], 1, Stepping.Gymnasium);
        Expect(library, "ctrl", 0.25, simulator.Ctrl[1]);
        Expect(library, "time after a step", Timestep, simulator.Time);
        Expect(library, "contacts", 0, simulator.ContactCount);
        Expect(library, "falling", true, simulator.QPos[2] < before && simulator.QVel[2] < 0);
        Expect(library, "xpos of the last body", 3.0, simulator.XPos[12]);
        CheckRenderer(library, simulator);
    }

    /// <summary>As far as it can be seen without OpenGL: the sizes of the structures, and a scene of the three spheres and the site.</summary>
    private static void CheckRenderer(MuJoCoLibrary library, Simulator simulator)
    {
        const int maxGeoms = 17;
        var model = simulator.Model;
        Expect(library, "offscreen size", (331, 221), (model.Size(library.Layout.Model.OffWidth), model.Size(library.Layout.Model.OffHeight)));
        using var memory = new RenderMemory(library.Layout);
        Expect(library, "default camera", (2.0, -45.0), (memory.CameraDistance, memory.CameraElevation));
        memory.Aim(Camera.NewTracking(1, 5.0, 30.0, -20.0), simulator.SubtreeCom);
        MuJoCoRenderNative.mjv_makeScene((nint)model.Address, memory.Scene, maxGeoms);
        MuJoCoRenderNative.mjv_updateScene(
            (nint)model.Address, simulator.DataAddress, memory.Option, memory.Perturb, memory.View, RenderMemory.AllCategories, memory.Scene);
        Expect(library, "scene", (maxGeoms, 4), (memory.SceneCapacity, memory.SceneGeoms));
        MuJoCoRenderNative.mjv_freeScene(memory.Scene);
        Expect(library, "sizes of the renderer's structures", true, memory.IsIntact);
    }

    private static void Expect<T>(MuJoCoLibrary library, string what, T expected, T found)
    {
        if (!EqualityComparer<T>.Default.Equals(expected, found))
        {
            throw new MuJoCoUnavailableException(
                $"The MuJoCo library {library.Path} says it is version {library.Version}, but its memory is laid out differently: "
                + $"{what} should be {expected} and is {found}. Install Debian's libmujoco2.2.2, or set MUJOCO_PATH to that library.");
        }
    }
}
