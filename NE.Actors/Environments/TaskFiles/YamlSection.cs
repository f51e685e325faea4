using System.Globalization;
using NE.Model;
using YamlDotNet.RepresentationModel;

namespace NE.Actors.Environments.TaskFiles;

/// <summary>Everything that is wrong with a task file, to be said at once.</summary>
internal sealed class TaskFileProblems(string file)
{
    private readonly List<(long Line, string Text)> problems = [];

    internal void Add(long line, string text) => this.problems.Add((line, text));

    /// <summary>Throws EnvironmentUnusableException when there is a problem.</summary>
    internal void Throw()
    {
        var lines = this.problems.OrderBy(problem => problem.Line).Select(problem => $"{file}:{problem.Line}: {problem.Text}").ToList();
        if (lines.Count == 1)
        {
            throw new EnvironmentUnusableException(lines[0]);
        }

        if (lines.Count > 1)
        {
            throw new EnvironmentUnusableException($"the task file has {lines.Count} problems:\n  {string.Join("\n  ", lines)}");
        }
    }
}

/// <summary>A mapping of a task file: reads values by key, collects what is wrong, and knows which keys nobody asked for.</summary>
/// <param name="node">The mapping.</param>
/// <param name="name">What it is, for messages; empty for the whole file.</param>
internal sealed class YamlSection(YamlMappingNode node, string name, TaskFileProblems problems)
{
    private readonly HashSet<string> asked = [];

    internal long Line => node.Start.Line;

    internal TaskFileProblems Problems => problems;

    /// <summary>Another name for messages, once it is known what kind of section this is.</summary>
    internal YamlSection Named(string other) => new(node, other, problems);

    internal bool Has(string key) => this.Find(key) is not null;

    internal void Problem(string text, string? key = null) =>
        problems.Add((key is null ? null : this.Find(key))?.Start.Line ?? node.Start.Line, name.Length == 0 ? text : $"{name}: {text}");

    internal string? Text(string key)
    {
        switch (this.Find(key))
        {
            case null:
                return null;
            case YamlScalarNode { Value: { Length: > 0 } value }:
                return value;
            default:
                this.Problem($"'{key}' expects one value", key);
                return null;
        }
    }

    internal string Required(string key)
    {
        if (!this.Has(key))
        {
            this.Problem($"'{key}' is missing");
        }

        return this.Text(key) ?? "";
    }

    internal double Number(string key, double otherwise, Func<double, bool>? allowed = null, string words = "a number")
    {
        if (this.Text(key) is not { } text)
        {
            return otherwise;
        }

        if (ParseNumber(text) is { } value && (allowed is null || allowed(value)))
        {
            return value;
        }

        this.Problem($"'{key}' expects {words}, found '{text}'", key);
        return otherwise;
    }

    internal int Whole(string key, int otherwise, int least)
    {
        if (this.Text(key) is not { } text)
        {
            return otherwise;
        }

        if (int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) && value >= least)
        {
            return value;
        }

