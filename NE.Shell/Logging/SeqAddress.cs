using NE.Shell.Host;

namespace NE.Shell.Logging;

/// <summary>The address of a Seq server, from --seq or NE_SEQ_URL.</summary>
internal static class SeqAddress
{
    /// <summary>The address to send logs to; null for none.</summary>
    /// <param name="given">What --seq says; null where it was not given.</param>
    /// <param name="host">Knows NE_SEQ_URL.</param>
    /// <param name="what">Where it was given, for messages.</param>
    /// <exception cref="UserError">It is no address of a server.</exception>
    public static string? Of(string? given, ShellHost host, string what = "--seq")
    {
        string? address = given ?? host.SeqUrl;
        return address is null || IsAddress(address)
            ? address
            : throw new UserError($"{(given is null ? "NE_SEQ_URL" : what)} expects the address of a Seq server, such as http://127.0.0.1:5341; found '{address}'");
    }

    public static bool IsAddress(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out Uri? address) && address.Scheme is "http" or "https" && address.Host.Length > 0;
}
