using System.Reflection;
using System.Runtime.Loader;

namespace NE.Actors.Environments.Plugins;

/// <summary>Where a plug-in and its own libraries live. NE.Actors, NE.Model and FSharp.Core are this program's, whatever lies beside the plug-in: its
/// types must be ours to be used by us.</summary>
internal sealed class PluginContext(string path) : AssemblyLoadContext($"plug-in {path}")
{
    private static readonly HashSet<string> shared = ["NE.Actors", "NE.Model", "FSharp.Core"];

    private readonly AssemblyDependencyResolver resolver = new(path);

    protected override Assembly? Load(AssemblyName assemblyName)
    {
        // Null asks the default context.
        if (assemblyName.Name is { } name && shared.Contains(name))
        {
            return null;
        }

        return this.resolver.ResolveAssemblyToPath(assemblyName) is { } found ? this.LoadFromAssemblyPath(found) : null;
    }

    protected override nint LoadUnmanagedDll(string unmanagedDllName) =>
        this.resolver.ResolveUnmanagedDllToPath(unmanagedDllName) is { } found ? this.LoadUnmanagedDllFromPath(found) : 0;
}
