using System.Reflection;
using System.Runtime.InteropServices;
using NE.Actors.MuJoCo;
using NE.Model;
using NE.Model.Networks;

namespace NE.Shell.Host;

/// <summary>What a run needs beside itself.</summary>
public static class Prerequisites
{
    /// <summary>This program's version with the commit that it was built from.</summary>
    public static string OwnVersion { get; } =
        typeof(Prerequisites).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";

    /// <summary>Loads libmujoco, and libtorch when it is the engine, so that what is missing is said before anything is created.</summary>
    /// <param name="compute">Of the run, resolved; null when nothing is learned.</param>
    /// <returns>Versions by name, and the engine.</returns>
    public static IReadOnlyDictionary<string, string> Load(ComputeSettings? compute)
    {
        var versions = new Dictionary<string, string>
        {
            ["ne"] = OwnVersion,
            [".NET"] = RuntimeInformation.FrameworkDescription,
            ["MuJoCo"] = MuJoCoLibrary.Current.Version,
        };

        if (compute is not null)
        {
            versions["engine"] = Engines.describe(compute);

            if (compute.Engine.Value.IsTorch)
            {
                versions["TorchSharp"] = LibTorch.describe().TorchSharpVersion;
            }
        }

        return versions;
    }
}
