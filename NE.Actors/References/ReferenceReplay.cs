using System.Text.Json;
using NE.Actors.MuJoCo;
using NE.Model.Tasks;

namespace NE.Actors.References;

/// <summary>Replays a reference file on our own tasks and reports the differences: models, start states, actions, trajectories, observations
/// and rewards of an environment, cases of `tolerance`, or rendered frames.</summary>
public static class ReferenceReplay
{
    /// <summary>Throws FileNotFoundException, or InvalidDataException when the file is not a reference or its environment is not one of ours.</summary>
    public static ReplayResult Run(string file)
    {
        using var document = ReferenceJson.Read(file);
        try
        {
            return Run(file, document.RootElement);
        }
        catch (Exception e) when (e is KeyNotFoundException or InvalidOperationException or FormatException or IndexOutOfRangeException)
        {
            throw new InvalidDataException($"{file} is not a complete reference: {e.Message}", e);
        }
    }

    internal static InvalidDataException Unavailable(string file, string environment)
    {
        var known = string.Join(", ", Registry.ids);
        return new InvalidDataException($"{file} is a reference of {environment}, an environment that is not available here; available are {known}.");
    }

    private static ReplayResult Run(string file, JsonElement root)
    {
        if (root.ValueKind == JsonValueKind.Object)
        {
            if (root.TryGetProperty("cases", out _))
            {
                return ToleranceReference.Run(file, root);
            }

            if (root.TryGetProperty("frames", out _))
            {
                MuJoCoLibrary.RequireReference("Reference frames are");
                return FrameReference.Run(file, root);
            }

            if (root.TryGetProperty("env", out var env) && root.TryGetProperty("episodes", out _))
            {
                MuJoCoLibrary.RequireReference("Reference trajectories are");
                var environment = env.GetString()!;
                return environment.StartsWith(ControlSuiteReference.Prefix, StringComparison.Ordinal)
                    ? ControlSuiteReference.Run(file, root, environment)
                    : GymnasiumReference.Run(file, root, environment);
            }
        }

        throw new InvalidDataException($"{file} is not a reference: expected an object with `env` and `episodes`, with `cases`, or with `frames`.");
    }
}
