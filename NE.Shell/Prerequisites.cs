using System.Reflection;
using System.Runtime.InteropServices;
using NE.Actors.MuJoCo;
using NE.Model.Networks;

namespace NE.Shell;

/// <summary>What a run needs beside itself.</summary>
public static class Prerequisites
{
    /// <summary>This program's version with the commit that it was built from.</summary>
    public static string OwnVersion { get; } =
        typeof(Prerequisites).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";

    /// <summary>Loads libmujoco and libtorch, so that what is missing is said before anything is created.</summary>
    /// <returns>Versions by name.</returns>
    public static IReadOnlyDictionary<string, string> Load() => new Dictionary<string, string>
    {
        ["ne"] = OwnVersion,
        [".NET"] = RuntimeInformation.FrameworkDescription,
        ["TorchSharp"] = LibTorch.describe().TorchSharpVersion,
        ["MuJoCo"] = MuJoCoLibrary.Current.Version,
    };
}
