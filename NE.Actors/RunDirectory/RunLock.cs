using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Win32.SafeHandles;
using NE.Actors.Storage;

namespace NE.Actors.RunDirectory;

/// <summary>The process that works on a run.</summary>
public sealed record RunHolder(int ProcessId, string Host, DateTimeOffset Started);

/// <summary>
/// The right to work on a run. The kernel holds the lock, so it is gone the moment the process dies, however it dies; the file's text
/// names the holder for others to read.
/// </summary>
public sealed class RunLock : IDisposable
{
    const int Attempts = 10;
    static readonly TimeSpan BetweenAttempts = TimeSpan.FromMilliseconds(20);

    readonly SafeFileHandle handle;

    private RunLock(SafeFileHandle handle) => this.handle = handle;

    /// <exception cref="RunFolderException">Another process holds it; the message names it.</exception>
    public static RunLock Take(RunPaths run) => Take(run.Lock, $"The run '{run.Name}'");

    /// <summary>The right to work on something else than a run that has a lock file.</summary>
    /// <param name="file">Created when absent.</param>
    /// <param name="what">Begins the message, such as "The sweep 'x'".</param>
    /// <exception cref="RunFolderException">Another process holds it; the message names it.</exception>
    public static RunLock Take(string file, string what)
    {
        var handle = Posix.OpenOrCreate(file);
        try
        {
            // `ne status` of another process holds the lock for a moment while it looks; a holder keeps it.
            for (var attempt = 1; !Posix.TryLock(handle, file); attempt++)
            {
                if (attempt < Attempts)
                {
                    Thread.Sleep(BetweenAttempts);
                    continue;
                }
                throw new RunFolderException(Busy(what, ReadHolder(handle)));
            }
            var me = new RunHolder(Environment.ProcessId, Environment.MachineName, DateTimeOffset.UtcNow);
            var text = JsonSerializer.SerializeToUtf8Bytes(me, RunLockJson.Default.RunHolder);
            RandomAccess.SetLength(handle, 0);
            RandomAccess.Write(handle, text, 0);
            return new RunLock(handle);
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <summary>The process that works on the run now; null when there is none, whatever run.json says.</summary>
    public static RunHolder? Holder(RunPaths run) => Holder(run.Lock);

    /// <summary>The process that holds a lock file now; null when there is none.</summary>
    public static RunHolder? Holder(string file)
    {
        if (!File.Exists(file))
        {
            return null;
        }
        using var handle = Posix.OpenUnlocked(file);
        return Posix.TryShare(handle, file) ? null : ReadHolder(handle) ?? new RunHolder(0, "unknown", DateTimeOffset.UnixEpoch);
    }

    public void Dispose() => this.handle.Dispose();

    private static RunHolder? ReadHolder(SafeFileHandle handle)
    {
        var text = new byte[1024];
        var length = RandomAccess.Read(handle, text, 0);
        try
        {
            return JsonSerializer.Deserialize(text.AsSpan(0, length), RunLockJson.Default.RunHolder);
        }
        catch (JsonException)
        {
            // The holder is between taking the lock and writing its name.
            return null;
        }
    }

    private static string Busy(string what, RunHolder? holder) => holder is null
        ? $"{what} is in use by another process. Wait for it or stop it first."
        : $"{what} is in use by process {holder.ProcessId} on {holder.Host}, started {holder.Started:yyyy-MM-dd HH:mm:ss} UTC. Wait for it or stop it first.";
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(RunHolder))]
internal sealed partial class RunLockJson : JsonSerializerContext;
