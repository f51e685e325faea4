using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace NE.Actors.Configuration;

/// <summary>
/// Reads a configuration file: nested sections or dotted keys, scalars and lists of scalars. Every problem is collected with its line; only
/// text that is not YAML ends the reading early.
/// </summary>
public sealed class YamlConfiguration
{
    private readonly string file;
    private readonly List<ConfigurationEntry> entries = [];
    private readonly List<ConfigurationProblem> problems = [];
    private readonly Dictionary<string, long> lines = [];

    private YamlConfiguration(string file) => this.file = file;

    /// <summary>Reads the text of a file.</summary>
    /// <param name="text">YAML.</param>
    /// <param name="file">The file's name as the user knows it, for messages.</param>
    public static (IReadOnlyList<ConfigurationEntry> Entries, IReadOnlyList<ConfigurationProblem> Problems) Read(string text, string file)
    {
        var reader = new YamlConfiguration(file);
        var parser = new Parser(new StringReader(text));

        try
        {
            reader.Document(parser);
        }
        catch (YamlException problem)
        {
            reader.problems.Add(new($"{file}:{problem.Start.Line}", $"not valid YAML (column {problem.Start.Column}): {problem.Message}"));
        }

        catch (InvalidOperationException)
        {
            // YamlDotNet's scanner fails in this way on some texts, for example on a list whose bracket is never closed.
            reader.problems.Add(new($"{file}:{parser.Current?.End.Line ?? 1}", "not valid YAML; a bracket or quote near here is not closed"));
        }

        return (reader.entries, reader.problems);
    }

    private void Document(Parser parser)
    {
        parser.Consume<StreamStart>();

        if (parser.TryConsume<StreamEnd>(out _))
        {
            return;
        }

        parser.Consume<DocumentStart>();

        if (parser.Current is MappingStart)
        {
            Mapping(parser, "");
        }
        else if (parser.Current is Scalar { Value: "" } empty && parser.MoveNext())
        {
            _ = empty; // A file of comments only.
        }
        else
        {
            Problem(parser.Current!, "expected `section:` or `section.key: value` lines");
            parser.SkipThisAndNestedEvents();
        }

        parser.Consume<DocumentEnd>();

        if (parser.Current is DocumentStart second)
        {
            Problem(second, "expected one document, found a second one");
        }
    }

    private void Mapping(Parser parser, string section)
    {
        parser.Consume<MappingStart>();

        while (!parser.TryConsume<MappingEnd>(out _))
        {
            if (parser.Current is not Scalar name)
            {
                Problem(parser.Current!, "expected a key, found a list or a section");
                parser.SkipThisAndNestedEvents();
                parser.SkipThisAndNestedEvents();
                continue;
            }

            parser.MoveNext();
            string key = section.Length == 0 ? name.Value : $"{section}.{name.Value}";

            switch (parser.Current)
            {
                case MappingStart:
                    Mapping(parser, key);
                    break;
                case SequenceStart:
                    Add(key, Sequence(parser, key), name);
                    break;
                case Scalar value:
                    parser.MoveNext();
                    // `section:` without content is an empty section, not a value.
                    if (value.Value.Length > 0 || value.Style != ScalarStyle.Plain || key.Contains('.', StringComparison.Ordinal))
                    {
                        Add(key, value.Value, name);
                    }

                    break;
                default:
                    Problem(parser.Current!, $"{key}: expected a value, a list or a section (anchors and aliases are not read)");
                    parser.SkipThisAndNestedEvents();
                    break;
            }
        }
    }

    private string? Sequence(Parser parser, string key)
    {
        parser.Consume<SequenceStart>();
        var items = new List<string>();
        bool complete = true;

        while (!parser.TryConsume<SequenceEnd>(out _))
        {
            if (parser.TryConsume<Scalar>(out Scalar? item))
            {
                items.Add(item.Value);
            }
            else
            {
                complete = false;
                Problem(parser.Current!, $"{key}: expected a list of plain values");
                parser.SkipThisAndNestedEvents();
            }
        }

        return complete ? string.Join(',', items) : null;
    }

    private void Add(string key, string? value, Scalar name)
    {
        if (this.lines.TryGetValue(key, out long first))
        {
            Problem(name, $"{key} was already given in line {first}");
        }
        else
        {
            this.lines.Add(key, name.Start.Line);

            if (value is not null)
            {
                this.entries.Add(new(key, value, $"{this.file}:{name.Start.Line}"));
            }
        }
    }

    private void Problem(ParsingEvent at, string text) => this.problems.Add(new($"{this.file}:{at.Start.Line}", text));
}
