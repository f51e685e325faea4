using NE.Model;
using NE.Shell.Host;

namespace NE.Shell.Views;

/// <summary>What a run is, in words, for the head of its views.</summary>
/// <param name="Name">The run's name.</param>
/// <param name="Description">Environment, agent, seed, schedule.</param>
public sealed record RunTitle(string Name, string Description)
{
    public static RunTitle Of(string name, Settings settings)
    {
        string Value(string key) => SettingsModule.tryFind(key)!.Get.Invoke(settings);
        string environments = Format.Counted(settings.Schedule.Environments, "environment");
        return new(name, $"{settings.Run.Environment}, {SettingsModule.agent(settings)}, seed {settings.Run.Seed}, {Value("schedule.kind")}, {environments}");
    }
}
