using System.Collections.Concurrent;
using System.Data;
using NE.Actors.RunDirectory;
using Npgsql;

namespace NE.Actors.Stores;

/// <summary>
/// The right to write a run's journal on a server. A session's advisory lock keeps a second process from starting; it is gone when that session
/// is, however it ended. What keeps a process out whose session was cut while another took over is the epoch: taking a run raises it, and the
/// server's triggers (<see cref="PostgresSchema"/>) refuse every transaction of an older one, also one that began before.
/// </summary>
internal sealed class PostgresLease : IDisposable
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(3), BetweenAttempts = TimeSpan.FromMilliseconds(50);

    /// <summary>By run directory: those that write for this process.</summary>
    static readonly ConcurrentDictionary<string, PostgresLease> held = new();

    readonly JournalPlace place;
    readonly string persistenceId;
    readonly object gate = new();
    NpgsqlConnection? session;

    private PostgresLease(JournalPlace place, string persistenceId, NpgsqlConnection session, long epoch) =>
        (this.place, this.persistenceId, this.session, this.Epoch) = (place, persistenceId, session, epoch);

    /// <summary>Raised by every process that takes the run.</summary>
    internal long Epoch { get; }

    /// <summary>Of the sessions that may write.</summary>
    internal string WriterString => PostgresConnections.String(this.place, this.Epoch);

    /// <summary>The lease that this process holds for a run directory; null when it holds none.</summary>
    internal static PostgresLease? Of(RunPaths run) => held.GetValueOrDefault(run.Root);

    /// <summary>Takes a run for this process, until <see cref="Release"/>; the one that it has already where it has one.</summary>
    /// <exception cref="RunFolderException">Another process holds it; the message names it.</exception>
    internal static PostgresLease Hold(RunPaths run, JournalPlace place, string persistenceId)
    {
        if (held.TryGetValue(run.Root, out var own) && own.place == place && own.persistenceId == persistenceId)
        {
            return own;
        }
        Release(run);
        return held[run.Root] = Take(place, persistenceId);
    }

    internal static void Release(RunPaths run)
    {
        if (held.TryRemove(run.Root, out var lease))
        {
            lease.Dispose();
        }
    }

    /// <exception cref="RunFolderException">Another process holds it; the message names it.</exception>
    /// <exception cref="JournalUnavailableException">The server cannot be used.</exception>
    internal static PostgresLease Take(JournalPlace place, string persistenceId)
    {
        var connection = PostgresConnections.Open(place, pooled: false);
        try
        {
            return PostgresConnections.Saying(place, () =>
            {
                // The server may notice a little later than we that a process has died.
                var deadline = Environment.TickCount64 + (long)Patience.TotalMilliseconds;
                while (!TryLock(connection, place, persistenceId))
                {
                    if (Environment.TickCount64 > deadline)
                    {
                        var holder = connection.Ask<string>($"SELECT holder || ', since ' || to_char(taken AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') || ' UTC' FROM {place.Schema}.lease WHERE persistence_id = @id", ("id", persistenceId));
                        throw new RunFolderException(
                            $"The run's journal at {place} is in use by {holder ?? "another process"}. Wait for it or stop it first; if its machine is gone, the server notices within half a minute.");
                    }
                    Thread.Sleep(BetweenAttempts);
                }
                var epoch = connection.Ask<long>(
                    $"INSERT INTO {place.Schema}.lease AS l VALUES (@id, 1, @holder, now()) ON CONFLICT (persistence_id) DO UPDATE "
                    + "SET epoch = l.epoch + 1, holder = excluded.holder, taken = excluded.taken RETURNING epoch",
                    ("id", persistenceId),
                    ("holder", $"process {Environment.ProcessId} on {Environment.MachineName}"));
                return new PostgresLease(place, persistenceId, connection, epoch);
            });
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Takes the lock again when its session was cut, which is possible while nobody else took the run.</summary>
    /// <exception cref="JournalLeaseException">Somebody did; it never comes back.</exception>
    /// <exception cref="JournalUnavailableException">The server cannot be used now.</exception>
    internal void Ensure()
    {
        lock (this.gate)
        {
            PostgresConnections.Saying(this.place, () =>
            {
                if (!this.IsAlive())
                {
                    this.session?.Dispose();
                    this.session = null;
                    var again = PostgresConnections.Open(this.place, pooled: false);
                    try
                    {
                        this.Retake(again);
                        this.session = again;
                    }
                    catch
                    {
                        again.Dispose();
                        throw;
                    }
                }
                return true;
            });
        }
    }

    public void Dispose()
    {
        lock (this.gate)
        {
            this.session?.Dispose();
            this.session = null;
        }
        using var pooled = new NpgsqlConnection(this.WriterString);
        NpgsqlConnection.ClearPool(pooled);
    }

    private bool IsAlive()
    {
        try
        {
            return this.session is { State: ConnectionState.Open } open && open.Ask<int>("SELECT 1") == 1;
        }
        catch (Exception cut) when (cut is NpgsqlException or InvalidOperationException)
        {
            return false;
        }
    }

    private void Retake(NpgsqlConnection again)
    {
        // The lock first: from then on nobody else can raise the epoch.
        var locked = TryLock(again, this.place, this.persistenceId);
        if (again.Ask<long>($"SELECT epoch FROM {this.place.Schema}.lease WHERE persistence_id = @id", ("id", this.persistenceId)) != this.Epoch)
        {
            throw new JournalLeaseException(PostgresText.DisplacedText);
        }
        if (!locked)
        {
            throw new JournalUnavailableException("The session that held the run's lock on the server has not ended yet.");
        }
    }

    private static bool TryLock(NpgsqlConnection connection, JournalPlace place, string persistenceId) =>
        connection.Ask<bool>("SELECT pg_try_advisory_lock(hashtextextended(@key, 0))", ("key", $"ne run {place.Schema} {persistenceId}"));
}
