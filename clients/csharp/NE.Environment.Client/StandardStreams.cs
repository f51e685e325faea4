using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace NE.EnvironmentClient;

/// <summary>Takes standard input and output for the protocol alone. Native libraries, and programs that the environment starts, find an empty input and
/// standard error in their place, and do not get the pipes themselves.</summary>
internal static partial class StandardStreams
{
    private const int Input = 0;
    private const int Output = 1;
    private const int Error = 2;

    private const int ReadOnly = 0;

    /// <summary>F_DUPFD_CLOEXEC of Linux: a copy that ends where another program begins.</summary>
    private const int CopyForThisProgram = 1030;

    internal static Stream TakeInput()
    {
        var own = Copy(Input);
        using var nothing = new SafeFileHandle(Require(Open("/dev/null", ReadOnly)), ownsHandle: true);
        Require(Replace((int)nothing.DangerousGetHandle(), Input));
        return new FileStream(own, FileAccess.Read, bufferSize: 0);
    }

    internal static Stream TakeOutput()
    {
        var own = Copy(Output);
        Require(Replace(Error, Output));
        return new FileStream(own, FileAccess.Write, bufferSize: 0);
    }

    private static SafeFileHandle Copy(int descriptor) => new(Require(Control(descriptor, CopyForThisProgram, Error + 1)), ownsHandle: true);

    private static int Require(int result) => result >= 0 ? result : throw new Win32Exception(Marshal.GetLastPInvokeError());

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    private static partial int Control(int descriptor, int command, int least);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "dup2", SetLastError = true)]
    private static partial int Replace(int descriptor, int replaced);
}
