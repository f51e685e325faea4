using NE.Actors.Environments;
using NE.Model;

namespace NE.Shell.Commands;

/// <summary>Names of runs.</summary>
public static class RunNames
{
    private const int LongestEnvironment = 60;

    /// <summary>The name of a run that was not given one: environment, method and seed.</summary>
    public static string Default(Settings settings)
    {
        string shortName = EnvironmentId.Parse(settings.Run.Environment).ShortName;
        string plain = string.Concat(shortName.Select(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_' or '.' ? letter : '-')).TrimStart('-', '_', '.');
        string environment = plain.Length switch
        {
            0 => "run",
            > LongestEnvironment => plain[..LongestEnvironment],
            _ => plain,
        };
        string method = MethodModule.show(settings.Run.Method).Replace('+', '_');
        return $"{environment}-{method}-s{settings.Run.Seed}";
    }
}
