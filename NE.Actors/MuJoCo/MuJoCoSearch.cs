namespace NE.Actors.MuJoCo;

/// <summary>A place where libmujoco may be: a full path, or a bare name that the dynamic linker looks up.</summary>
/// <param name="Origin">Why this place is tried, for error messages.</param>
/// <param name="Path">The file, or the bare name.</param>
/// <param name="MayBeOther">The user named this place for this program, so that any version that is known is taken from it.</param>
public sealed record MuJoCoCandidate(string Origin, string Path, bool MayBeOther = false)
{
    public bool IsFile => System.IO.Path.IsPathRooted(this.Path);
}

/// <summary>Where to look for libmujoco, and in which order.</summary>
/// <param name="ExplicitPath">A file or folder from the configuration; when set, nothing else is tried.</param>
/// <param name="Variable">Reads an environment variable.</param>
/// <param name="ApplicationFolder">The folder of the running program.</param>
/// <param name="HomeFolder">The user's home folder.</param>
public sealed record MuJoCoSearch(string? ExplicitPath, Func<string, string?> Variable, string ApplicationFolder, string HomeFolder)
{
    /// <summary>The file name of the reference version.</summary>
    public const string FileName = "libmujoco.so.2.2.2";

    /// <summary>The libraries that Debian's libmujoco needs; loaded by absolute path first when they lie beside it, because the
    /// linker then matches them by name without LD_LIBRARY_PATH.</summary>
    private static readonly string[] helperNames = ["libccd.so", "liblodepng.so", "libqhull_r.so", "libtinyxml2.so"];

    /// <summary>The search of this process.</summary>
    public static MuJoCoSearch OfProcess(string? explicitPath = null) =>
        new(
            explicitPath,
            Environment.GetEnvironmentVariable,
            AppContext.BaseDirectory,
            Environment.GetFolderPath(Environment.SpecialFolder.UserProfile));

    /// <summary>Where the launcher unpacks Debian's packages when nobody may install them.</summary>
    public string CacheFolder => Path.Combine(this.HomeFolder, ".cache", "ne-actors", "mujoco-2.2.2", "usr", "lib", "x86_64-linux-gnu");

    /// <summary>All places, in the order in which they are tried. A path that the user named (option, then MUJOCO_PATH) is the only
    /// place, so that a mistake in it is not hidden by another library.</summary>
    public IReadOnlyList<MuJoCoCandidate> Candidates()
    {
        if (!string.IsNullOrEmpty(this.ExplicitPath))
        {
            return [.. Under("the configured path", this.ExplicitPath, mayBeOther: true)];
        }

        if (this.Variable("MUJOCO_PATH") is { Length: > 0 } path)
        {
            return [.. Under("MUJOCO_PATH", path, mayBeOther: true)];
        }

        var home = this.Variable("MUJOCO_HOME") is { Length: > 0 } folder ? Under("MUJOCO_HOME", folder) : [];
        return
        [
            .. home,
            .. Under("the program's folder", Path.Combine(this.ApplicationFolder, "runtimes", "linux-x64", "native")),
            .. Under("NE's cache", this.CacheFolder),
            new MuJoCoCandidate("the system's libraries", FileName),
            new MuJoCoCandidate("the system's libraries", "libmujoco.so"),
        ];
    }

    /// <summary>The helper libraries beside a libmujoco file.</summary>
    public static IEnumerable<string> HelpersBeside(string libraryPath)
    {
        var folder = Path.GetDirectoryName(libraryPath);
        return folder is null || !Directory.Exists(folder)
            ? []
            : helperNames.Select(name => Directory.EnumerateFiles(folder, name + "*").Order(StringComparer.Ordinal).FirstOrDefault())
                .OfType<string>();
    }

    private static IEnumerable<MuJoCoCandidate> Under(string origin, string path, bool mayBeOther = false)
    {
        var full = Path.GetFullPath(path);
        if (!Directory.Exists(full))
        {
            return [new MuJoCoCandidate(origin, full, mayBeOther)];
        }

        // A folder may hold another version: it is found here and then refused by its version, which says more than "not found".
        string[] folders = [full, Path.Combine(full, "lib")];
        var found =
            from folder in folders
            where Directory.Exists(folder)
            from file in Directory.EnumerateFiles(folder, "libmujoco.so*")
            orderby Path.GetFileName(file) == FileName descending, file
            select new MuJoCoCandidate(origin, file, mayBeOther);
        return found.DefaultIfEmpty(new MuJoCoCandidate(origin, Path.Combine(full, FileName), mayBeOther));
    }
}
