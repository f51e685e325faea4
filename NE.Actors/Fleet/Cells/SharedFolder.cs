using NE.Actors.RunDirectory;
using NE.Actors.Storage;

namespace NE.Actors.Fleet.Cells;

/// <summary>The folder of runs of a node. Nodes that see the same folder see the same identity in it, and one's cells go on at another.</summary>
public sealed class SharedFolder
{
    private static readonly string[] NetworkFormats = ["nfs", "cifs", "smb", "9p", "fuse", "ceph", "lustre", "gpfs", "glusterfs", "afs", "ocfs2", "gfs2", "beegfs"];

    private const UnixFileMode Shared = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    private SharedFolder(string runs, string id) => (this.Runs, this.Id) = (runs, id);

    /// <summary>Full path, as this machine has it.</summary>
    public string Runs { get; }

    /// <summary>The same on every machine that sees the folder.</summary>
    public string Id { get; }

    /// <summary>Where the coordinator keeps its journal, unless that is on a server.</summary>
    public RunPaths Coordinator => new(Path.Combine(this.Runs, Name));

    /// <summary>Where the coordinator has copies on their way to nodes or from them.</summary>
    public string Copies => Path.Combine(this.Runs, Name, "copies");

    /// <summary>Held by the process that coordinates.</summary>
    public string CoordinatorLock => Path.Combine(this.Runs, Name, "coordinator.lock");

    /// <summary>It lies on another machine's disk, or may. Locks of SQLite cannot be relied on there.</summary>
    public bool IsOnNetwork => IsNetwork(this.Runs);

    private static string Name => ".fleet";

    /// <summary>Creates the folder and its identity where they are not there.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    public static SharedFolder Of(string runs)
    {
        string full = Path.GetFullPath(runs);
        string folder = Path.Combine(full, Name);
        string file = Path.Combine(folder, "id");
        Directory.CreateDirectory(folder);
        if (!File.Exists(file))
        {
            // Whoever is first decides.
            DurableFile.TryCreateText(file, Guid.NewGuid().ToString("N"), Shared);
        }
        return new SharedFolder(full, File.ReadAllText(file).Trim());
    }

    private static bool IsNetwork(string path)
    {
        try
        {
            var drive = new DriveInfo(path);
            return drive.DriveType == DriveType.Network || NetworkFormats.Any(format => drive.DriveFormat.StartsWith(format, StringComparison.OrdinalIgnoreCase));
        }
        catch (Exception unknown) when (unknown is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return false;
        }
    }
}
