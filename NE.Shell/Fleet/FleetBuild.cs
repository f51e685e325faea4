using System.Security.Cryptography;
using NE.Actors.Fleet;
using NE.Actors.Hosting;
using NE.Model;

namespace NE.Shell.Fleet;

/// <summary>What this program is, as one line by which processes of a fleet see that they are the same.</summary>
public static class FleetBuild
{
    /// <summary>The version, and a sum over what the compiler made of the sources: two builds of one commit, one of them with changes, differ.</summary>
    public static string Text { get; } = $"{RunPrerequisites.Version} [{Sum()}]";

    private static string Sum()
    {
        Guid[] modules = [.. ((Type[])[typeof(Settings), typeof(FleetMember), typeof(FleetBuild)]).Select(type => type.Module.ModuleVersionId)];
        return Convert.ToHexStringLower(SHA256.HashData([.. modules.SelectMany(module => module.ToByteArray())]))[..8];
    }
}
