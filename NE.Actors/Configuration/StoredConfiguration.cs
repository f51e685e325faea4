using System.Security.Cryptography;
using System.Text;
using NE.Actors.Journal;
using NE.Actors.RunDirectory;
using NE.Actors.Storage;
using NE.Model;

namespace NE.Actors.Configuration;

/// <summary>
/// The configuration that a run has stored. config.yaml ends with a checksum of itself, and the journal knows what the run began with and every
/// change since, so a damaged file is noticed and its content known.
/// </summary>
/// <param name="Settings">Of the file where it is whole, else as the journal has them.</param>
/// <param name="Damage">What is wrong with the file, as a clause that follows its name; null when it is whole.</param>
public sealed record StoredConfiguration(Settings Settings, string? Damage)
{
    private const string Seal = "# sha256 of all lines above: ";

    /// <summary>The text of config.yaml with its checksum.</summary>
    public static string Text(Settings settings)
    {
        string yaml = ConfigurationWriter.Yaml(settings);
        return $"{yaml}{Seal}{Checksum(yaml)}\n";
    }

    /// <summary>Whether the file or the journal is there.</summary>
    public static bool Exists(RunPaths run) => File.Exists(run.Configuration) || File.Exists(run.Journal);

    /// <summary>The file, or what the journal knows where that is damaged.</summary>
    /// <exception cref="ConfigurationException">Neither the file nor the journal has it.</exception>
    public static StoredConfiguration Read(RunPaths run)
    {
        string? text = File.Exists(run.Configuration) ? File.ReadAllText(run.Configuration) : null;
        string? damage = text is null ? "is missing" : DamageOf(text, run);

        if (damage is null)
        {
            return new(ConfigurationLayers.Read(text!, run.Configuration), null);
        }

        return Recorded(run) is { } recorded
            ? new(recorded, damage)
            : throw new ConfigurationException(
                [new(run.Configuration, $"{damage}, and the run was stopped before its journal knew its configuration; restore the file from a copy, or begin the run again")]);
    }

    /// <summary>The configuration as the journal has it; null before it has one.</summary>
    public static Settings? Recorded(RunPaths run)
    {
        using JournalReader? journal = JournalReader.TryOpen(run);
        return journal?.Operational().Aggregate((Settings?)null, (settings, recorded) => recorded.Event switch
        {
            History.RunEvent.RunStarted started => ConfigurationLayers.Read(started.configuration, run.Journal),
            History.RunEvent.ConfigurationChanged changed when settings is not null => With(settings, changed.changes),
            _ => settings,
        });
    }

    /// <summary>Writes a damaged file anew and keeps what was found beside it.</summary>
    /// <returns>Where that is; null when there was none.</returns>
    public string? Restore(RunPaths run)
    {
        string? kept = null;

        if (File.Exists(run.Configuration))
        {
            kept = run.Configuration + ".damaged";
            File.Move(run.Configuration, kept, overwrite: true);
        }

        DurableFile.WriteText(run.Configuration, Text(this.Settings));
        return kept;
    }

    private static string? DamageOf(string text, RunPaths run)
    {
        int seal = text.LastIndexOf($"\n{Seal}", StringComparison.Ordinal) + 1;

        if (seal > 0)
        {
            return text[seal..] == $"{Seal}{Checksum(text[..seal])}\n" ? null : "is not what was written: it is damaged, or was edited by hand";
        }

        // A version without checksums wrote it, or its end is missing: the configuration that the run began with tells.
        return BeganWith(run)?.Contains(Seal, StringComparison.Ordinal) == true ? "lacks its end" : Lacking(text, run);
    }

    private static string? Lacking(string text, RunPaths run)
    {
        static IEnumerable<string> Keys(string yaml) => YamlConfiguration.Read(yaml, "").Entries.Select(entry => entry.Key);
        string? missing = BeganWith(run) is { } began ? Keys(began).Except(Keys(text)).FirstOrDefault() : null;
        return missing is null ? null : $"lacks {missing}, with which the run began";
    }

    private static string? BeganWith(RunPaths run)
    {
        using JournalReader? journal = JournalReader.TryOpen(run);
        return journal?.Operational().Select(stored => stored.Event).OfType<History.RunEvent.RunStarted>().FirstOrDefault()?.configuration;
    }

    /// <summary>A value that this version does not take any more leaves what was there.</summary>
    private static Settings With(Settings settings, IEnumerable<Tuple<string, string, string>> changes) =>
        SettingsModule.apply(changes.Select(change => (change.Item1, change.Item3)), settings) is { IsOk: true } applied ? applied.ResultValue : settings;

    private static string Checksum(string yaml) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(yaml)));
}
