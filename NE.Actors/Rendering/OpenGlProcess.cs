using System.Runtime.InteropServices;

namespace NE.Actors.Rendering;

/// <summary>What holds for the whole process: Mesa's environment, and which library MuJoCo takes its OpenGL functions from.</summary>
internal static partial class OpenGlProcess
{
    private static readonly Lock gate = new();
    private static bool prepared;
    private static string? library;

    /// <summary>Before Mesa is loaded: each renderer draws on its own thread's core, unless the user says otherwise. Set through libc,
    /// because .NET keeps its own copy of the environment.</summary>
    internal static void Prepare()
    {
        lock (gate)
        {
            if (!prepared)
            {
                setenv("LP_NUM_THREADS", "0", overwrite: 0);
                prepared = true;
            }
        }
    }

    /// <summary>MuJoCo keeps one table of OpenGL functions per process, so contexts of different libraries must not be mixed: the
    /// first one that works is the process's.</summary>
    internal static void Claim(string name)
    {
        lock (gate)
        {
            library ??= name;
            if (library != name)
            {
                throw new OpenGlException($"this process draws with {library} already, and MuJoCo cannot draw with two OpenGL libraries");
            }
        }
    }

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int setenv(string name, string value, int overwrite);
}
