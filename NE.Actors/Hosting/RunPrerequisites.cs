using System.Reflection;
using System.Runtime.InteropServices;
using NE.Actors.MuJoCo;
using NE.Actors.Rendering;
using NE.Model;
using NE.Model.Networks;

namespace NE.Actors.Hosting;

/// <summary>Loads native libraries and names their versions; see <see cref="RunPrerequisites.Load"/>.</summary>
public delegate IReadOnlyDictionary<string, string> Preparation(ComputeSettings? compute, bool draws);

/// <summary>What a run needs beside itself.</summary>
public static class RunPrerequisites
{
    /// <summary>The version of NE.Actors with the commit that it was built from.</summary>
    public static string Version { get; } =
        typeof(RunPrerequisites).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";

    /// <summary>Loads libmujoco, and libtorch when it is the engine, and tries OpenGL where pictures are drawn, so that what is missing is said before anything
    /// is created.</summary>
    /// <param name="compute">Of the run, resolved; null when nothing is learned.</param>
    /// <param name="draws">Whether the agent sees pictures: what draws them is a part of what the run is.</param>
    /// <returns>Versions by name, and the engine.</returns>
    /// <exception cref="MuJoCoUnavailableException">libmujoco is not there or does not load.</exception>
    /// <exception cref="LibTorch.LibTorchException">The engine is torch, and libtorch is not there or does not load.</exception>
    /// <exception cref="RendererUnavailableException">Pictures are drawn, and no OpenGL works here.</exception>
    public static IReadOnlyDictionary<string, string> Load(ComputeSettings? compute, bool draws)
    {
        var versions = new Dictionary<string, string>
        {
            ["ne"] = Version,
            [".NET"] = RuntimeInformation.FrameworkDescription,
            ["MuJoCo"] = MuJoCoLibrary.Current.Version,
        };

        if (CLibrary.Version is { } library)
        {
            versions["C library"] = library;
        }

        if (draws)
        {
            using var context = OpenGlContext.Open();
            versions["OpenGL"] = context.Description;
        }

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
