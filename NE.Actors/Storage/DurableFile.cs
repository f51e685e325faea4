using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace NE.Actors.Storage;

/// <summary>Files that are either complete or absent, whatever moment the process or the power dies.</summary>
public static class DurableFile
{
    /// <summary>Ends the names of files that are still being written; those found at a start are left-overs.</summary>
    internal const string TemporarySuffix = ".tmp";

    /// <summary>
    /// Writes beside the target, syncs, renames over it. The caller syncs the folder (once for many files) with <see cref="SyncFolder"/>.
    /// </summary>
    internal static void Write(string path, ReadOnlySpan<byte> content)
    {
        var temporary = path + TemporarySuffix;
        try
        {
            using (var handle = File.OpenHandle(temporary, FileMode.Create, FileAccess.Write, FileShare.None))
            {
                Faults.Write("file", temporary, content, half => RandomAccess.Write(handle, half, 0));
                RandomAccess.Write(handle, content, 0);
                Faults.Call("file.sync", temporary);
                RandomAccess.FlushToDisk(handle);
            }
            Faults.Call("file.rename", path);
            File.Move(temporary, path, overwrite: true);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            TryDelete(temporary);
            throw Posix.Explain($"write {content.Length:N0} bytes to", path, error);
        }
    }

    /// <summary>Writes a file piece by piece beside its place, syncs and renames it, and syncs the folder. Nothing is left when it fails.</summary>
    /// <param name="path">In a folder that is there.</param>
    /// <param name="overwrite">Replace a file of that name.</param>
    /// <param name="write">Is given the stream; what it throws goes on.</param>
    /// <exception cref="IOException">The file could not be written, or its name is taken.</exception>
    internal static void Write(string path, bool overwrite, Action<Stream> write)
    {
        var temporary = path + TemporarySuffix;
        try
        {
            using (var stream = new FileStream(temporary, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 1 << 16))
            {
                write(stream);
                stream.Flush(flushToDisk: true);
            }
            if (overwrite)
            {
                File.Move(temporary, path, overwrite: true);
            }
            else if (!TryPutInPlace(temporary, path))
            {
                throw new IOException($"{path} is there already");
            }
            SyncFolder(Path.GetDirectoryName(Path.GetFullPath(path))!);
        }
        catch (Exception error)
        {
            TryDelete(temporary);
            if (Posix.IsNoSpace(error))
            {
                throw Posix.Explain("write", path, error);
            }
            throw;
        }
    }

    /// <summary>Makes a text file unless there is one. Whoever finds it finds it whole, and of several who make it at the same time one does.</summary>
    /// <param name="path">In a folder that is there.</param>
    /// <param name="content">As UTF-8.</param>
    /// <param name="mode">Who may use it.</param>
    /// <returns>False when there was one, which stays.</returns>
    /// <exception cref="IOException">It cannot be written.</exception>
    internal static bool TryCreateText(string path, string content, UnixFileMode mode)
    {
        var own = $"{path}.{Guid.NewGuid():N}{TemporarySuffix}";
        try
        {
#pragma warning disable CA1416 // Permissions of files are those of Linux, as is all of this program.
            using (var writer = new StreamWriter(own, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = mode }))
#pragma warning restore CA1416
            {
                writer.Write(content);
            }
            return TryPutInPlace(own, path);
        }
        finally
        {
            TryDelete(own);
        }
    }

    /// <summary>
    /// Gives a complete file its name unless that is taken. `File.Move` looks whether it is taken and renames then, and whoever took it in between
    /// loses what they had; the kernel's link does both in one.
    /// </summary>
    private static bool TryPutInPlace(string complete, string path)
    {
        try
        {
            if (!Posix.TryLink(complete, path))
            {
                return false;
            }
            TryDelete(complete);
            return true;
        }
        catch (IOException error) when (Posix.IsWithoutLinks(error))
        {
            // Nothing better is to be had there.
            if (File.Exists(path))
            {
                return false;
            }
            File.Move(complete, path);
            return true;
        }
    }

    /// <summary>Replaces a text file as a whole, also through a loss of power.</summary>
    public static void WriteText(string path, string content) => WriteBytes(path, System.Text.Encoding.UTF8.GetBytes(content));

    /// <summary>Replaces a file as a whole, also through a loss of power.</summary>
    public static void WriteBytes(string path, ReadOnlySpan<byte> content)
    {
        Write(path, content);
        SyncFolder(Path.GetDirectoryName(path)!);
    }

    internal static void SyncFolder(string folder)
    {
        Faults.Call("folder.sync", folder);
        Posix.SyncFolder(folder);
    }

    /// <summary>Syncs a file that something else writes; does nothing when there is no such file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="again">So many bytes from its beginning are written again first, because a sync of them has failed; nobody changes them.</param>
    internal static void SyncIfPresent(string path, long again = 0)
    {
        if (!File.Exists(path))
        {
            return;
        }
        using var handle = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        WriteAgain(handle, 0, again);
        Faults.Call("table.sync", path);
        RandomAccess.FlushToDisk(handle);
    }

    /// <summary>Writes bytes of a file again that nobody changes meanwhile, so that the next sync has them to write.</summary>
    internal static void WriteAgain(SafeFileHandle file, long from, long to)
    {
        var buffer = new byte[(int)Math.Clamp(to - from, 0, 1 << 20)];
        while (from < to)
        {
            var read = RandomAccess.Read(file, buffer.AsSpan(0, (int)Math.Min(buffer.Length, to - from)), from);
            if (read == 0)
            {
                return;
            }
            RandomAccess.Write(file, buffer.AsSpan(0, read), from);
            from += read;
        }
    }

    internal static string Sha256(ReadOnlySpan<byte> content) => Convert.ToHexStringLower(SHA256.HashData(content));

    /// <summary>SHA-256 of the first <paramref name="length"/> bytes; the caller has checked that there are as many.</summary>
    internal static string Sha256OfPrefix(SafeFileHandle handle, long length)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        HashPrefix(handle, length, hash);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>Appends the first <paramref name="length"/> bytes to a hash.</summary>
    /// <returns>How many there were: fewer when the file is shorter.</returns>
    internal static long HashPrefix(SafeFileHandle handle, long length, IncrementalHash hash)
    {
        var buffer = new byte[(int)Math.Min(length, 1 << 16)];
        long offset = 0;
        while (offset < length)
        {
            var read = RandomAccess.Read(handle, buffer.AsSpan(0, (int)Math.Min(buffer.Length, length - offset)), offset);
            if (read == 0)
            {
                break;
            }
            hash.AppendData(buffer, 0, read);
            offset += read;
        }
        return offset;
    }

    private static void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // A left-over is swept at the next start; the error that brought us here is the one to tell.
        }
    }
}
