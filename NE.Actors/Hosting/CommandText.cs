using NE.Actors.Stores;

namespace NE.Actors.Hosting;

/// <summary>A command as it can be typed into a shell again, but for the login in a server's address.</summary>
public static class CommandText
{
    public static string Of(IEnumerable<string> arguments) => string.Join(' ', arguments.Prepend("ne").Select(JournalUrl.WithoutLogin).Select(Quoted));

    private static string Quoted(string word) =>
        word.Length > 0 && word.All(letter => char.IsLetterOrDigit(letter) || "-_./=:,+@%".Contains(letter, StringComparison.Ordinal))
            ? word
            : $"'{word.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}
