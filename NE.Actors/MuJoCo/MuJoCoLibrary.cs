using System.Runtime.InteropServices;

namespace NE.Actors.MuJoCo;

/// <summary>The loaded libmujoco: found, its version known, its handlers installed, its memory layout checked. One per process.</summary>
public sealed class MuJoCoLibrary
{
    private static readonly Lock gate = new();
    private static MuJoCoLibrary? current;
    private static MuJoCoSearch? search;
    private static bool resolverInstalled;
    private static nint resolved;

    internal MuJoCoLibrary(string path, nint handle, MuJoCoLayout layout)
    {
        this.Path = path;
        this.Handle = handle;
        this.Layout = layout;
    }

    /// <summary>The file, or the bare name that the linker resolved.</summary>
    public string Path { get; }

    /// <summary>The version, such as 2.2.2.</summary>
    public string Version => this.Layout.VersionName;

    internal nint Handle { get; }

    internal MuJoCoLayout Layout { get; }

    /// <summary>The library, loaded at the first call. Throws MuJoCoUnavailableException; a later call tries again.</summary>
    public static MuJoCoLibrary Current
    {
        get
        {
            if (Volatile.Read(ref current) is { } loaded)
            {
                return loaded;
            }

            lock (gate)
            {
                return current ??= Load(search ?? MuJoCoSearch.OfProcess());
            }
        }
    }

    /// <summary>Says where to look. Must come before the first use; afterwards it throws InvalidOperationException.</summary>
    public static void Configure(MuJoCoSearch places)
    {
        lock (gate)
        {
            if (current is not null)
            {
                throw new InvalidOperationException($"MuJoCo is already loaded from {current.Path}; configure its path before the first environment.");
            }

            search = places;
        }
    }

    private static MuJoCoLibrary Load(MuJoCoSearch places)
    {
        var (path, handle) = Open(places.Candidates(), static candidate => NativeLibrary.TryLoad(candidate, out var found) ? found : 0, ReadVersion);
        // The stubs of MuJoCoNative keep what they resolved first, so they are bound only to a library whose version is known.
        resolved = handle;
        if (!resolverInstalled)
        {
            NativeLibrary.SetDllImportResolver(
                typeof(MuJoCoLibrary).Assembly,
                static (name, _, _) => name == MuJoCoNative.Library ? resolved : 0);
            resolverInstalled = true;
        }

        MuJoCoHandlers.Install(handle);
        var library = new MuJoCoLibrary(path, handle, MuJoCoLayout.Version222);
        MuJoCoCanary.Check(library);
        return library;
    }

    /// <summary>Opens the first candidate that is a libmujoco of a known version, or throws an error that names every place tried.</summary>
    /// <param name="candidates">The places, in order.</param>
    /// <param name="open">Loads a file or name and returns its handle, 0 when that fails.</param>
    /// <param name="versionOf">The version number of a loaded library, null when it is no MuJoCo.</param>
    internal static (string Path, nint Handle) Open(
        IReadOnlyList<MuJoCoCandidate> candidates, Func<string, nint> open, Func<nint, int?> versionOf)
    {
        var tried = new List<string>();
        foreach (var candidate in candidates)
        {
            var reason = Try(candidate, open, versionOf, out var handle);
            if (reason is null)
            {
                return (candidate.Path, handle);
            }

            tried.Add($"  {candidate.Path} ({candidate.Origin}): {reason}");
        }

        var expected = MuJoCoLayout.Version222;
        throw new MuJoCoUnavailableException(
            $"No usable MuJoCo library was found. This program needs version {expected.VersionName} (number {expected.Version}), because the "
            + $"memory layout differs between versions. Places tried:\n{string.Join('\n', tried)}\n"
            + "On Debian 12 install it with: apt-get install libmujoco2.2.2; elsewhere set MUJOCO_PATH to its file or folder.");
    }

    /// <summary>Why a candidate cannot be used; null when it can.</summary>
    private static string? Try(MuJoCoCandidate candidate, Func<string, nint> open, Func<nint, int?> versionOf, out nint handle)
    {
        handle = 0;
        if (candidate.IsFile && !File.Exists(candidate.Path))
        {
            return "not there";
        }

        if (candidate.IsFile)
        {
            foreach (var helper in MuJoCoSearch.HelpersBeside(candidate.Path))
            {
                open(helper);
            }
        }

        handle = open(candidate.Path);
        if (handle == 0)
        {
            return candidate.IsFile ? "cannot be loaded (damaged, or a library it needs is missing)" : "not there";
        }

        return versionOf(handle) switch
        {
            null => "is not a MuJoCo library",
            var version when MuJoCoLayout.For(version.Value) is null => $"has version number {version}, expected {MuJoCoLayout.Version222.Version}",
            _ => null,
        };
    }

    private static unsafe int? ReadVersion(nint handle) =>
        NativeLibrary.TryGetExport(handle, "mj_version", out var function) ? ((delegate* unmanaged[Cdecl]<int>)function)() : null;
}
