using NE.Actors.Environments;
using NE.Actors.Environments.Catalogue;
using NE.Model;
using NE.Shell.Host;

namespace NE.Shell.Configuration;

/// <summary>What the shell asks about environments. Of our own tasks it needs no MuJoCo.</summary>
internal static class Environments
{
    /// <summary>What is wrong with an environment's id, as far as its text and the presence of files tell; null when nothing is.</summary>
    public static string? Problem(string id) => EnvironmentId.Problem(id);

    /// <summary>The same settings for a process that works in another folder: the paths in the environment's id are absolute.</summary>
    public static Settings WithAbsolutePaths(Settings settings)
    {
        string absolute = EnvironmentId.Parse(settings.Run.Environment).In(Directory.GetCurrentDirectory()).Text;
        return SettingsModule.apply([("run.environment", absolute)], settings).ResultValue;
    }

    /// <summary>What the agent sees of the environment. Throws what <see cref="Failures"/> expects.</summary>
    public static EnvironmentSpec Describe(Settings settings) =>
        EnvironmentFactory.Describe(settings, settings.Run.Environment);

    /// <summary>The same for a new run: an environment of one's own makes a reset and a step first.</summary>
    public static EnvironmentSpec Try(Settings settings) => EnvironmentFactory.Try(settings, settings.Run.Environment);

    /// <summary>Says what a user must know before the environment is used: rescaled actions, and a state that cannot be saved.</summary>
    public static void SayWhatIsSpecial(ShellHost host, EnvironmentSpec spec)
    {
        if (spec.Native is { } native)
        {
            string bounds = string.Join(", ", native.ActionLow.Zip(native.ActionHigh, (low, high) => FormattableString.Invariant($"[{low}, {high}]")).Distinct().Take(4));
            host.Output.WriteLine($"note: the actions of {spec.Id} have the bounds {bounds}; the agent acts in [-1, 1], which is mapped to them");
        }

        if (!spec.SavesState)
        {
            host.Output.WriteLine(
                $"note: {spec.Id} cannot save its state, so a resumed run begins a new episode there and is not bit for bit the run that never stopped");
        }
    }
}
