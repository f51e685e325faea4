using Microsoft.Data.Sqlite;
using NE.Actors.RunDirectory;
using Npgsql;
using NpgsqlTypes;

namespace NE.Actors.Stores;

/// <summary>The rows of a run in one of the plug-in's tables, as values that are the same in every database.</summary>
internal sealed record RowForm(bool IsJournal, params (string Name, NpgsqlDbType Type)[] Columns)
{
    internal static readonly RowForm Journal = new(
        true,
        ("sequence_number", NpgsqlDbType.Bigint),
        ("created", NpgsqlDbType.Bigint),
        ("deleted", NpgsqlDbType.Boolean),
        ("message", NpgsqlDbType.Bytea),
        ("manifest", NpgsqlDbType.Text),
        ("identifier", NpgsqlDbType.Integer),
        ("writer_uuid", NpgsqlDbType.Text));

    internal static readonly RowForm Snapshots = new(
        false,
        ("sequence_number", NpgsqlDbType.Bigint),
        ("created", NpgsqlDbType.Bigint),
        ("snapshot", NpgsqlDbType.Bytea),
        ("manifest", NpgsqlDbType.Text),
        ("serializer_id", NpgsqlDbType.Integer));

    internal string TableOf(JournalStore store) => this.IsJournal ? store.Journal : store.Snapshots;

    private string Names => string.Join(", ", this.Columns.Select(column => column.Name));

    /// <summary>All rows of the run in order: whole numbers as long, the rest as text or bytes, null where there is none.</summary>
    internal IEnumerable<object?[]> Read(JournalStore store)
    {
        // Snapshots can be missing: they are made anew.
        using var connection = this.IsJournal ? store.OpenJournal() : store.TryOpenSnapshots();
        if (connection is null || !store.HasTables(connection))
        {
            yield break;
        }
        using var command = connection.CreateCommand();
        command.CommandText = $"SELECT {this.Names} FROM {this.TableOf(store)} WHERE persistence_id = @id ORDER BY sequence_number";
        var id = command.CreateParameter();
        (id.ParameterName, id.Value) = ("@id", store.PersistenceId);
        command.Parameters.Add(id);
        using var rows = command.ExecuteReader();
        while (rows.Read())
        {
            yield return [.. Enumerable.Range(0, this.Columns.Length).Select(i => rows.IsDBNull(i) ? null : Plain(rows.GetValue(i)))];
        }
    }

    /// <summary>Appends rows within the transaction that the connection has open.</summary>
    internal long Write(SqliteConnection connection, SqliteTransaction transaction, string id, IEnumerable<object?[]> rows)
    {
        using var command = connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = $"INSERT INTO {(this.IsJournal ? "journal" : "snapshot")} (persistence_id, {this.Names}) "
            + $"VALUES (@id, {string.Join(", ", this.Columns.Select((_, i) => $"@v{i}"))})";
        command.Parameters.AddWithValue("@id", id);
        var values = this.Columns.Select((_, i) => command.Parameters.AddWithValue($"@v{i}", DBNull.Value)).ToList();
        long written = 0;
        foreach (var row in rows)
        {
            for (var i = 0; i < row.Length; i++)
            {
                values[i].Value = row[i] ?? DBNull.Value;
            }
            command.ExecuteNonQuery();
            written++;
        }
        return written;
    }

    /// <summary>Appends rows within the transaction that the connection has open.</summary>
    internal long Write(NpgsqlConnection connection, JournalPlace place, string id, IEnumerable<object?[]> rows)
    {
        const int rowsAtOnce = 1000;
        long written = 0;
        foreach (var some in rows.Chunk(rowsAtOnce))
        {
            using var import = connection.BeginBinaryImport(
                $"COPY {place.Schema}.{(this.IsJournal ? "journal" : "snapshot")} (persistence_id, {this.Names}) FROM STDIN (FORMAT BINARY)");
            foreach (var row in some)
            {
                import.StartRow();
                import.Write(id, NpgsqlDbType.Text);
                for (var i = 0; i < row.Length; i++)
                {
                    this.Write(import, row[i], this.Columns[i].Type);
                }
                written++;
            }
            import.Complete();
        }
        return written;
    }

    private void Write(NpgsqlBinaryImporter import, object? value, NpgsqlDbType type)
    {
        switch (value)
        {
            case null:
                import.WriteNull();
                break;
            case long number when type is NpgsqlDbType.Boolean:
                import.Write(number != 0, type);
                break;
            case long number when type is NpgsqlDbType.Integer:
                import.Write(checked((int)number), type);
                break;
            case long number:
                import.Write(number, type);
                break;
            case byte[] bytes:
                import.Write(bytes, type);
                break;
            default:
                import.Write((string)value, type);
                break;
        }
    }

    private static object Plain(object value) => value switch
    {
        bool flag => flag ? 1L : 0L,
        int number => (long)number,
        _ => value,
    };

    /// <summary>Whether two rows are the same, byte for byte.</summary>
    internal static bool AreSame(object?[] one, object?[] other) =>
        one.Length == other.Length
        && Enumerable.Range(0, one.Length).All(i => one[i] is byte[] a && other[i] is byte[] b ? a.AsSpan().SequenceEqual(b) : Equals(one[i], other[i]));
}
