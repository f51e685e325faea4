using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace NE.Shell.Host;

/// <summary>
/// What lies in a program's folder now. A build replaces it under a process that works: what is loaded stays as it was, but a process that
/// is started afterwards is of another build.
/// </summary>
public static class OwnBuild
{
    /// <summary>
    /// Every assembly with its module version id, which the compiler makes from what it compiles and from the commit, so that building the same
    /// commit once more changes nothing; every other file with its length. Never throws: a file that is just being written reads as another one.
    /// </summary>
    public static string Of(string folder) => Directory.Exists(folder)
        ? string.Join('\n', Directory.EnumerateFiles(folder).Order(StringComparer.Ordinal).Select(file => $"{Path.GetFileName(file)} {VersionOf(file)}"))
        : "";

    private static string VersionOf(string file)
    {
        try
        {
            if (!file.EndsWith(".dll", StringComparison.Ordinal))
            {
                return new FileInfo(file).Length.ToString(System.Globalization.CultureInfo.InvariantCulture);
            }

            using var assembly = new PEReader(File.OpenRead(file));
            MetadataReader metadata = assembly.GetMetadataReader();
            return metadata.GetGuid(metadata.GetModuleDefinition().Mvid).ToString();
        }
        catch (Exception half) when (half is IOException or UnauthorizedAccessException or BadImageFormatException or InvalidOperationException)
        {
            return "cannot be read";
        }
    }
}
