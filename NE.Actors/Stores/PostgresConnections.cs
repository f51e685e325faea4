using NE.Actors.RunDirectory;
using Npgsql;

namespace NE.Actors.Stores;

/// <summary>Connections to a place on a PostgreSQL server.</summary>
internal static class PostgresConnections
{
    // A server that shares a busy machine takes its time to let somebody in.
    const int ConnectSeconds = 15, CommandSeconds = 30;

    // What a session begins with, and goes back to when it is used again. A commit must be on the server's disk when it returns. A server drops
    // a client whose machine is gone after 25 s, and with it the lock of its run.
    const string SessionOptions =
        "-c synchronous_commit=on -c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3 -c idle_in_transaction_session_timeout=60000";

    /// <param name="place">The server and database.</param>
    /// <param name="epoch">That a writer's sessions carry; null for those that only read.</param>
    /// <param name="pooled">Keep connections for the next use.</param>
    internal static string String(JournalPlace place, long? epoch = null, bool pooled = true)
    {
        var options = epoch is { } number ? $"{SessionOptions} -c {PostgresSchema.EpochSetting}={number}" : SessionOptions;
        var login = JournalLogins.Of(place);
        var text = new NpgsqlConnectionStringBuilder
        {
            Host = place.Host,
            Port = place.Port,
            Database = place.Database,
            Username = login?.User,
            Password = login?.Password,
            ApplicationName = "ne",
            Options = options,
            Timeout = ConnectSeconds,
            CommandTimeout = CommandSeconds,
            KeepAlive = 10,
            Pooling = pooled,
            // A journal writes one thing at a time; readers are few.
            MaxPoolSize = 8,
            ConnectionIdleLifetime = 30,
        };
        if (place.SslMode is { } mode)
        {
            text.SslMode = Enum.Parse<SslMode>(mode.Replace("-", "", StringComparison.Ordinal), ignoreCase: true);
        }
        return text.ToString();
    }

    /// <exception cref="JournalUnavailableException">Says why there is none.</exception>
    internal static NpgsqlConnection Open(JournalPlace place, long? epoch = null, bool pooled = true) =>
        Saying(place, () =>
        {
            var connection = new NpgsqlConnection(String(place, epoch, pooled));
            try
            {
                connection.Open();
                return connection;
            }
            catch
            {
                connection.Dispose();
                throw;
            }
        });

    /// <summary>Does something, with the driver's errors as sentences.</summary>
    /// <exception cref="JournalUnavailableException">The server or the driver failed.</exception>
    /// <exception cref="JournalLeaseException">The server has given the run to another process.</exception>
    internal static T Saying<T>(JournalPlace place, Func<T> action)
    {
        try
        {
            return action();
        }
        catch (PostgresException displaced) when (PostgresText.IsDisplaced(displaced))
        {
            throw new JournalLeaseException(PostgresText.DisplacedText);
        }
        catch (Exception error) when (PostgresText.Of(error, place) is { } sentence)
        {
            throw new JournalUnavailableException(sentence, error);
        }
    }

    internal static NpgsqlCommand Command(this NpgsqlConnection connection, string text, params (string Name, object Value)[] parameters)
    {
        var command = connection.CreateCommand();
        command.CommandText = text;
        foreach (var (name, value) in parameters)
        {
            command.Parameters.AddWithValue(name, value);
        }
        return command;
    }

    internal static int Execute(this NpgsqlConnection connection, string text, params (string Name, object Value)[] parameters)
    {
        using var command = connection.Command(text, parameters);
        return command.ExecuteNonQuery();
    }

    /// <summary>Deletes a run's rows, however long that takes.</summary>
    internal static void DeleteRun(this NpgsqlConnection connection, string table, string runId)
    {
        using var command = connection.Command($"DELETE FROM {table} WHERE persistence_id = @id", ("id", runId));
        command.CommandTimeout = 0;
        command.ExecuteNonQuery();
    }

    internal static T? Ask<T>(this NpgsqlConnection connection, string text, params (string Name, object Value)[] parameters)
    {
        using var command = connection.Command(text, parameters);
        return command.ExecuteScalar() is T value ? value : default;
    }
}
