using System.Security.Cryptography;
using System.Text;
using NE.Actors.Environments;
using NE.Model;

namespace NE.Shell.Configuration;

/// <summary>Names of runs.</summary>
public static class RunNames
{
    private const int LongestEnvironment = 60;
    private const int HashLetters = 8;

    /// <summary>The name of a run that was not given one: environment, agent and seed.</summary>
    public static string Default(Settings settings)
    {
        string environment = OfEnvironment(settings.Run.Environment);
        // A composition has a '+' in it, which a name may not have.
        string agent = Plain(SettingsModule.agent(settings));
        return $"{environment}-{agent}-s{settings.Run.Seed}";
    }

    /// <summary>What a run on an environment is called after it.</summary>
    internal static string OfEnvironment(string id) => Plain(EnvironmentId.Parse(id).ShortName) switch
    {
        "" => "run",
        var plain => Shortened(plain, LongestEnvironment),
    };

    /// <summary>A text of at most so many letters. One that is cut ends with a part of its hash, so that two that begin alike stay two.</summary>
    internal static string Shortened(string text, int longest) => text.Length <= longest
        ? text
        : $"{text[..(longest - HashLetters - 1)]}-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..HashLetters]}";

    /// <summary>A text as a part of a name: what a name may not have becomes a '-'.</summary>
    internal static string Plain(string text) =>
        string.Concat(text.Select(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_' or '.' ? letter : '-')).TrimStart('-', '_', '.');
}
