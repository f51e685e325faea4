using System.Runtime.InteropServices;

namespace NE.Actors.MuJoCo;

/// <summary>A plugin library of MuJoCo's own.</summary>
/// <param name="Path">The file.</param>
/// <param name="Problem">Why it could not be opened; null when it is open.</param>
public sealed record MuJoCoPlugin(string Path, string? Problem)
{
    /// <summary>The file's name without `lib` and `.so`, such as elasticity.</summary>
    public string Name => System.IO.Path.GetFileNameWithoutExtension(this.Path)["lib".Length..];
}

/// <summary>Opens the plugin libraries that lie beside a libmujoco: they make themselves known to it when they are opened, and models may then
/// name what they bring.</summary>
internal static class MuJoCoPlugins
{
    /// <summary>Those that may lie in the library's own folder, where much else may lie too.</summary>
    private static readonly string[] names = ["libactuator.so", "libelasticity.so", "libsensor.so", "libsdf_plugin.so"];

    /// <summary>Folders of nothing but plugins, from the library's own: of the release archives and of the Python package.</summary>
    private static readonly string[] folders = ["mujoco_plugin", "plugin", "../bin/mujoco_plugin"];

    /// <summary>Opens all that are there; of equal names the first.</summary>
    internal static IReadOnlyList<MuJoCoPlugin> Open(string libraryPath) => [.. Beside(libraryPath).Select(Open)];

    /// <summary>The files, in the order in which they are opened. None for a bare name, which the linker found somewhere.</summary>
    internal static IReadOnlyList<MuJoCoPlugin> Beside(string libraryPath)
    {
        if (!File.Exists(libraryPath))
        {
            return [];
        }

        // The file may be a link to where the archive was unpacked.
        string[] homes = [libraryPath, File.ResolveLinkTarget(libraryPath, returnFinalTarget: true)?.FullName ?? libraryPath];
        return [.. homes
            .Select(home => Path.GetDirectoryName(home)!)
            .Distinct()
            .SelectMany(home => names.Select(name => Path.Combine(home, name)).Where(File.Exists).Concat(folders.SelectMany(folder => FilesOf(Path.GetFullPath(folder, home)))))
            .DistinctBy(Path.GetFileName)
            .Select(file => new MuJoCoPlugin(file, null))];
    }

    private static IEnumerable<string> FilesOf(string folder) =>
        Directory.Exists(folder) ? Directory.EnumerateFiles(folder, "lib*.so").Order(StringComparer.Ordinal) : [];

    private static MuJoCoPlugin Open(MuJoCoPlugin plugin)
    {
        try
        {
            NativeLibrary.Load(plugin.Path);
            return plugin;
        }
        catch (Exception problem) when (problem is DllNotFoundException or BadImageFormatException)
        {
            // The linker's own words are on one line among .NET's.
            var reason = problem.Message.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            return plugin with { Problem = reason.FirstOrDefault(line => line.Contains(plugin.Path, StringComparison.Ordinal)) ?? problem.Message };
        }
    }
}
