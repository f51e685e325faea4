using System.Text.RegularExpressions;
using NE.Actors.RunDirectory;

namespace NE.Actors.Stores;

/// <summary>User and password for a server. Never written to a file and never printed.</summary>
public sealed record JournalLogin(string User, string? Password)
{
    public override string ToString() => "(login)";
}

/// <summary>A server's place for journals as a user gives it: with the login, if the address has one.</summary>
public sealed partial record JournalUrl(JournalPlace Place, JournalLogin? Login)
{
    /// <summary>What an address looks like.</summary>
    public const string Form = "postgres://[USER[:PASSWORD]@]HOST[:PORT]/DATABASE[?schema=NAME&sslmode=MODE]";

    static readonly string[] sslModes = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];

    /// <summary>Null when the text is no such address. Then it must not be printed: a password may be anywhere in it.</summary>
    public static JournalUrl? TryParse(string text)
    {
        if (Address().Match(text) is not { Success: true } match
            || Uri.CheckHostName(match.Groups["host"].Value.Trim('[', ']')) is UriHostNameType.Unknown
            || Port(match.Groups["port"].Value) is not { } port)
        {
            return null;
        }
        var parameters = match.Groups["query"].Value.Split('&', StringSplitOptions.RemoveEmptyEntries).Select(pair => pair.Split('=', 2)).ToList();
        var place = new JournalPlace(
            JournalPlace.PostgreSql, match.Groups["host"].Value.Trim('[', ']'), port, Uri.UnescapeDataString(match.Groups["database"].Value), JournalPlace.DefaultSchema);
        foreach (var parameter in parameters)
        {
            switch (parameter)
            {
                case ["schema", var schema] when Schema().IsMatch(schema):
                    place = place with { Schema = schema };
                    break;
                case ["sslmode", var mode] when sslModes.Contains(mode):
                    place = place with { SslMode = mode };
                    break;
                default:
                    return null;
            }
        }
        var user = Uri.UnescapeDataString(match.Groups["user"].Value);
        var password = match.Groups["password"] is { Success: true } given ? Uri.UnescapeDataString(given.Value) : null;
        return new JournalUrl(place, user.Length == 0 ? null : new JournalLogin(user, password));
    }

    /// <summary>An address with the login that this process was given for it, if any.</summary>
    public static JournalUrl WithKnownLogin(JournalPlace place) => new(place, JournalLogins.Of(place));

    /// <summary>The address with its login, for the environment of a child process.</summary>
    public string Secret => this.Login is not { } login
        ? this.Place.ToString()
        : this.Place.ToString().Replace("://", $"://{Uri.EscapeDataString(login.User)}{(login.Password is { } password ? ":" + Uri.EscapeDataString(password) : "")}@", StringComparison.Ordinal);

    /// <summary>A text in which whatever stands before the '@' of a server's address is gone.</summary>
    public static string WithoutLogin(string text) => LoginInText().Replace(text, "$1");

    public override string ToString() => this.Place.ToString();

    private static int? Port(string text) =>
        text.Length == 0 ? JournalPlace.DefaultPort : int.TryParse(text, out var port) && port is > 0 and <= ushort.MaxValue ? port : null;

    [GeneratedRegex(@"^postgres(?:ql)?://(?:(?<user>[^:@/?]+)(?::(?<password>[^@/?]*))?@)?(?<host>\[[^\]]+\]|[^:/@?]+)(?::(?<port>\d+))?/(?<database>[^/@?]+)(?:\?(?<query>[^@]*))?\z")]
    private static partial Regex Address();

    [GeneratedRegex(@"^[a-z_][a-z0-9_]{0,62}\z")]
    private static partial Regex Schema();

    // To the last '@': a password that was not percent-encoded may have one, and slashes and blanks. The form of an address has no login to hide.
    [GeneratedRegex(@"(postgres(?:ql)?://)(?!\[USER\[|USER:PASSWORD@).*@", RegexOptions.Singleline)]
    private static partial Regex LoginInText();
}
