using Microsoft.FSharp.Collections;
using Microsoft.FSharp.Core;
using NE.Model;
using NE.Shell.Host;

namespace NE.Shell.Configuration;

/// <summary>A configuration that was put together without a problem.</summary>
/// <param name="Settings">Resolved: no `auto` is left.</param>
/// <param name="Derived">What was computed, with its rule.</param>
/// <param name="Base">The resolved defaults or preset that the run is compared with.</param>
/// <param name="BaseName">"defaults", or the preset's name.</param>
/// <param name="Origins">Key to where its value was given last; keys left at their default are absent.</param>
public sealed record BuiltConfiguration(
    Settings Settings,
    IReadOnlyList<Derivation> Derived,
    Settings Base,
    string BaseName,
    IReadOnlyDictionary<string, string> Origins)
{
    /// <summary>Names of older versions that were given, each with the key that it is a part of now.</summary>
    public IReadOnlyList<(string Old, string Key)> OldNames { get; init; } = [];
}

/// <summary>Puts the layers of a configuration together: defaults, variant, file or preset, options, key=value; later layers win.</summary>
public static class ConfigurationBuilder
{
    /// <summary>The configuration of a new run. Throws one <see cref="UserError"/> that lists every problem of every layer.</summary>
    /// <param name="arguments">What the command line says.</param>
    /// <param name="readFile">Reads a file's text; null when there is no such file.</param>
    /// <param name="isEnvironment">Says what is wrong with an environment's id; null when it is known.</param>
    /// <param name="machine">What is derived from the machine.</param>
    public static BuiltConfiguration Build(
        ConfigurationArguments arguments,
        Func<string, string?> readFile,
        Func<string, string?> isEnvironment,
        Machine machine)
    {
        (BuiltConfiguration? built, IReadOnlyList<ConfigurationProblem> problems) = TryBuild(arguments, readFile, isEnvironment, machine);
        Throw(problems);
        return built!;
    }

    /// <summary>The same, for whoever has several configurations and says the problems of all.</summary>
    internal static (BuiltConfiguration? Configuration, IReadOnlyList<ConfigurationProblem> Problems) TryBuild(
        ConfigurationArguments arguments,
        Func<string, string?> readFile,
        Func<string, string?> isEnvironment,
        Machine machine)
    {
        var problems = new List<ConfigurationProblem>();
        var origins = new Dictionary<string, string>();
        Settings defaults = SettingsModule.defaults;
        Settings afterVariant = arguments.Variant is { } variant ? ApplyVariant(variant, defaults, origins, problems) : defaults;
        (Settings afterSource, bool isPreset) = arguments.Source is { } source
            ? Apply(source, afterVariant, readFile, origins, problems)
            : (afterVariant, false);
        Settings given = Apply(OptionsAndPairs(arguments, problems), afterSource, origins, problems);
        // Asked once: the engine is part of what the run is.
        var cuda = new Lazy<bool>(machine.HasCuda);
        machine = new Machine(() => cuda.Value, machine.Cores);
        Check(given, isEnvironment, machine, problems, origins);

        if (problems.Count > 0)
        {
            return (null, problems);
        }

        (Settings settings, FSharpList<Derivation> derived) = SettingsModule.resolveOn(machine, given);
        // The length belongs to the run, not to what it is compared with: otherwise every derived value would count as changed.
        Settings baseline = Apply(
            [new("run.steps", SettingsModule.tryFind("run.steps")!.Get.Invoke(settings), "")], isPreset ? afterSource : defaults, [], []);
        return (
            new(settings, [.. derived], SettingsModule.resolveOn(machine, baseline).Item1, isPreset ? arguments.Source! : "defaults", Present(origins))
            {
                OldNames = [.. from name in origins.Keys let key = SettingsModule.presentName(name) where key is not null && key != name select (name, key)],
            },
            problems);
    }

    /// <summary>
    /// The configuration of a resumed run: the stored one with changes. Derived values are stored, so they stay as they were (algorithm.md 1.6).
    /// Throws one <see cref="UserError"/> that lists every problem, among them keys that are part of what the run is.
    /// </summary>
    /// <param name="machine">What `auto` is derived from, where a change asks for it.</param>
    public static Settings Change(Settings stored, ConfigurationArguments arguments, Machine machine)
    {
        var problems = new List<ConfigurationProblem>();
        Settings changed = Apply(OptionsAndPairs(arguments, problems), stored, [], problems);

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

        Throw(problems);
        return resolved;
    }

    /// <summary>Settings stored by a run as YAML. Throws <see cref="UserError"/> when the text was damaged.</summary>
    public static Settings Read(string yaml, string file)
    {
        (IReadOnlyList<ConfigurationEntry> entries, IReadOnlyList<ConfigurationProblem> found) = YamlConfiguration.Read(yaml, file);
        List<ConfigurationProblem> problems = [.. found];
        Settings settings = Apply(entries, SettingsModule.ofOldRuns, [], problems);
        Throw(problems);
        return SettingsModule.resolve(settings).Item1;
    }

