using System.Runtime.InteropServices;

namespace NE.Actors.Hosting;

/// <summary>The C library of this process. Policies act, and draw their noise, through its tanh, exp and log, whose last bits are its version's.</summary>
internal static partial class CLibrary
{
    /// <summary>Its name and version, such as "glibc 2.36"; null for one that does not say.</summary>
    public static string? Version { get; } = Read();

    private static string? Read()
    {
        try
        {
            return $"glibc {Marshal.PtrToStringUTF8(GnuGetLibcVersion())}";
        }
        catch (EntryPointNotFoundException)
        {
            return null;
        }
    }

    [LibraryImport("libc", EntryPoint = "gnu_get_libc_version")]
    private static partial nint GnuGetLibcVersion();
}
