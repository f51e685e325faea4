using NE.Actors.RunDirectory;
using Npgsql;

namespace NE.Actors.Stores;

/// <summary>
/// Our tables on a PostgreSQL server: those of Akka.Persistence.Sql, and who may write for which run. The plug-in's transactions are not ours to
/// change, so the server itself checks every one of them: triggers refuse rows of a session that does not carry the run's present epoch, and
/// keep that epoch from changing before the transaction has ended.
/// </summary>
internal static class PostgresSchema
{
    /// <summary>The setting by which a session says for which epoch it writes.</summary>
    internal const string EpochSetting = "ne.epoch";

    private const int OldestVersion = 150000;

    /// <summary>Makes a place ready for journals, whoever else does so now; changes nothing where all is there.</summary>
    /// <exception cref="JournalUnavailableException">It cannot be reached, does not let us in, or does not keep what it commits.</exception>
    internal static void Prepare(JournalPlace place)
    {
        using var connection = PostgresConnections.Open(place);
        PostgresConnections.Saying(place, () =>
        {
            Require(connection, place);
            if (!IsThere(connection, place))
            {
                Create(connection, place);
            }
            foreach (var table in (string[])["journal", "snapshot", "tags", "lease"])
            {
                if (!connection.Ask<bool>("SELECT has_schema_privilege(@schema, 'USAGE') AND has_table_privilege(@table, 'SELECT') AND has_table_privilege(@table, 'INSERT') AND "
                    + "has_table_privilege(@table, 'UPDATE') AND has_table_privilege(@table, 'DELETE')", ("schema", place.Schema), ("table", $"{place.Schema}.{table}")))
                {
                    throw new PostgresException($"permission denied for table {place.Schema}.{table}", "ERROR", "ERROR", PostgresErrorCodes.InsufficientPrivilege);
                }
            }
            return true;
        });
    }

    /// <summary>Looks only.</summary>
    internal static string Examine(JournalPlace place)
    {
        using var connection = PostgresConnections.Open(place);
        return PostgresConnections.Saying(place, () =>
        {
            Require(connection, place);
            return $"PostgreSQL {connection.PostgreSqlVersion} at {place}{(IsThere(connection, place) ? "" : "; its tables are made by the first run")}";
        });
    }

    /// <summary>Deletes the schema with all that is in it.</summary>
    internal static void Drop(JournalPlace place)
    {
        using var connection = PostgresConnections.Open(place, pooled: false);
        PostgresConnections.Saying(place, () =>
        {
            connection.Execute($"DROP SCHEMA IF EXISTS {place.Schema} CASCADE");
            return true;
        });
    }

    internal static bool IsThere(NpgsqlConnection connection, JournalPlace place) =>
        connection.Ask<bool>(
            "SELECT count(*) = 4 FROM pg_catalog.pg_tables WHERE schemaname = @schema AND tablename IN ('journal', 'snapshot', 'tags', 'lease')", ("schema", place.Schema));

    private static void Require(NpgsqlConnection connection, JournalPlace place)
    {
        var server = $"PostgreSQL at {place.Host}:{place.Port}";
        if (connection.PostgreSqlVersion.Major * 10000 < OldestVersion)
        {
            throw new JournalUnavailableException($"{server} is version {connection.PostgreSqlVersion}; a journal needs {OldestVersion / 10000} or newer.");
        }
        if (connection.Ask<string>("SHOW fsync") != "on")
        {
            throw new JournalUnavailableException($"{server} runs with fsync=off: what it commits may be gone when its machine fails, and a journal promises otherwise. Switch it on.");
        }
        if (connection.Ask<string>("SHOW synchronous_commit") != "on")
        {
            throw new JournalUnavailableException($"{server}, or a pooler before it, does not let a session have synchronous_commit=on. Connect to the server itself.");
        }
        if (connection.Ask<bool>("SELECT pg_is_in_recovery()"))
        {
            throw new JournalUnavailableException($"{server} is a standby, which can only be read. Give the address of the primary.");
        }
    }

    private static void Create(NpgsqlConnection connection, JournalPlace place)
    {
        using var transaction = connection.BeginTransaction();
        // Two first runs at once create once.
        connection.Execute("SELECT pg_advisory_xact_lock(hashtextextended(@key, 0))", ("key", $"ne schema {place.Schema}"));
        if (!connection.Ask<bool>("SELECT count(*) > 0 FROM pg_catalog.pg_namespace WHERE nspname = @schema", ("schema", place.Schema)))
        {
            connection.Execute($"CREATE SCHEMA {place.Schema}");
        }
        connection.Execute(Tables(place.Schema));
        foreach (var table in (string[])["journal", "snapshot"])
        {
            foreach (var (operation, rows) in ((string, string)[])[("insert", "NEW"), ("update", "NEW"), ("delete", "OLD")])
            {
                connection.Execute(
                    $"CREATE OR REPLACE TRIGGER {table}_{operation}_lease AFTER {operation} ON {place.Schema}.{table} REFERENCING {rows} TABLE AS touched "
                    + $"FOR EACH STATEMENT EXECUTE FUNCTION {place.Schema}.require_lease()");
            }
        }
        transaction.Commit();
    }

    /// <summary>Tables as Akka.Persistence.Sql would make them, without the indices that nothing here reads by.</summary>
    private static string Tables(string schema) => $$"""
        CREATE TABLE IF NOT EXISTS {{schema}}.journal (
            ordering bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            created bigint NOT NULL,
            deleted boolean NOT NULL,
            persistence_id text NOT NULL,
            sequence_number bigint NOT NULL,
            message bytea NOT NULL,
            manifest text,
            identifier integer,
            writer_uuid text,
            CONSTRAINT journal_uq UNIQUE (persistence_id, sequence_number)
        );
        CREATE INDEX IF NOT EXISTS journal_manifest_idx ON {{schema}}.journal (persistence_id, manifest, sequence_number);
        CREATE TABLE IF NOT EXISTS {{schema}}.snapshot (
            persistence_id text NOT NULL,
            sequence_number bigint NOT NULL,
            created bigint NOT NULL,
            snapshot bytea,
            manifest text,
            serializer_id integer,
            PRIMARY KEY (persistence_id, sequence_number)
        );
        CREATE TABLE IF NOT EXISTS {{schema}}.tags (
            ordering_id bigint NOT NULL,
            tag text NOT NULL,
            sequence_nr bigint NOT NULL,
            persistence_id text NOT NULL,
            PRIMARY KEY (ordering_id, tag)
        );
        CREATE TABLE IF NOT EXISTS {{schema}}.lease (
            persistence_id text PRIMARY KEY,
            epoch bigint NOT NULL,
            holder text NOT NULL,
            taken timestamptz NOT NULL
        );
        CREATE OR REPLACE FUNCTION {{schema}}.require_lease() RETURNS trigger LANGUAGE plpgsql AS $body$
        DECLARE
            run text;
            present bigint;
            mine bigint := nullif(current_setting('{{EpochSetting}}', true), '')::bigint;
        BEGIN
            FOR run IN SELECT DISTINCT persistence_id FROM touched LOOP
                -- Shared until the transaction ends: whoever takes the run over waits for it, and whoever comes later sees the new epoch.
                SELECT epoch INTO present FROM {{schema}}.lease WHERE persistence_id = run FOR SHARE;
                IF mine IS NULL OR present IS DISTINCT FROM mine THEN
                    RAISE EXCEPTION 'run % belongs to epoch %, this session to %', run, present, mine USING ERRCODE = '{{PostgresText.Displaced}}';
                END IF;
            END LOOP;
            RETURN NULL;
        END
        $body$;
        """;
}
