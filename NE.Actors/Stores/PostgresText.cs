using System.Net.Sockets;
using NE.Actors.RunDirectory;
using Npgsql;

namespace NE.Actors.Stores;

/// <summary>Sentences about what a PostgreSQL server refuses. The server's own texts name the user, so those of a login are not repeated.</summary>
public static class PostgresText
{
    /// <summary>SQLSTATE of a writer that was displaced; raised by <see cref="PostgresSchema"/>'s triggers.</summary>
    internal const string Displaced = "NE001";

    private const string Credentials = "Give user and password in NE_JOURNAL (postgres://USER:PASSWORD@HOST/DATABASE), or PGUSER with PGPASSWORD or ~/.pgpass.";

    /// <summary>One sentence or two; null for an error that is not the server's.</summary>
    /// <param name="error">What the driver threw.</param>
    /// <param name="place">Names the server; null where it is not known.</param>
    public static string? Of(Exception error, JournalPlace? place = null)
    {
        var server = place is null ? "PostgreSQL" : $"PostgreSQL at {place.Host}:{place.Port}";
        return error switch
        {
            PostgresException { SqlState: Displaced } => DisplacedText,
            PostgresException { SqlState: PostgresErrorCodes.InvalidPassword or PostgresErrorCodes.InvalidAuthorizationSpecification } =>
                $"{server} refused the login. {Credentials}",
            PostgresException { SqlState: PostgresErrorCodes.InvalidCatalogName } =>
                $"{server} has no database {(place is null ? "of that name" : $"'{place.Database}'")}. Create it (createdb), or correct its name.",
            PostgresException { SqlState: PostgresErrorCodes.InsufficientPrivilege } denied =>
                $"{server} does not give this user the rights that a journal needs ({denied.MessageText}). The database's owner can: GRANT CREATE ON DATABASE; for a schema that is there: "
                + "GRANT USAGE on it, and SELECT, INSERT, UPDATE, DELETE on its tables.",
            PostgresException { SqlState: PostgresErrorCodes.CannotConnectNow or PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown } =>
                $"{server} is starting or stopping.",
            PostgresException { SqlState: PostgresErrorCodes.TooManyConnections } => $"{server} has no connection left (max_connections).",
            PostgresException { SqlState: PostgresErrorCodes.DiskFull } => $"{server} says that its disk is full.",
            PostgresException said => $"{server} says: {said.MessageText} (SQLSTATE {said.SqlState}).",
            NpgsqlException { Message: var message } when message.StartsWith("No password", StringComparison.Ordinal) => $"{server} wants a password and none was given. {Credentials}",
            NpgsqlException { InnerException: SocketException { SocketErrorCode: SocketError.HostNotFound or SocketError.TryAgain } } =>
                $"{server} cannot be found: there is no host of that name. Correct the address.",
            NpgsqlException { InnerException: SocketException socket } => $"{server} does not answer ({socket.Message}). Start it, or correct host and port.",
            NpgsqlException or SocketException or TimeoutException => $"{server} does not answer, or its connection broke ({Innermost(error).Message}).",
            _ => null,
        };
    }

    internal const string DisplacedText = "Another process has taken this run over, so this one may not write to its journal any more. Stop one of the two; nothing of what was committed is lost.";

    /// <summary>The first error of a chain that the server or the driver made; null when there is none.</summary>
    internal static Exception? Find(Exception? error) => error switch
    {
        null => null,
        PostgresException or NpgsqlException => error,
        AggregateException many => many.InnerExceptions.Select(Find).FirstOrDefault(found => found is not null),
        _ => Find(error.InnerException),
    };

    internal static bool IsDisplaced(Exception? error) => error is PostgresException { SqlState: Displaced };

    private static Exception Innermost(Exception error) => error.InnerException is { } inner ? Innermost(inner) : error;
}
