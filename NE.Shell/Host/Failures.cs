using NE.Actors.Configuration;
using NE.Actors.Environments;
using NE.Actors.Environments.External;
using NE.Actors.Fleet;
using NE.Actors.MuJoCo;
using NE.Actors.Rendering;
using NE.Actors.RunDirectory;
using NE.Actors.Storage;
using NE.Actors.Video;
using NE.Model.Networks;

namespace NE.Shell.Host;

/// <summary>Exceptions whose message is written for the user.</summary>
internal static class Failures
{
    /// <summary>The user asked for something that the run directory does not allow, or named an environment that is not as it must be.</summary>
    public static bool IsUserError(Exception failure) => failure is RunFolderException or EnvironmentUnusableException or ConfigurationException;

    /// <summary>The machine or the files do not allow it; a stack trace would say less than the message.</summary>
    public static bool IsExpected(Exception failure) =>
        failure is MuJoCoUnavailableException or OtherMuJoCoException or ModelCompileException or DamagedCheckpointException or LibTorch.LibTorchException
            or RendererUnavailableException or VideoException
            or ExternalEnvironmentException or FleetException
            or InvalidDataException or IOException or UnauthorizedAccessException;
}
