using System.Text.Json.Nodes;
using NE.Model;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace NE.Actors.Configuration;

/// <summary>Writes configurations so that people read them and `--config` reads them back.</summary>
public static class ConfigurationWriter
{
    /// <summary>Every key of a resolved configuration in sections, each with its unit and sentence as a comment.</summary>
    public static string Yaml(Settings settings) => Yaml(
        SettingsModule.keys.Select(key => (key.Name, key.Get.Invoke(settings), Comment(key))),
        "The resolved configuration of a run, re-runnable as it is: ne train --config FILE");

    /// <summary>Only the keys that differ from what the run is compared with.</summary>
    /// <param name="baseline">What that is, resolved.</param>
    /// <param name="name">"defaults", or a preset's name.</param>
    /// <param name="settings">The run's, resolved.</param>
    public static string DifferenceYaml(Settings baseline, string name, Settings settings) => Yaml(
        SettingsModule.difference(baseline, settings).Select(changed => (changed.Item1, changed.Item3, $"{name}: {changed.Item2}")),
        $"What differs from {(name == "defaults" ? "the defaults" : $"the preset {name}")} at this length of the run");

    /// <summary>One object, key to value; numbers are numbers, lists are lists.</summary>
    public static JsonObject Json(Settings settings)
    {
        var json = new JsonObject();

        foreach (Key key in SettingsModule.keys)
        {
            json[key.Name] = Value(key.Get.Invoke(settings));
        }

        return json;
    }

    /// <summary>A value's text as JSON.</summary>
    public static JsonNode? Value(string text) =>
        IsList(text) ? new JsonArray([.. text.Split(',').Select(Value)])
        : long.TryParse(text, out long whole) ? JsonValue.Create(whole)
        : double.TryParse(text, System.Globalization.NumberStyles.Float, System.Globalization.CultureInfo.InvariantCulture, out double real) ? JsonValue.Create(real)
        : JsonValue.Create(text);

    /// <summary>Numbers with commas between them; the tasks of a cycle and a command with commas are one text.</summary>
    private static bool IsList(string text) =>
        text.Contains(',', StringComparison.Ordinal) && text.All(letter => char.IsAsciiDigit(letter) || letter is ',' or '.' or '-' or ' ');

    private static string Comment(Key key) => key.Unit.Length == 0 ? key.Sentence : $"[{key.Unit}] {key.Sentence}";

    private static string Yaml(IEnumerable<(string Key, string Value, string Comment)> values, string title)
    {
        // Unix line ends everywhere: the file is compared between machines.
        var writer = new StringWriter { NewLine = "\n" };
        writer.WriteLine($"# {title}");
        var emitter = new Emitter(writer, new EmitterSettings(bestIndent: 2, bestWidth: int.MaxValue, isCanonical: false, maxSimpleKeyLength: 1024));
        emitter.Emit(new StreamStart());
        emitter.Emit(new DocumentStart(null, null, isImplicit: true));
        emitter.Emit(new MappingStart());

        foreach (IGrouping<string, (string Key, string Value, string Comment)> section in values.GroupBy(value => value.Key.Split('.')[0]))
        {
            emitter.Emit(new Scalar(section.Key));
            emitter.Emit(new MappingStart());

            foreach ((string key, string value, string comment) in section)
            {
                emitter.Emit(new Comment(comment, isInline: false));
                emitter.Emit(new Scalar(key[(section.Key.Length + 1)..]));
                Emit(emitter, value);
            }

            emitter.Emit(new MappingEnd());
        }

        emitter.Emit(new MappingEnd());
        emitter.Emit(new DocumentEnd(isImplicit: true));
        emitter.Emit(new StreamEnd());
        return writer.ToString();
    }

    private static void Emit(Emitter emitter, string value)
    {
        if (!IsList(value))
        {
            emitter.Emit(new Scalar(value));
            return;
        }

        emitter.Emit(new SequenceStart(AnchorName.Empty, TagName.Empty, isImplicit: true, SequenceStyle.Flow));

        foreach (string item in value.Split(','))
        {
            emitter.Emit(new Scalar(item));
        }

        emitter.Emit(new SequenceEnd());
    }
}
