using NE.Actors.Configuration;
using NE.Model;
using YamlDotNet.RepresentationModel;

namespace NE.Shell.Sweeps.Planning;

/// <summary>The fields of one mapping of a sweep file. What is wrong is collected with its line; what is asked for is what is known.</summary>
/// <param name="node">The mapping.</param>
/// <param name="file">The file's name, for messages.</param>
/// <param name="problems">Where problems are added.</param>
internal sealed class YamlFields(YamlMappingNode node, string file, List<ConfigurationProblem> problems)
{
    private readonly List<string> known = [];

    /// <summary>Where the mapping, or a field of it, begins.</summary>
    public string Where(string? field = null) => Where((field is null ? null : this.Find(field)) ?? node);

    public string Where(YamlNode at) => $"{file}:{at.Start.Line}";

    public void Problem(string text, string? field = null) => problems.Add(new(this.Where(field), text));

    /// <summary>One value as text; null when the field is absent.</summary>
    public string? Text(string field)
    {
        switch (this.Find(field))
        {
            case null:
                return null;
            case YamlScalarNode { Value: { Length: > 0 } value }:
                return value;
            default:
                this.Problem($"{field} expects one value", field);
                return null;
        }
    }

    /// <summary>One value, or each value of a list, with its line; empty when the field is absent.</summary>
    public IReadOnlyList<(string Value, string Where)> Texts(string field)
    {
        switch (this.Find(field))
        {
            case null:
                return [];
            case YamlScalarNode { Value: { Length: > 0 } value } only:
                return [(value, this.Where(only))];
            case YamlSequenceNode { Children.Count: > 0 } list when list.Children.All(child => child is YamlScalarNode { Value.Length: > 0 }):
                return [.. list.Children.Select(child => (((YamlScalarNode)child).Value!, this.Where(child)))];
            default:
                this.Problem($"{field} expects a value or a list of values", field);
                return [];
        }
    }

    /// <summary>The mappings of a list; empty when the field is absent.</summary>
    public IReadOnlyList<YamlFields> Items(string field)
    {
        switch (this.Find(field))
        {
            case null:
                return [];
            case YamlSequenceNode { Children.Count: > 0 } list:
                foreach (YamlNode child in list.Children.Where(child => child is not YamlMappingNode))
                {
                    problems.Add(new(this.Where(child), $"{field} expects items such as `- {{label: ..., method: ...}}`"));
                }

                return [.. list.Children.OfType<YamlMappingNode>().Select(child => new YamlFields(child, file, problems))];
            default:
                this.Problem($"{field} expects a list of items such as `- {{label: ..., method: ...}}`", field);
                return [];
        }
    }

    /// <summary>The mapping of a field; null when it is absent.</summary>
    public YamlFields? Mapping(string field)
    {
        switch (this.Find(field))
        {
            case null:
                return null;
            case YamlMappingNode mapping:
                return new(mapping, file, problems);
            default:
                this.Problem($"{field} expects fields of its own", field);
                return null;
        }
    }

    /// <summary>Keys in sections or with dots, each with a list of values, or with one text.</summary>
    public IReadOnlyList<(string Key, string? Text, IReadOnlyList<string> List, string Where)> TextsOrLists(string field) =>
    [
        .. this.Leaves(field).Select(leaf => leaf.Node is YamlSequenceNode list
            ? (leaf.Key, null, [.. list.Children.Select(Joined)], leaf.Where)
            : (leaf.Key, (leaf.Node as YamlScalarNode)?.Value, (IReadOnlyList<string>)[], leaf.Where)),
    ];

    /// <summary>Keys in sections or with dots, each with its value; lists are joined by commas.</summary>
    public IReadOnlyList<ConfigurationEntry> Keys(string field) =>
        [.. this.Leaves(field).Where(leaf => leaf.Node is not null).Select(leaf => new ConfigurationEntry(leaf.Key, Joined(leaf.Node!), leaf.Where))];

    /// <summary>Keys in sections or with dots, each with a list of values; a value may be a list itself.</summary>
    public IReadOnlyList<SweepAxis> Axes(string field)
    {
        var axes = new List<SweepAxis>();

        foreach ((string key, YamlNode? value, string where) in this.Leaves(field))
        {
            if (value is YamlSequenceNode { Children.Count: > 0 } list)
            {
                axes.Add(new(key, [.. list.Children.Select(Joined)], where));
            }
            else if (value is not null)
            {
                problems.Add(new(where, $"{field}, {key}: expected a list of values to try"));
            }
        }

        return axes;
    }

    /// <summary>Reports fields that nobody asked for, each with the nearest that there is.</summary>
    public void End()
    {
        foreach (YamlNode name in node.Children.Keys)
        {
            if (name is YamlScalarNode { Value: { } text } && !this.known.Contains(text))
            {
                string hint = Nearest.ranked(1, text, this.known).FirstOrDefault() is { } near ? $"; did you mean '{near}'?" : "";
                problems.Add(new(this.Where(name), $"unknown field '{text}'{hint}{(hint.Length == 0 ? $"; known: {string.Join(", ", this.known)}" : "")}"));
            }
        }
    }

    private List<(string Key, YamlNode? Node, string Where)> Leaves(string field)
    {
        var leaves = new List<(string Key, YamlNode? Node, string Where)>();

        switch (this.Find(field))
        {
            case null or YamlScalarNode { Value: null or "" }:
                break;
            case YamlMappingNode mapping:
                this.Descend(mapping, "", leaves);
                break;
            default:
                this.Problem($"{field} expects keys, such as `{field}: {{run.steps: 300000}}`", field);
                break;
        }

        foreach (var twice in leaves.GroupBy(leaf => leaf.Key).Where(group => group.Count() > 1))
        {
            problems.Add(new(twice.Last().Where, $"{twice.Key} was already given at {twice.First().Where}"));
        }

        return leaves;
    }

    private void Descend(YamlMappingNode mapping, string section, List<(string Key, YamlNode? Node, string Where)> leaves)
    {
        foreach ((YamlNode name, YamlNode value) in mapping.Children)
        {
            string key = $"{section}{(name as YamlScalarNode)?.Value}";

            switch (value)
            {
                case YamlMappingNode inner:
                    this.Descend(inner, key + ".", leaves);
                    break;
                case YamlSequenceNode list when list.Children.Any(child => child is YamlMappingNode):
                    problems.Add(new(this.Where(name), $"{key}: expected a value or a list of values"));
                    break;
                default:
                    leaves.Add((key, value, this.Where(name)));
                    break;
            }
        }
    }

    private static string Joined(YamlNode node) => node is YamlSequenceNode list
        ? string.Join(',', list.Children.Select(Joined))
        : (node as YamlScalarNode)?.Value ?? "";

    private YamlNode? Find(string field)
    {
        if (!this.known.Contains(field))
        {
            this.known.Add(field);
        }

        return node.Children.TryGetValue(new YamlScalarNode(field), out YamlNode? found) ? found : null;
    }
}
