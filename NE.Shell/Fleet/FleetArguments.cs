using NE.Actors.Fleet;
using NE.Shell.Host;

namespace NE.Shell.Fleet;

/// <summary>What the command line says of the fleet to take part in.</summary>
/// <param name="Address">A process of it; null for none.</param>
/// <param name="KeyFile">Its key; null for the user's own file.</param>
public sealed record FleetArguments(FleetAddress? Address, string? KeyFile)
{
    public static FleetArguments None { get; } = new(null, null);

    /// <summary>The fleet's key. Of a fleet on this machine alone, one that only this user can read is made where there is none.</summary>
    /// <param name="host">Knows the user's own file.</param>
    /// <param name="mayCreate">Nobody else's machine takes part.</param>
    /// <exception cref="UserError">There is no key, or the file is none.</exception>
    public FleetKey Key(ShellHost host, bool mayCreate)
    {
        string file = this.KeyFile ?? host.FleetKey;

        try
        {
            return mayCreate && this.KeyFile is null ? FleetKey.ReadOrCreate(file) : FleetKey.Read(file);
        }
        catch (Exception missing) when (missing is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new UserError($"there is no fleet key {file}. Every machine of a fleet needs the same one: make it once with `ne fleet key {file}`, and copy it to the others by a way that you trust (scp)");
        }
        catch (Exception problem) when (problem is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            throw new UserError(problem.Message);
        }
    }
}
