using NE.Model.Tasks;

namespace NE.Actors.MuJoCo;

/// <summary>The renderer's structures as far as they can be seen without OpenGL: their sizes, a scene, and where it is looked at from.</summary>
internal static unsafe class CanaryPicture
{
    private const int Capacity = 23;

    /// <summary>Half the distance between the two eyes, and a little more.</summary>
    private const double HalfEyes = 0.04;

    internal static void Check(CanaryWitness witness, Simulator simulator)
    {
        using var memory = new RenderMemory(simulator.Model.Layout);
        witness.Expect("the default camera", (0, -1, 2.0, 90.0, -45.0), memory.Place);
        MuJoCoRenderNative.mjv_makeScene((nint)simulator.Model.Address, memory.Scene, Capacity);
        simulator.ToKeyframe(1);
        simulator.Forward();
        Look(memory, simulator, Camera.NewFree(0.5, 0.25, 0.125, 5, 30, -20));
        witness.Expect("the scene's capacity", Capacity, memory.SceneCapacity);
        witness.Expect("the scene's geoms", true, memory.SceneGeoms is >= CanaryModel.Geoms + CanaryModel.Sites and < Capacity);
        var (azimuth, elevation) = (Math.PI / 6, -Math.PI / 9);
        double[] forward = [Math.Cos(elevation) * Math.Cos(azimuth), Math.Cos(elevation) * Math.Sin(azimuth), Math.Sin(elevation)];
        CheckEye(witness, "a free camera", memory, [0.5 - 5 * forward[0], 0.25 - 5 * forward[1], 0.125 - 5 * forward[2]], forward);
        Look(memory, simulator, Camera.NewFixed(CanaryModel.Eye));
        CheckEye(witness, "a fixed camera", memory, [2.2, 0.95, 1.4], [0, 0, 1]);
        MuJoCoRenderNative.mjv_freeScene(memory.Scene);
        witness.Expect("the sizes of the renderer's structures", true, memory.HasTheirSizes);
    }

    private static void Look(RenderMemory memory, Simulator simulator, Camera camera)
    {
        memory.Aim(camera, simulator.SubtreeCom);
        MuJoCoRenderNative.mjv_updateScene(
            (nint)simulator.Model.Address, simulator.DataAddress, memory.Option, memory.Perturb, memory.View, RenderMemory.AllCategories, memory.Scene);
    }

    private static void CheckEye(CanaryWitness witness, string what, RenderMemory memory, ReadOnlySpan<double> position, ReadOnlySpan<double> forward)
    {
        for (var i = 0; i < 3; i++)
        {
            witness.Near($"{what}'s position", position[i], memory.Eye[i], HalfEyes / Math.Max(1, Math.Abs(position[i])));
            witness.Near($"{what}'s direction", forward[i], memory.Eye[3 + i], 1e-5);
        }
    }
}
