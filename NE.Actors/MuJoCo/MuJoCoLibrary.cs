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

    internal MuJoCoLibrary(string path, nint handle, MuJoCoLayout layout, IReadOnlyList<MuJoCoPlugin>? plugins = null)
    {
        this.Path = path;
        this.Handle = handle;
        this.Layout = layout;
        this.Plugins = plugins ?? [];
    }

    /// <summary>The file, or the bare name that the linker resolved.</summary>
    public string Path { get; }

    /// <summary>The version, such as 2.2.2.</summary>
    public string Version => this.Layout.VersionName;

    /// <summary>Whether it is the version that everything here is tested with.</summary>
    public bool IsReference => this.Layout.Version == MuJoCoLayouts.Reference.Version;

    /// <summary>Whether it looks for plugin libraries: from 3.0.0 on.</summary>
    public bool HasPlugins => this.Layout.IsThree;

    /// <summary>What lies beside it and was opened, or could not be.</summary>
    public IReadOnlyList<MuJoCoPlugin> Plugins { get; }

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

    /// <summary>The version that is taken unless MUJOCO_PATH names another one.</summary>
    public static string ReferenceVersion => MuJoCoLayouts.Reference.VersionName;

    /// <summary>The library, if it is loaded already.</summary>
    public static MuJoCoLibrary? Loaded => Volatile.Read(ref current);

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

    /// <summary>Throws MuJoCoUnavailableException unless the library is the reference.</summary>
    /// <param name="what">What needs it, as the beginning of a sentence.</param>
    internal static void RequireReference(string what)
    {
        if (!Current.IsReference)
        {
            throw new MuJoCoUnavailableException(
                $"{what} of MuJoCo {MuJoCoLayouts.Reference.VersionName}, and the library here is {Current.Version} ({Current.Path}). Unset MUJOCO_PATH, or let it name the older one.");
        }
    }

    private static MuJoCoLibrary Load(MuJoCoSearch places)
    {
        var (path, handle, version) = Open(places.Candidates(), static candidate => NativeLibrary.TryLoad(candidate, out var found) ? found : 0, ReadVersion);
        // The stubs of MuJoCoNative keep what they resolved first, so they are bound only to a library whose version is known.
        resolved = handle;
        if (!resolverInstalled)
        {
            NativeLibrary.SetDllImportResolver(
                typeof(MuJoCoLibrary).Assembly,
                static (name, _, _) => name == MuJoCoNative.Library ? resolved : 0);
            resolverInstalled = true;
        }

        MuJoCoHandlers.Install(path, handle);
        var layout = MuJoCoLayouts.For(version)!;
        var library = new MuJoCoLibrary(path, handle, layout, layout.IsThree ? MuJoCoPlugins.Open(path) : []);
        MuJoCoCanary.Check(library);
        return library;
    }

    /// <summary>Opens the first candidate that is a libmujoco of a version that may be taken from there, or throws an error that names every
    /// place tried.</summary>
    /// <param name="candidates">The places, in order.</param>
    /// <param name="open">Loads a file or name and returns its handle, 0 when that fails.</param>
    /// <param name="versionOf">The version number of a loaded library, null when it is no MuJoCo.</param>
    internal static (string Path, nint Handle, int Version) Open(
        IReadOnlyList<MuJoCoCandidate> candidates, Func<string, nint> open, Func<nint, int?> versionOf)
    {
        var tried = new List<string>();
        foreach (var candidate in candidates)
        {
            var reason = Try(candidate, open, versionOf, out var handle, out var version);
            if (reason is null)
            {
                return (candidate.Path, handle, version);
            }

            tried.Add($"  {candidate.Path} ({candidate.Origin}): {reason}");
        }

        throw new MuJoCoUnavailableException(
            $"No usable MuJoCo library was found. Its memory is laid out otherwise in every version; known are {MuJoCoLayouts.KnownNames}. "
            + $"Places tried:\n{string.Join('\n', tried)}\n"
            + "On Debian 12 install 2.2.2 with: apt-get install libmujoco2.2.2; elsewhere, and for another one of these versions, set MUJOCO_PATH to its file or folder.");
    }

    /// <summary>Why a candidate cannot be used; null when it can.</summary>
    private static string? Try(MuJoCoCandidate candidate, Func<string, nint> open, Func<nint, int?> versionOf, out nint handle, out int version)
    {
        (handle, version) = (0, 0);
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

        if (versionOf(handle) is not { } found)
        {
            return "is not a MuJoCo library";
        }

        version = found;
        var name = $"is MuJoCo {MuJoCoLayouts.NameOf(found)} (mj_version() says {found})";
        return MuJoCoLayouts.For(found) is null ? $"{name}, whose memory layout is not known"
            : !candidate.MayBeOther && found != MuJoCoLayouts.Reference.Version ? $"{name}; another version than {MuJoCoLayouts.Reference.VersionName} is taken only when MUJOCO_PATH names it"
            : null;
    }

    /// <summary>What its mj_version() says; null when it has no such function.</summary>
    internal static unsafe int? ReadVersion(nint handle) =>
        NativeLibrary.TryGetExport(handle, "mj_version", out var function) ? ((delegate* unmanaged[Cdecl]<int>)function)() : null;
}
