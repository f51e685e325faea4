using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace NE.Actors.Storage;

/// <summary>
/// The system calls that .NET does not offer: allocating a file for real, syncing a folder, opening without .NET's own advisory
/// lock, holding an advisory lock that the kernel releases when the process dies, and giving a file a second name.
/// </summary>
internal static partial class Posix
{
    const int ReadOnly = 0, ReadWrite = 2, Create = 0x40, Directory = 0x10000, CloseOnExec = 0x80000;
    const int LockShared = 1, LockExclusive = 2, LockNonBlocking = 4;
    const int NoSpace = 28, WouldBlock = 11, QuotaExceeded = 122, FileTooBig = 27, Interrupted = 4;
    const int NotPermitted = 1, NoSystemCall = 38, NotSupported = 95;

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenFile(string path, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Sync(SafeHandle handle);

    // Returns the error number instead of setting errno.
    [LibraryImport("libc", EntryPoint = "posix_fallocate")]
    private static partial int Allocate(SafeHandle handle, long offset, long length);

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    private static partial int Lock(SafeHandle handle, int operation);

    [LibraryImport("libc", EntryPoint = "link", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int LinkFile(string known, string another);

    [LibraryImport("libc", EntryPoint = "getpid")]
    private static partial int ProcessId();

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Signal(int process, int signal);

    /// <summary>Dies as by kill -9: nothing is flushed, nothing is disposed.</summary>
    internal static void KillSelf()
    {
        _ = Signal(ProcessId(), 9);
        Thread.Sleep(Timeout.Infinite);
    }

    /// <summary>Gives a file a second name on the same disk: it stays when the first one is deleted.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="IOException">It cannot be done.</exception>
    internal static void Link(string file, string name)
    {
        if (!TryLink(file, name))
        {
            throw new IOException($"{file} cannot be linked to {name}: that is there already");
        }
    }

    /// <summary>Gives a file a second name unless that is taken: of several who do it at the same time one does.</summary>
    /// <returns>False when the name was taken; what had it stays.</returns>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="IOException">It cannot be done; <see cref="IsWithoutLinks"/> says whether on no file of that disk.</exception>
    internal static bool TryLink(string file, string name)
    {
        const int NoEntry = 2, Exists = 17;
        if (LinkFile(file, name) == 0)
        {
            return true;
        }
        var error = Marshal.GetLastPInvokeError();
        return error switch
        {
            Exists => false,
            NoEntry => throw new FileNotFoundException($"{file} is not there"),
            _ => throw new IOException($"{file} cannot be linked to {name}: {Marshal.GetPInvokeErrorMessage(error)}", error),
        };
    }

    /// <summary>Whether the disk has no second names of files, as memory sticks have none.</summary>
    internal static bool IsWithoutLinks(IOException error) => error.HResult is NotPermitted or NoSystemCall or NotSupported;

    /// <summary>Opens for reading without taking the shared lock that .NET takes, so a file that another process holds can be read.</summary>
    internal static SafeFileHandle OpenUnlocked(string path) => Open(path, ReadOnly | CloseOnExec);

    /// <summary>Opens or creates for reading and writing; the handle is not inherited by child processes, hence neither is its lock.</summary>
    internal static SafeFileHandle OpenOrCreate(string path) => Open(path, ReadWrite | Create | CloseOnExec);

    /// <summary>True when this handle now holds the exclusive lock of its file; false when another handle holds a lock.</summary>
    internal static bool TryLock(SafeFileHandle handle, string path) => TryLock(handle, path, LockExclusive);

    /// <summary>True when nobody holds the exclusive lock: this handle now shares it with others that look.</summary>
    internal static bool TryShare(SafeFileHandle handle, string path) => TryLock(handle, path, LockShared);

    private static bool TryLock(SafeFileHandle handle, string path, int kind)
    {
        if (Lock(handle, kind | LockNonBlocking) == 0)
        {
            return true;
        }
        var error = Marshal.GetLastPInvokeError();
        return error == WouldBlock ? false : throw Failure("lock", path, error);
    }

    /// <summary>Makes names created, renamed or deleted in a folder survive a loss of power.</summary>
    internal static void SyncFolder(string folder)
    {
        using var handle = Open(folder, ReadOnly | Directory | CloseOnExec);
        if (Sync(handle) != 0)
        {
            throw Failure("sync the folder", folder, Marshal.GetLastPInvokeError());
        }
    }

    /// <summary>
    /// Reserves disk blocks for the whole length, so that a full disk shows here as an <see cref="IOException"/> and never later.
    /// </summary>
    internal static void Reserve(SafeFileHandle handle, string path, long length)
    {
        int error;
        do
        {
            error = Allocate(handle, 0, length);
        } while (error == Interrupted);
        if (error != 0)
        {
            throw Failure($"reserve {length:N0} bytes for", path, error);
        }
    }

    private static SafeFileHandle Open(string path, int flags)
    {
        // 0644: the run directory is readable for others, `ne status` of another user may look at it.
        var descriptor = OpenFile(path, flags, 0b110_100_100);
        return descriptor >= 0 ? new SafeFileHandle(descriptor, ownsHandle: true) : throw Failure("open", path, Marshal.GetLastPInvokeError());
    }

    /// <summary>Whether .NET's own error of a write is about space.</summary>
    internal static bool IsNoSpace(Exception error) => error is DiskFullException or IOException { HResult: NoSpace or QuotaExceeded or FileTooBig };

    /// <summary>.NET's own error of a write, with advice when it is about space.</summary>
    internal static IOException Explain(string verb, string path, Exception error) => error switch
    {
        DiskFullException full => full,
        IOException io when IsNoSpace(io) => Failure(verb, path, io.HResult),
        _ => new IOException($"Cannot {verb} {path}: {error.Message}", error),
    };

    private static IOException Failure(string verb, string path, int error) => error is NoSpace or QuotaExceeded or FileTooBig
        ? new DiskFullException($"Cannot {verb} {path}: {Reason(error)}. Free some space; nothing that was committed is lost.")
        : new IOException($"Cannot {verb} {path}: {Reason(error)}.", error);

    private static string Reason(int error) => error switch
    {
        NoSpace => "the disk is full",
        QuotaExceeded => "the disk quota is used up",
        FileTooBig => "the file would pass the size limit of this process or file system",
        _ => new Win32Exception(error).Message,
    };
}

/// <summary>The disk, the quota or the size limit is used up. Nothing was changed; the same call can be made again.</summary>
public sealed class DiskFullException(string message) : IOException(message, unchecked((int)0x80070070));
