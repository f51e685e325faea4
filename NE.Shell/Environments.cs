using NE.Actors.Environments;
using NE.Model.Tasks;
using NE.Shell.Commands;
using NE.Shell.Configuration;

namespace NE.Shell;

/// <summary>What the shell asks about environments; needs no MuJoCo.</summary>
internal static class Environments
{
    /// <summary>What is wrong with an environment's id; null when it is known.</summary>
    public static string? Problem(string id)
    {
        var found = Registry.find(id);
        return found.IsOk ? null : found.ErrorValue;
    }

    /// <summary>Everything that is fixed about a task. An unknown id is the user's error.</summary>
    public static TaskInfo Info(string id)
    {
        var found = Registry.find(id);
        return found.IsOk ? found.ResultValue.Info : throw new UserError(found.ErrorValue);
    }

    /// <summary>Sizes of a known environment.</summary>
    public static TaskSize Size(string id)
    {
        EnvironmentSpec spec = EnvironmentFactory.Describe(id);
        return new TaskSize(spec.ObservationSize, spec.ActionSize);
    }
}
