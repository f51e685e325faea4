using System.Text.Json;
using NE.Actors.MuJoCo;
using NE.Actors.Rendering;
using NE.Model.Tasks;
using SkiaSharp;

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
        return new ReplayResult(file, "frames") { Frames = [.. root.GetProperty("frames").EnumerateArray().Select(frame => Compare(folder, frame))] };
    }

    private static FrameComparison Compare(string folder, JsonElement frame)
    {
        var name = frame.GetProperty("file").GetString()!;
        var robot = $"dmc/{Path.GetFileNameWithoutExtension(frame.GetProperty("model").GetString())}";
        if (!Robots.names.Contains(robot))
        {
            throw new FormatException($"the robot '{robot}' of {name} is not available here");
        }

        var (width, height) = (frame.GetProperty("width").GetInt32(), frame.GetProperty("height").GetInt32());
        var expected = ReadPng(Path.Combine(folder, name), width, height);
        using var model = MuJoCoModel.OfRobot(robot).Copy();
        using var simulator = new Simulator(model);
        Pose(simulator, frame);
        var ours = new byte[3 * width * height];
        using (var renderer = new Renderer(simulator, width, height, Camera.NewFixed(frame.GetProperty("camera_id").GetInt32())))
        {
            renderer.Render(ours);
        }

        var differences = expected.Zip(ours, (a, b) => Math.Abs(a - b)).ToArray();
        return new FrameComparison(name, robot, differences.Average(), differences.Max(), Tolerance);
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

    /// <summary>Height x width x 3 bytes, the top row first.</summary>
    private static byte[] ReadPng(string file, int width, int height)
    {
        using var picture = File.Exists(file)
            ? SKBitmap.Decode(file) ?? throw new InvalidDataException($"{file} is not a picture.")
            : throw new FileNotFoundException($"There is no picture {file}; the frames lie beside their frames.json.", file);
        return (picture.Width, picture.Height) == (width, height)
            ? [.. picture.Pixels.SelectMany(pixel => new[] { pixel.Red, pixel.Green, pixel.Blue })]
            : throw new InvalidDataException($"{file} has {picture.Width} x {picture.Height} pixels, expected {width} x {height}.");
    }
}
