using System.Data;
using System.Data.Common;
using NE.Actors.RunDirectory;
using Npgsql;

namespace NE.Actors.Stores;

/// <summary>Journals and snapshots of many runs in a schema of a PostgreSQL server, each under its run's id.</summary>
internal sealed class PostgresStore(JournalPlace place, string runId) : JournalStore
{
    internal JournalPlace Place => place;

    internal override string Where => place.ToString();

    internal override string PersistenceId => runId;

    internal override string Journal => $"{place.Schema}.journal";

    internal override string Snapshots => $"{place.Schema}.snapshot";

    internal override bool MayExist => true;

    // Not from the pool: a session of before the server was killed would fail its reader.
    internal override DbConnection OpenJournal() => PostgresConnections.Open(place, pooled: false);

    internal override DbConnection? TryOpenSnapshots() => PostgresConnections.Open(place, pooled: false);

    internal override DbTransaction BeginRead(DbConnection connection)
    {
        var transaction = connection.BeginTransaction(IsolationLevel.RepeatableRead);
        ((NpgsqlConnection)connection).Execute("SET TRANSACTION READ ONLY");
        return transaction;
    }

    internal override bool HasTables(DbConnection connection) => PostgresSchema.IsThere((NpgsqlConnection)connection, place);

    internal override Exception Unreadable(DbException error) =>
        new JournalUnavailableException(PostgresText.Of(error, place) ?? error.Message, error);
}
