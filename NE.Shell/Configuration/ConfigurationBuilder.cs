using Microsoft.FSharp.Collections;
using NE.Actors.Configuration;
using NE.Model;

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

    /// <summary>The keys that differ from what the run is compared with, as YAML.</summary>
    public string DifferenceYaml() => ConfigurationWriter.DifferenceYaml(this.Base, this.BaseName, this.Settings);
}

/// <summary>Puts the layers of a configuration together: defaults, variant, file or preset, options, key=value; later layers win.</summary>
public static class ConfigurationBuilder
{
    /// <summary>The configuration of a new run. One <see cref="ConfigurationException"/> lists every problem of every layer.</summary>
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
        ConfigurationException.ThrowIfAny(problems);
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
        Settings afterPairs = ConfigurationLayers.Apply(OptionsAndPairs(arguments, problems), afterSource, origins, problems);
        Settings given = ConfigurationLayers.Apply(Otherwise(arguments, origins), afterPairs, origins, problems);
        // Asked once: the engine is part of what the run is.
        var cuda = new Lazy<bool>(machine.HasCuda);
        machine = new Machine(() => cuda.Value, machine.Cores);
        ConfigurationLayers.Check(given, isEnvironment, machine, problems, origins);

        if (problems.Count > 0)
        {
            return (null, problems);
        }

        (Settings settings, FSharpList<Derivation> derived) = SettingsModule.resolveOn(machine, given);
        Settings baseline = ConfigurationLayers.Baseline(isPreset ? afterSource : defaults, settings, machine);
        return (
            new(settings, [.. derived], baseline, isPreset ? arguments.Source! : "defaults", ConfigurationLayers.Present(origins))
            {
                OldNames = [.. from name in origins.Keys let key = SettingsModule.presentName(name) where key is not null && key != name select (name, key)],
            },
            problems);
    }

    /// <summary>The configuration of a resumed run: the stored one with changes, as <see cref="ConfigurationLayers.Change"/> makes it.</summary>
    /// <param name="machine">What `auto` is derived from, where a change asks for it.</param>
    /// <exception cref="ConfigurationException">Lists every problem.</exception>
    public static Settings Change(Settings stored, ConfigurationArguments arguments, Machine machine)
    {
        var problems = new List<ConfigurationProblem>();
        return ConfigurationLayers.Change(stored, OptionsAndPairs(arguments, problems), machine, problems);
    }

    private static Settings ApplyVariant(string name, Settings settings, Dictionary<string, string> origins, List<ConfigurationProblem> problems)
    {
        return ConfigurationLayers.Apply(ReadVariant(name, "--variant", problems), settings, origins, problems);
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
        return (ConfigurationLayers.Apply(ReadSource(source, "--config", readFile, problems), settings, origins, problems), isPreset);
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

    /// <summary>What holds because no layer gave it.</summary>
    private static ConfigurationEntry[] Otherwise(ConfigurationArguments arguments, Dictionary<string, string> origins) =>
        [.. arguments.Otherwise.Where(option => !origins.ContainsKey(option.Key)).Select(option => new ConfigurationEntry(option.Key, option.Value, option.Option))];

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
}
