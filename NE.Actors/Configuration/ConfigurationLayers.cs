using Microsoft.FSharp.Collections;
using Microsoft.FSharp.Core;
using NE.Model;

namespace NE.Actors.Configuration;

/// <summary>Puts values on top of settings, a layer at a time, and finds every problem rather than the first.</summary>
public static class ConfigurationLayers
{
    /// <summary>What <see cref="Apply"/> calls the place of an entry that names none.</summary>
    public const string Pair = "key=value";

    /// <summary>The settings with these values. A value that is refused leaves what was there and becomes a problem.</summary>
    /// <param name="entries">Later ones win.</param>
    /// <param name="settings">What is below them.</param>
    /// <param name="origins">Key to where its value was given last; added to.</param>
    /// <param name="problems">Added to.</param>
    public static Settings Apply(
        IEnumerable<ConfigurationEntry> entries, Settings settings, Dictionary<string, string> origins, List<ConfigurationProblem> problems)
    {
        // One key at a time, so that a bad one does not hide the others.
        foreach (ConfigurationEntry entry in entries)
        {
            FSharpResult<Settings, FSharpList<SettingsError>> applied = SettingsModule.apply([(entry.Key, entry.Value)], settings);

            if (applied.IsOk)
            {
                settings = applied.ResultValue;
                origins[entry.Key] = entry.Where.Length == 0 ? Pair : entry.Where;
            }
            else
            {
                problems.AddRange(applied.ErrorValue.Select(error => new ConfigurationProblem(entry.Where, $"{error.Key} = {Shown(error.Found)}: {error.Problem}")));
            }
        }

        return settings;
    }

    /// <summary>What can be checked although some values were refused; the combination of values only when all are there.</summary>
    /// <param name="settings">Of a new run, not resolved.</param>
    /// <param name="isEnvironment">Says what is wrong with an environment's id; null when it is known.</param>
    /// <param name="machine">What is derived from the machine.</param>
    /// <param name="problems">Added to.</param>
    /// <param name="origins">Key to where its value was given.</param>
    public static void Check(
        Settings settings, Func<string, string?> isEnvironment, Machine machine, List<ConfigurationProblem> problems, IReadOnlyDictionary<string, string> origins)
    {
        if (isEnvironment(settings.Run.Environment) is { } problem)
        {
            problems.Add(new(Where("run.environment", origins), $"run.environment = {Shown(settings.Run.Environment)}: {problem}"));
        }

        if (problems.Count == 0)
        {
            Settings resolved = SettingsModule.resolveOn(machine, settings).Item1;

            if (origins.ContainsKey("run.steps") && resolved.Run.Steps != settings.Run.Steps)
            {
                // Given, but as the default, which counts as not given.
                problems.Add(new(Where("run.steps", origins), $"run.steps = {settings.Run.Steps}: the phases of this cycle take {resolved.Run.Steps}; give that, or another cycle.steps"));
            }

            problems.AddRange(SettingsModule.validate(resolved).Select(error =>
                new ConfigurationProblem(Where(error.Key, origins), $"{error.Key} = {Shown(error.Found)}: {error.Problem}")));
        }
    }

    /// <summary>The resolved settings that a run is compared with: those below what was given for it, at its length.</summary>
    /// <param name="below">Not resolved.</param>
    /// <param name="settings">The run's, resolved.</param>
    /// <param name="machine">What is derived from the machine.</param>
    public static Settings Baseline(Settings below, Settings settings, Machine machine)
    {
        // The length belongs to the run, not to what it is compared with: otherwise every derived value would count as changed.
        string steps = SettingsModule.tryFind("run.steps")!.Get.Invoke(settings);
        return SettingsModule.resolveOn(machine, Apply([new("run.steps", steps, "")], below, [], [])).Item1;
    }

    /// <summary>The settings of a resumed run: the stored ones with changes. Derived values are stored, so they stay as they were (docs/algorithm.md 1.6).</summary>
    /// <param name="stored">As the run has them.</param>
    /// <param name="changes">Values given at the resume.</param>
    /// <param name="machine">What `auto` is derived from, where a change asks for it.</param>
    /// <param name="problems">Those that were found before.</param>
    /// <exception cref="ConfigurationException">Lists every problem, among them keys that are part of what the run is.</exception>
    public static Settings Change(Settings stored, IEnumerable<ConfigurationEntry> changes, Machine machine, List<ConfigurationProblem> problems)
    {
        Settings changed = Apply(changes, stored, [], problems);

        foreach ((string name, string before, string after) in SettingsModule.difference(stored, changed))
        {
            if (!SettingsModule.tryFind(name)!.MayChange.Invoke(stored))
            {
                problems.Add(new(name, $"is part of what the run is and stays {before} (found {after}); start a new run to change it"));
            }
        }

        Settings resolved = SettingsModule.resolveOn(machine, changed).Item1;

        if (problems.Count == 0)
        {
            problems.AddRange(SettingsModule.validate(resolved).Select(error => new ConfigurationProblem("", $"{error.Key} = {error.Found}: {error.Problem}")));
        }

        ConfigurationException.ThrowIfAny(problems);
        return resolved;
    }

    /// <summary>Settings stored by a run as YAML.</summary>
    /// <param name="yaml">The text.</param>
    /// <param name="file">Its file, for messages.</param>
    /// <exception cref="ConfigurationException">The text was damaged.</exception>
    public static Settings Read(string yaml, string file)
    {
        (IReadOnlyList<ConfigurationEntry> entries, IReadOnlyList<ConfigurationProblem> found) = YamlConfiguration.Read(yaml, file);
        List<ConfigurationProblem> problems = [.. found];
        Settings settings = Apply(entries, SettingsModule.ofOldRuns, [], problems);
        ConfigurationException.ThrowIfAny(problems);
        return SettingsModule.resolve(settings).Item1;
    }

    /// <summary>By the names that keys have now.</summary>
    public static Dictionary<string, string> Present(IReadOnlyDictionary<string, string> origins)
    {
        var present = new Dictionary<string, string>();

        foreach ((string name, string where) in origins)
        {
            if (SettingsModule.presentName(name) is { } key)
            {
                present[key] = where;
            }
        }

        return present;
    }

    private static string Where(string key, IReadOnlyDictionary<string, string> origins) =>
        Present(origins).GetValueOrDefault(key, "") is var where && where == Pair ? "" : where;

    private static string Shown(string value) => value.Length == 0 ? "(nothing)" : value;
}
