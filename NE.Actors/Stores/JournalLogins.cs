using System.Collections.Concurrent;
using NE.Actors.RunDirectory;

namespace NE.Actors.Stores;

/// <summary>
/// The logins that this process was given, by server and database. They live in its memory only: a run knows its place alone. Where none was
/// given, the driver looks at PGUSER, PGPASSWORD and ~/.pgpass.
/// </summary>
public static class JournalLogins
{
    static readonly ConcurrentDictionary<(string Host, int Port, string Database), JournalLogin> known = new();

    /// <summary>Keeps an address's login, if it has one, for everything that opens this database from now on.</summary>
    public static void Remember(JournalUrl url)
    {
        if (url.Login is { } login)
        {
            known[Key(url.Place)] = login;
        }
    }

    internal static JournalLogin? Of(JournalPlace place) => known.GetValueOrDefault(Key(place));

    private static (string, int, string) Key(JournalPlace place) => (place.Host.ToLowerInvariant(), place.Port, place.Database);
}
