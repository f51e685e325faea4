using NE.Model;

namespace NE.Shell.Commands;

/// <summary>Names of runs.</summary>
public static class RunNames
{
    /// <summary>The name of a run that was not given one: environment, method and seed.</summary>
    public static string Default(Settings settings)
    {
        string environment = string.Concat(settings.Run.Environment.Select(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_' or '.' ? letter : '-'));
        string method = SettingsModule.tryFind("run.method")!.Get.Invoke(settings);
        return $"{environment}-{method}-s{settings.Run.Seed}";
    }
}
