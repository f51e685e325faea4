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

    private MuJoCoLibrary(string path, nint handle, MuJoCoLayout layout)
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
        var (path, handle) = Open(places.Candidates(), static candidate => NativeLibrary.TryLoad(candidate, out var found) ? found : 0);
        resolved = handle;
        if (!resolverInstalled)
        {
            NativeLibrary.SetDllImportResolver(
                typeof(MuJoCoLibrary).Assembly,
                static (name, _, _) => name == MuJoCoNative.Library ? resolved : 0);
            resolverInstalled = true;
        }

        var layout = CheckVersion(path, MuJoCoNative.mj_version());
        MuJoCoHandlers.Install(handle);
        var library = new MuJoCoLibrary(path, handle, layout);
        MuJoCoCanary.Check(library);
        return library;
    }

    /// <summary>Opens the first candidate that can be opened.</summary>
    /// <param name="candidates">The places, in order.</param>
    /// <param name="open">Loads a file or name and returns its handle, 0 when that fails.</param>
    internal static (string Path, nint Handle) Open(IReadOnlyList<MuJoCoCandidate> candidates, Func<string, nint> open)
    {
        var tried = new List<string>();
        foreach (var candidate in candidates)
        {
            var present = !candidate.IsFile || File.Exists(candidate.Path);
            if (present)
            {
                if (candidate.IsFile)
                {
                    foreach (var helper in MuJoCoSearch.HelpersBeside(candidate.Path))
                    {
                        open(helper);
                    }
                }

                var handle = open(candidate.Path);
                if (handle != 0)
                {
                    return (candidate.Path, handle);
                }
            }

            var reason = present && candidate.IsFile ? "cannot be loaded" : "not there";
            tried.Add($"  {candidate.Path} ({candidate.Origin}: {reason})");
        }

        throw new MuJoCoUnavailableException(
            $"MuJoCo's library ({MuJoCoSearch.FileName}) was not found. Places tried:\n{string.Join('\n', tried)}\n"
            + "On Debian 12 install it with: apt-get install libmujoco2.2.2; elsewhere set MUJOCO_PATH to the file or its folder.");
    }

    /// <summary>The layout for a version number, or the error that says what to do about another version.</summary>
    internal static MuJoCoLayout CheckVersion(string path, int version) =>
        MuJoCoLayout.For(version)
        ?? throw new MuJoCoUnavailableException(
            $"The MuJoCo library {path} has version number {version}; this program is tested with {MuJoCoLayout.Version222.Version} "
            + $"({MuJoCoLayout.Version222.VersionName}) only, and the memory layout differs between versions. "
            + "Install libmujoco2.2.2, or set MUJOCO_PATH to a library of that version.");
}
