using System.Reflection;
using System.Text.Json.Nodes;

namespace NE.Shell.SeqServer;

/// <summary>The kinds of things that are made in Seq, in the order in which one may refer to another.</summary>
public enum SeqKind
{
    /// <summary>A filter with a name.</summary>
    Signal,

    /// <summary>A saved query.</summary>
    Query,

    /// <summary>A page of charts.</summary>
    Dashboard,
}

/// <summary>Something that `ne seq setup` makes in a server: a file of the repository's folder seq/, as Seq's API takes it.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Content">Its properties, without an id. A text `{signal TITLE}` stands for the id of a signal.</param>
public sealed record SeqEntity(SeqKind Kind, JsonObject Content)
{
    /// <summary>By which it is found again.</summary>
    public string Title => (string)this.Content["Title"]!;

    /// <summary>What is built into this program, in the order in which it is to be made.</summary>
    public static IReadOnlyList<SeqEntity> All() =>
        [.. Read(SeqKind.Signal, "seq:signals/"), .. Read(SeqKind.Query, "seq:queries/"), .. Read(SeqKind.Dashboard, "seq:dashboards/")];

    /// <summary>Its properties with the ids of a server in the place of what stands for them.</summary>
    /// <param name="signals">Ids by title.</param>
    public JsonObject With(IReadOnlyDictionary<string, string> signals) => (JsonObject)Replace(this.Content, signals)!;

    private static JsonNode? Replace(JsonNode? node, IReadOnlyDictionary<string, string> signals) => node switch
    {
        JsonObject inner => new JsonObject(inner.Select(property => KeyValuePair.Create(property.Key, Replace(property.Value, signals)))),
        JsonArray items => new JsonArray([.. items.Select(item => Replace(item, signals))]),
        JsonValue value when value.TryGetValue(out string? text) && text.StartsWith("{signal ", StringComparison.Ordinal) => signals[text["{signal ".Length..^1]],
        _ => node?.DeepClone(),
    };

    private static IEnumerable<SeqEntity> Read(SeqKind kind, string prefix)
    {
        var assembly = Assembly.GetExecutingAssembly();

        foreach (string name in assembly.GetManifestResourceNames().Where(name => name.StartsWith(prefix, StringComparison.Ordinal)).Order(StringComparer.Ordinal))
        {
            using Stream stream = assembly.GetManifestResourceStream(name)!;
            yield return new SeqEntity(kind, JsonNode.Parse(stream)!.AsObject());
        }
    }
}