    private static Settings ApplyVariant(string name, Settings settings, Dictionary<string, string> origins, List<ConfigurationProblem> problems)
    {
        return Apply(ReadVariant(name, "--variant", problems), settings, origins, problems);
    }

    /// <summary>The values of a variant; an unknown one is a problem.</summary>
    /// <param name="where">What names it.</param>
    internal static IReadOnlyList<ConfigurationEntry> ReadVariant(string name, string where, List<ConfigurationProblem> problems)
    {
        if (Variants.tryFind(name) is { } keys)
        {
            return [.. keys.Select(key => new ConfigurationEntry(key.Key, key.Value, $"{where} {name}"))];
        }

        problems.Add(new($"{where} {name}", $"no such variant; there are {string.Join(" and ", Variants.names)}"));
        return [];
    }

    private static (Settings Settings, bool IsPreset) Apply(
        string source, Settings settings, Func<string, string?> readFile, Dictionary<string, string> origins, List<ConfigurationProblem> problems)
    {
        bool isPreset = readFile(source) is null && Presets.TryRead(source) is not null;
        return (Apply(ReadSource(source, "--config", readFile, problems), settings, origins, problems), isPreset);
    }

    /// <summary>The entries of a file, or else of the preset of that name.</summary>
    /// <param name="source">The file or preset.</param>
    /// <param name="asked">What named it, for messages: "--config".</param>
    internal static IReadOnlyList<ConfigurationEntry> ReadSource(
        string source, string asked, Func<string, string?> readFile, List<ConfigurationProblem> problems)
    {
        if ((readFile(source) ?? Presets.TryRead(source)) is not { } text)
        {
            string near = Nearest.ranked(1, source, Presets.Names).FirstOrDefault() is { } name ? $"; did you mean the preset '{name}'?" : "";
            problems.Add(new($"{asked} {source}", $"no such file, and no preset of that name (presets: {string.Join(", ", Presets.Names)}){near}"));
            return [];
        }

        (IReadOnlyList<ConfigurationEntry> entries, IReadOnlyList<ConfigurationProblem> found) = YamlConfiguration.Read(text, source);
        problems.AddRange(found);
        return entries;
    }

    private static List<ConfigurationEntry> OptionsAndPairs(ConfigurationArguments arguments, List<ConfigurationProblem> problems)
    {
        List<ConfigurationEntry> entries = [.. arguments.Options.Select(option => new ConfigurationEntry(option.Key, option.Value, option.Option))];
        var seen = new Dictionary<string, string>();

        foreach (string pair in arguments.Pairs)
        {
            string[] parts = pair.Split('=', 2);
            string key = parts[0].Trim();

            if (!seen.TryAdd(key, pair))
            {
                problems.Add(new("", $"{pair}: {key} was already given as '{seen[key]}'"));
            }

            entries.Add(new(key, parts[1].Trim(), ""));
        }

        return entries;
    }

    private static Settings Apply(
        IEnumerable<ConfigurationEntry> entries, Settings settings, Dictionary<string, string> origins, List<ConfigurationProblem> problems)
    {
        // One key at a time, so that a bad one does not hide the others.
        foreach (ConfigurationEntry entry in entries)
        {
            FSharpResult<Settings, FSharpList<SettingsError>> applied = SettingsModule.apply([(entry.Key, entry.Value)], settings);

            if (applied.IsOk)
            {
                settings = applied.ResultValue;
                origins[entry.Key] = entry.Where.Length == 0 ? "key=value" : entry.Where;
            }
            else
            {
                problems.AddRange(applied.ErrorValue.Select(error => new ConfigurationProblem(entry.Where, $"{error.Key} = {Shown(error.Found)}: {error.Problem}")));
            }
        }

        return settings;
    }

    /// <summary>What can be checked although some values were refused; the combination of values only when all are there.</summary>
    private static void Check(
        Settings settings, Func<string, string?> isEnvironment, Machine machine, List<ConfigurationProblem> problems, Dictionary<string, string> origins)
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

    /// <summary>By the names that keys have now.</summary>
    private static Dictionary<string, string> Present(Dictionary<string, string> origins)
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

    private static string Where(string key, Dictionary<string, string> origins) =>
        Present(origins).GetValueOrDefault(key, "") is var where && where == "key=value" ? "" : where;

    private static string Shown(string value) => value.Length == 0 ? "(nothing)" : value;

    private static void Throw(IReadOnlyList<ConfigurationProblem> problems)
    {
        if (problems.Count == 1)
        {
            throw new UserError($"the configuration cannot be used: {problems[0]}");
        }

        if (problems.Count > 1)
        {
            throw new UserError($"the configuration has {problems.Count} problems:\n" + string.Join('\n', problems.Select(problem => $"  {problem}")));
        }
    }
}
