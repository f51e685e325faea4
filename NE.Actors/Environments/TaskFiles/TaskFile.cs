using System.Collections.Concurrent;
using System.Text;
using NE.Actors.MuJoCo;
using NE.Model.Tasks;
using NE.Model.Tasks.Custom;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace NE.Actors.Environments.TaskFiles;

/// <summary>A task that a user described in YAML beside a model in MJCF. The keys are documented in docs/bring-your-own-environment.md.</summary>
/// <param name="Task">The task, bound to the model's indices.</param>
/// <param name="Model">The compiled model: shared by all environments of the file, never freed.</param>
/// <param name="Fingerprint">Of the YAML text and of the compiled model.</param>
internal sealed record TaskFile(ITask Task, MuJoCoModel Model, EnvironmentFingerprint Fingerprint)
{
    private const double CameraDistance = 3;
    private const double CameraAzimuth = 90;
    private const double CameraElevation = -20;

    private static readonly ConcurrentDictionary<(string Path, string Fingerprint), TaskFile> known = new();

    /// <summary>Reads and compiles the files as they are now. Throws EnvironmentUnusableException that names every problem of the task file, or
    /// MuJoCo's of the model; MuJoCoUnavailableException when there is no usable MuJoCo.</summary>
    internal static TaskFile Load(string path)
    {
        var file = Path.GetFullPath(path);
        var text = Read(file);
        var problems = new TaskFileProblems(path);
        var root = new YamlSection(Root(text, path, problems), "", problems);
        var model = Compile(root, file);
        try
        {
            var task = Define(root, Path.GetFileNameWithoutExtension(file), model);
            problems.Throw();
            var fingerprint = EnvironmentFingerprint.Of(("the task file", Encoding.UTF8.GetBytes(text)), (EnvironmentFingerprint.CompiledModel, model!.ToBytes()));
            var loaded = new TaskFile(task, model, fingerprint);
            var shared = known.GetOrAdd((file, fingerprint.Text), loaded);
            if (!ReferenceEquals(shared, loaded))
            {
                model.Dispose();
            }

            return shared;
        }
        catch
        {
            model?.Dispose();
            throw;
        }
    }

    private static string Read(string file)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new EnvironmentUnusableException($"The task file {file} cannot be read: {problem.Message}", problem);
        }
    }

    private static YamlMappingNode Root(string text, string path, TaskFileProblems problems)
    {
        try
        {
            var yaml = new YamlStream();
            yaml.Load(new StringReader(text));
            if (yaml.Documents is [{ RootNode: YamlMappingNode root }])
            {
                return root;
            }

            problems.Add(1, "expected one document of `key: value` lines, such as `model: robot.xml`");
        }
        catch (YamlException problem)
        {
            problems.Add(problem.Start.Line, $"not valid YAML (column {problem.Start.Column}): {problem.Message}");
        }
        catch (InvalidOperationException)
        {
            // YamlDotNet's scanner fails in this way on a bracket that is never closed.
            problems.Add(1, "not valid YAML; a bracket or quote is not closed");
        }

        problems.Throw();
        throw new EnvironmentUnusableException($"{path} is not a task file.");
    }

    /// <summary>The model, or null when that is a problem; then the rest of the file is checked without it.</summary>
    private static MuJoCoModel? Compile(YamlSection root, string file)
    {
        var name = root.Required("model");
        if (name.Length == 0)
        {
            return null;
        }

        var path = Path.GetFullPath(name, Path.GetDirectoryName(file)!);
        if (!File.Exists(path))
        {
            root.Problem($"there is no model {path}", "model");
            return null;
        }

        try
        {
            return MuJoCoModel.FromFile(path);
        }
        catch (ModelCompileException problem)
        {
            root.Problem(problem.Message, "model");
            return null;
        }
    }

    private static CustomTask Define(YamlSection root, string id, MuJoCoModel? model)
    {
        var binding = new ModelBinding(model);
        var (low, high) = Bounds(root, binding);
        var stepping = root.Choice("stepping", required: false, "gymnasium", "control-suite");
        var info = new TaskInfo(
            id,
            model?.Name ?? "",
            model?.Timestep ?? 1,
            root.Whole("frameSkip", 1, 1),
            stepping == "control-suite" ? Stepping.ControlSuite : Stepping.Gymnasium,
            ownModel: false,
            root.Whole("timeLimit", 1000, 1),
            observationSize: 0,
            low,
            high,
            rewardTerms: [],
            reward: "",
            termination: "",
            memorySize: 0,
            Camera(root, binding),
            root.Text("description") ?? "",
            source: "a task file");
        var definition = new CustomDefinition(
            info,
            ObservationReader.Read(root, binding),
            RewardReader.Read(root, binding),
            EpisodeReader.Termination(root, binding),
            EpisodeReader.Keyframe(root, binding),
            EpisodeReader.Reset(root, binding));
        root.End();
        return new CustomTask(definition);
    }

    private static (float[] Low, float[] High) Bounds(YamlSection root, ModelBinding binding)
    {
        if (binding.Model is not { } model)
        {
            return ([], []);
        }

        if (model.NU == 0)
        {
            root.Problem("the model has no actuator, so there is nothing to learn", "model");
        }

        for (var i = 0; i < model.NU; i++)
        {
            if (!binding.Names!.IsLimited(i))
            {
                root.Problem(
                    $"actuator {binding.Names.Name(ModelObject.Actuator, i) ?? $"number {i}"} has no limits, and the agent needs them; "
                    + "give it ctrllimited=\"true\" and a ctrlrange in the model",
                    "model");
            }
        }

        var ranges = Enumerable.Range(0, model.NU).Select(model.ControlRange).ToList();
        return ([.. ranges.Select(range => (float)range.Low)], [.. ranges.Select(range => (float)range.High)]);
    }

    /// <summary>The name of a camera of the model, or from where to look at a body or a point.</summary>
    private static Camera Camera(YamlSection root, ModelBinding binding)
    {
        if (!root.Has("camera"))
        {
            return binding.Model?.NBody > 1
                ? NE.Model.Tasks.Camera.NewTracking(1, CameraDistance, CameraAzimuth, CameraElevation)
                : NE.Model.Tasks.Camera.NewFree(0, 0, 0, CameraDistance, CameraAzimuth, CameraElevation);
        }

        if (root.Section("camera", orText: true) is not { } section)
        {
            return NE.Model.Tasks.Camera.NewFixed(binding.Index(root, "camera", ModelObject.Camera));
        }

        var distance = section.Number("distance", CameraDistance, distance => distance > 0 && double.IsFinite(distance), "a number above 0");
        var azimuth = section.Number("azimuth", CameraAzimuth, double.IsFinite, "degrees");
        var elevation = section.Number("elevation", CameraElevation, double.IsFinite, "degrees");
        Camera camera;
        if (section.Has("body"))
        {
            camera = NE.Model.Tasks.Camera.NewTracking(binding.Index(section, "body", ModelObject.Body), distance, azimuth, elevation);
        }
        else
        {
            camera = NE.Model.Tasks.Camera.NewFree(
                section.Number("x", 0, double.IsFinite), section.Number("y", 0, double.IsFinite), section.Number("z", 0, double.IsFinite),
                distance, azimuth, elevation);
        }

        section.End();
        return camera;
    }
}
