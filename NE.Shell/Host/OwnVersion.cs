using System.Reflection;

namespace NE.Shell.Host;

/// <summary>This program.</summary>
public static class OwnVersion
{
    /// <summary>This program's version with the commit that it was built from.</summary>
    public static string Text { get; } =
        typeof(OwnVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";
}
