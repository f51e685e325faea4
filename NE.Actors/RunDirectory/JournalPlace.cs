using System.Text.Json.Serialization;

namespace NE.Actors.RunDirectory;

/// <summary>A database server's place for the journals of runs, as run.json names it. How one logs in there is no part of it.</summary>
/// <param name="Kind">The product: postgresql.</param>
/// <param name="Host">Name or address.</param>
/// <param name="Port">TCP port.</param>
/// <param name="Database">Name of the database.</param>
/// <param name="Schema">The schema that holds our tables.</param>
/// <param name="SslMode">As libpq names them: disable, prefer, require ...; null is the driver's default.</param>
public sealed record JournalPlace(
    string Kind,
    string Host,
    int Port,
    string Database,
    string Schema,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? SslMode = null)
{
    public const string PostgreSql = "postgresql";

    public const string DefaultSchema = "ne";

    public const int DefaultPort = 5432;

    /// <summary>As an address for people.</summary>
    public override string ToString()
    {
        var host = this.Host.Contains(':', StringComparison.Ordinal) ? $"[{this.Host}]" : this.Host;
        string[] parameters = [.. this.Schema == DefaultSchema ? (string[])[] : [$"schema={this.Schema}"], .. this.SslMode is null ? (string[])[] : [$"sslmode={this.SslMode}"]];
        return $"postgres://{host}:{this.Port}/{Uri.EscapeDataString(this.Database)}{(parameters.Length == 0 ? "" : "?")}{string.Join('&', parameters)}";
    }
}
