using System.Text.Json.Nodes;

namespace NE.Shell.SeqServer;

/// <summary>What became of an entity.</summary>
/// <param name="Result">created, updated or unchanged.</param>
public sealed record SeqSetupResult(SeqEntity Entity, string Result);

/// <summary>Makes entities in a server, or makes those of the same title what they should be; a second time changes nothing.</summary>
internal static class SeqSetup
{
    /// <summary>Makes them in order.</summary>
    /// <param name="api">Opened.</param>
    /// <param name="entities">Signals first.</param>
    /// <param name="done">Told of each.</param>
    public static async Task Make(SeqApi api, IReadOnlyList<SeqEntity> entities, Action<SeqSetupResult> done)
    {
        var signals = new Dictionary<string, string>();

        foreach (IGrouping<SeqKind, SeqEntity> kind in entities.GroupBy(entity => entity.Kind))
        {
            string group = GroupOf(kind.Key);
            IReadOnlyList<JsonObject> there = await api.List(group);

            foreach (SeqEntity entity in kind)
            {
                (string id, string result) = await Make(api, group, entity.Title, entity.With(signals), there);
                done(new(entity, result));

                if (entity.Kind is SeqKind.Signal)
                {
                    signals[entity.Title] = id;
                }
            }
        }
    }

    private static async Task<(string Id, string Result)> Make(SeqApi api, string group, string title, JsonObject wanted, IReadOnlyList<JsonObject> there)
    {
        JsonObject? found = there.FirstOrDefault(item => item["Title"]?.ToString() == title);

        if (found?["Id"]?.ToString() is not { } id)
        {
            return (await api.Create(group, Over(await api.Template(group), wanted)), "created");
        }

        if (Says(found, wanted))
        {
            return (id, "unchanged");
        }

        await api.Replace(group, id, Over(found, wanted));
        return (id, "updated");
    }

    /// <summary>What the server has, with what is wanted in its place; what we do not know stays the server's.</summary>
    private static JsonObject Over(JsonObject there, JsonObject wanted)
    {
        JsonObject both = there.DeepClone().AsObject();
        both.Remove("Links");

        foreach ((string name, JsonNode? value) in wanted)
        {
            both[name] = value?.DeepClone();
        }

        return both;
    }

    /// <summary>Whether everything that is wanted is there; a server adds ids and defaults of its own.</summary>
    private static bool Says(JsonNode? there, JsonNode? wanted) => (there, wanted) switch
    {
        (null, null) => true,
        (JsonObject have, JsonObject want) => want.All(property => Says(have[property.Key], property.Value)),
        (JsonArray have, JsonArray want) => have.Count == want.Count && have.Zip(want, Says).All(same => same),
        _ => JsonNode.DeepEquals(there, wanted),
    };

    private static string GroupOf(SeqKind kind) => kind switch
    {
        SeqKind.Signal => "Signals",
        SeqKind.Query => "SqlQueries",
        _ => "Dashboards",
    };
}