        this.Problem($"'{key}' expects a whole number of at least {least}, found '{text}'", key);
        return otherwise;
    }

    internal bool Flag(string key) => this.Text(key) switch
    {
        null or "false" => false,
        "true" => true,
        var other => this.Refuse(key, $"true or false, found '{other}'"),
    };

    /// <summary>One of some words; the first one when the key is absent and not required.</summary>
    internal string Choice(string key, bool required, params string[] words)
    {
        var text = required ? this.Required(key) : this.Text(key) ?? words[0];
        if (text.Length > 0 && !words.Contains(text))
        {
            this.Problem($"there is no {key} '{text}'{Near(text, words)} (allowed: {string.Join(", ", words)})", key);
            return "";
        }

        return text;
    }

    /// <summary>Two numbers in order.</summary>
    internal (double Low, double High) Range(string key)
    {
        if (this.Find(key) is YamlSequenceNode { Children: [YamlScalarNode { Value: { } low }, YamlScalarNode { Value: { } high }] }
            && ParseNumber(low) is { } lower && ParseNumber(high) is { } upper && lower <= upper)
        {
            return (lower, upper);
        }

        this.Problem($"'{key}' expects two numbers in order, such as [-1, 1] or [0.7, .inf]", key);
        return (0, 0);
    }

    /// <summary>A text or a list of texts; null when the key is absent.</summary>
    internal IReadOnlyList<string>? Texts(string key)
    {
        switch (this.Find(key))
        {
            case null:
                return null;
            case YamlScalarNode { Value: { Length: > 0 } value }:
                return [value];
            case YamlSequenceNode list when list.Children.Count > 0 && list.Children.All(child => child is YamlScalarNode { Value.Length: > 0 }):
                return [.. list.Children.Cast<YamlScalarNode>().Select(child => child.Value!)];
            default:
                this.Problem($"'{key}' expects a value or a list of values", key);
                return [];
        }
    }

    /// <summary>The mappings of a list.</summary>
    internal IReadOnlyList<YamlSection> Sections(string key)
    {
        switch (this.Find(key))
        {
            case null:
                return [];
            case YamlSequenceNode list:
                var found = new List<YamlSection>();
                foreach (var child in list.Children)
                {
                    if (child is YamlMappingNode mapping)
                    {
                        found.Add(new(mapping, $"{key} {found.Count + 1}", problems));
                    }
                    else
                    {
                        problems.Add(child.Start.Line, $"'{key}' expects items that are mappings, such as `- {{...}}`");
                    }
                }

                return found;
            default:
                this.Problem($"'{key}' expects a list", key);
                return [];
        }
    }

    /// <summary>A mapping; null when the key is absent or no mapping.</summary>
    internal YamlSection? Section(string key, bool orText = false)
    {
        switch (this.Find(key))
        {
            case null:
                return null;
            case YamlMappingNode mapping:
                return new(mapping, name.Length == 0 ? key : $"{name}, {key}", problems);
            case YamlScalarNode when orText:
                return null;
            default:
                this.Problem($"'{key}' expects a mapping, such as `{key}: {{...}}`", key);
                return null;
        }
    }

    /// <summary>Counts every key as asked for.</summary>
    internal void TakeAll() => this.asked.UnionWith(node.Children.Keys.OfType<YamlScalarNode>().Select(key => key.Value ?? ""));

    /// <summary>Reports keys that nobody asked for.</summary>
    internal void End()
    {
        foreach (var key in node.Children.Keys)
        {
            if (key is not YamlScalarNode { Value: { } text })
            {
                problems.Add(key.Start.Line, "a key must be a plain word");
            }
            else if (!this.asked.Contains(text))
            {
                var known = this.asked.Order().ToArray();
                problems.Add(
                    key.Start.Line,
                    $"{(name.Length == 0 ? "" : $"{name}: ")}there is no key '{text}'{Near(text, known)} (allowed: {string.Join(", ", known)})");
            }
        }
    }

    private YamlNode? Find(string key)
    {
        this.asked.Add(key);
        return node.Children.TryGetValue(new YamlScalarNode(key), out var found) ? found : null;
    }

    private bool Refuse(string key, string words)
    {
        this.Problem($"'{key}' expects {words}", key);
        return false;
    }

    private static string Near(string text, IEnumerable<string> known)
    {
        var near = Nearest.ranked(1, text, known);
        return near.IsEmpty ? "" : $"; did you mean '{near.Head}'?";
    }

    /// <summary>A number as YAML writes it; never NaN.</summary>
    private static double? ParseNumber(string text) => text.TrimStart('+') switch
    {
        ".inf" or "inf" => double.PositiveInfinity,
        "-.inf" or "-inf" => double.NegativeInfinity,
        _ => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && double.IsFinite(value) ? value : null,
    };
}
