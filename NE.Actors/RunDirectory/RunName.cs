using System.Text.RegularExpressions;

namespace NE.Actors.RunDirectory;

/// <summary>Names that are safe as a folder on every file system and as an argument of every shell.</summary>
public static partial class RunName
{
    const int Longest = 100;

    [GeneratedRegex("^[A-Za-z0-9][A-Za-z0-9._-]*\\z")]
    private static partial Regex Allowed();

    /// <summary>Whether it can be a run's name.</summary>
    internal static bool IsValid(string name) => name.Length is > 0 and <= Longest && Allowed().IsMatch(name);

    /// <returns>The name.</returns>
    /// <exception cref="RunFolderException">Says what is wrong with it.</exception>
    public static string Validate(string name) => name switch
    {
        "" => throw new RunFolderException("Expected a run name, found an empty one."),
        { Length: > Longest } => throw new RunFolderException($"Expected a run name of at most {Longest} characters, found {name.Length}."),
        _ when !Allowed().IsMatch(name) => throw new RunFolderException(
            $"Expected a run name of letters, digits, '.', '-' and '_' that starts with a letter or digit, found '{name}'."),
        _ => name,
    };
}

/// <summary>The user asked for something that the run directory does not allow; nothing was created or changed.</summary>
public sealed class RunFolderException(string message) : Exception(message);
