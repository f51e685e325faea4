using NE.Actors.Configuration;
using NE.Actors.Environments;
using NE.Actors.Environments.Catalogue;
using NE.Model;
using NE.Model.Networks;
using NE.Shell.Host;

namespace NE.Shell.Configuration;

/// <summary>Whether the agent of a configuration can be built here.</summary>
internal static class AgentCheck
{
    /// <summary>A device that is not there, or a topology that does not fit the task, is said before anything is created.</summary>
    public static void CheckThatItCanBeBuilt(Settings settings, EnvironmentSpec spec)
    {
        try
        {
            TaskLearner.TryOut(settings, EnvironmentCycle.Of(settings.Run.Environment), spec);
        }
        catch (Exception problem) when (problem is ArgumentException or LibTorch.LibTorchException)
        {
            throw new UserError(problem.Sentence());
        }
    }
}
