using NE.Model.Replay;
using NE.Model.Tasks;

namespace NE.Actors.Environments;

/// <summary>Creates environments by task id.</summary>
public static class EnvironmentFactory
{
    /// <summary>A new environment, with its own simulator on the shared model. Throws ArgumentException for an unknown id (naming the
    /// nearest), MuJoCoUnavailableException when there is no usable MuJoCo.</summary>
    public static IEnvironment Create(string id) => new MuJoCoEnvironment(Find(id));

    /// <summary>A new environment whose observations are pictures, with DrQ-v2's defaults. Its renderer is made at the first reset.</summary>
    public static IPixelEnvironment CreatePixels(string id) => CreatePixels(id, PixelDefaults.Shape, PixelDefaults.ActionRepeat);

    /// <summary>A new environment whose observations are pictures of a shape of one's own.</summary>
    public static IPixelEnvironment CreatePixels(string id, PixelShape shape, int actionRepeat) =>
        new PixelEnvironment(new MuJoCoEnvironment(Find(id)), shape, actionRepeat);

    /// <summary>What a task's pixel environment will look like; needs neither MuJoCo nor OpenGL.</summary>
    public static PixelSpec DescribePixels(string id, PixelShape shape, int actionRepeat) => DescribePixels(Describe(id), shape, actionRepeat);

    /// <summary>What a task's environment will look like; needs no MuJoCo.</summary>
    public static EnvironmentSpec Describe(string id) => Describe(Find(id).Info);

    internal static EnvironmentSpec Describe(TaskInfo info) =>
        new(info.Id, info.ObservationSize, info.ActionSize, [.. info.ActionLow], [.. info.ActionHigh], info.TimeLimit);

    internal static PixelSpec DescribePixels(EnvironmentSpec spec, PixelShape shape, int actionRepeat)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(actionRepeat, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(shape.Stack, 1, nameof(shape));
        // The last step of an episode may have fewer repeats.
        var limit = (spec.TimeLimit + actionRepeat - 1) / actionRepeat;
        return new PixelSpec(spec.Id, shape, actionRepeat, spec.ActionSize, spec.ActionLow, spec.ActionHigh, limit);
    }

    private static ITask Find(string id)
    {
        var found = Registry.find(id);
        return found.IsOk ? found.ResultValue : throw new ArgumentException(found.ErrorValue, nameof(id));
    }
}
