using System.Text.Json;
using NE.Actors.MuJoCo;
using NE.Actors.Rendering;
using NE.Model.Tasks;

namespace NE.Actors.References;

/// <summary>The reference file of rendered frames: states of the Control Suite's robots, each with a PNG beside the file.</summary>
internal static class FrameReference
{
    /// <summary>Grey levels. The Mesa of the reference gives 0; another one rounds differently.</summary>
    private const double Tolerance = 2;

    /// <summary>Throws RendererUnavailableException where nothing can be drawn.</summary>
    internal static ReplayResult Run(string file, JsonElement root)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(file))!;
        // One renderer for all frames that are drawn alike: making one takes longer than a frame.
        var scenes = root.GetProperty("frames").EnumerateArray().GroupBy(
            frame => (
                Robot: $"dmc/{Path.GetFileNameWithoutExtension(frame.GetProperty("model").GetString())}",
                Width: frame.GetProperty("width").GetInt32(),
                Height: frame.GetProperty("height").GetInt32(),
                Camera: frame.GetProperty("camera_id").GetInt32()));
        return new ReplayResult(file, "frames")
        {
            Frames = [.. scenes.SelectMany(scene => Compare(folder, scene.Key.Robot, scene.Key.Width, scene.Key.Height, scene.Key.Camera, scene))],
        };
    }

    private static List<FrameComparison> Compare(string folder, string robot, int width, int height, int camera, IEnumerable<JsonElement> frames)
    {
        if (!Robots.names.Contains(robot))
        {
            throw new FormatException($"the robot '{robot}' is not available here");
        }

        using var model = MuJoCoModel.OfRobot(robot).Copy();
        using var simulator = new Simulator(model);
        using var renderer = new Renderer(simulator, width, height, Camera.NewFixed(camera));
        var ours = new byte[renderer.FrameBytes];
        var comparisons = new List<FrameComparison>();
        foreach (var frame in frames)
        {
            var picture = frame.GetProperty("file").GetString()!;
            var expected = PngPicture.Read(Path.Combine(folder, picture), width, height);
            Pose(simulator, frame);
            renderer.Render(ours);
            var differences = expected.Zip(ours, (a, b) => Math.Abs(a - b)).ToArray();
            comparisons.Add(new FrameComparison(picture, robot, differences.Average(), differences.Max(), Tolerance));
        }

        return comparisons;
    }

    private static void Pose(Simulator simulator, JsonElement frame)
    {
        if (frame.TryGetProperty("target_xy", out var place))
        {
            ControlSuiteReference.PlaceTarget(simulator, place, frame.GetProperty("target_size"));
        }

        simulator.ResetData();
        simulator.SetState(ReferenceJson.Numbers(frame.GetProperty("qpos")), new double[simulator.NV]);
        simulator.Forward();
    }
}
