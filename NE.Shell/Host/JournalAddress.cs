using NE.Actors.RunDirectory;
using NE.Actors.Stores;

namespace NE.Shell.Host;

/// <summary>Where new journals go, from --journal or NE_JOURNAL; and the logins in both.</summary>
internal static class JournalAddress
{
    /// <summary>Word for a journal in the run's own folder.</summary>
    public const string Files = "sqlite";

    /// <summary>The place for new journals; null for the run's own folder. The address's login is kept for this process.</summary>
    /// <param name="given">What --journal says; null where it was not given.</param>
    /// <param name="host">Knows NE_JOURNAL.</param>
    /// <exception cref="UserError">It is neither.</exception>
    public static JournalPlace? Of(string? given, ShellHost host) => Read(given ?? host.JournalUrl, given is null ? "NE_JOURNAL" : "--journal");

    /// <summary>The same of one text.</summary>
    public static JournalPlace? Read(string? text, string source)
    {
        if (text is null or Files)
        {
            return null;
        }

        JournalUrl url = JournalUrl.TryParse(text) ?? throw new UserError(
            $"{source} expects {JournalUrl.Form} or {Files}; what was found is not shown, since there may be a password in it. Other characters than letters and digits in user and password are given as %XX");
        JournalLogins.Remember(url);
        return url.Place;
    }

    /// <summary>Keeps the login of NE_JOURNAL for every verb that reads runs.</summary>
    public static void RememberLogin(ShellHost host)
    {
        if (host.JournalUrl is { } text && JournalUrl.TryParse(text) is { } url)
        {
            JournalLogins.Remember(url);
        }
    }
}
