using NE.Model;

namespace NE.Shell.Commands;

/// <summary>Names of runs.</summary>
public static class RunNames
{
    /// <summary>True for a name that is one plain folder name on every file system.</summary>
    public static bool IsValid(string name) =>
        name.Length is > 0 and <= 100
        && name[0] is not ('.' or '-')
        && name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_' or '.');

    /// <summary>The name of a run that was not given one: environment, method and seed.</summary>
    public static string Default(Settings settings)
    {
        string environment = string.Concat(settings.Run.Environment.Select(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_' or '.' ? letter : '-'));
        string method = SettingsModule.tryFind("run.method")!.Get.Invoke(settings);
        return $"{environment}-{method}-s{settings.Run.Seed}";
    }
}
