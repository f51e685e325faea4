using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using NE.Shell.Host;

namespace NE.Shell.SeqServer;

/// <summary>
/// The part of Seq's HTTP API that makes signals, queries and dashboards. Only the root's address is known beforehand; every other one is a
/// link that the server gives, as for its own client Seq.Api (which is not to be had from the feed).
/// </summary>
internal sealed class SeqApi : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private readonly HttpClient client;
    private readonly Uri server;
    private readonly bool hasKey;
    private readonly Dictionary<string, JsonObject> groups = [];
    private JsonObject? root;

    /// <param name="url">Address of the server.</param>
    /// <param name="key">API key; null where the server asks for none. It is sent in a header and never said.</param>
    public SeqApi(string url, string? key)
    {
        this.server = new Uri(url.EndsWith('/') ? url : $"{url}/");
        this.hasKey = key is not null;
        // A redirection would take the key elsewhere.
        this.client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = this.server, Timeout = Patience };
        this.client.DefaultRequestHeaders.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));

        if (key is not null)
        {
            this.client.DefaultRequestHeaders.Add("X-Seq-ApiKey", key);
        }
    }

    /// <summary>Asks what the server is.</summary>
    /// <returns>Its version.</returns>
    /// <exception cref="ShellFailure">It does not answer, or is no Seq server.</exception>
    public async Task<string> Open()
    {
        this.root = await this.Send(HttpMethod.Get, "api", null) as JsonObject;
        return this.root?["Product"]?.ToString() is "Seq" && this.root["Links"] is JsonObject
            ? this.root["Version"]?.ToString() ?? "of an unknown version"
            : throw this.NoSeq("its answer is not that of Seq's API");
    }

    /// <summary>Everything of a kind that all users of the server see.</summary>
    public async Task<IReadOnlyList<JsonObject>> List(string group) =>
        await this.Send(HttpMethod.Get, await this.Link(group, "Items", ("shared", "true")), null) is JsonArray items
            ? [.. items.OfType<JsonObject>().Where(item => item["OwnerId"] is null)]
            : throw this.NoSeq($"its {group} are not a list");

    /// <summary>What a new thing of the kind begins with.</summary>
    public async Task<JsonObject> Template(string group) =>
        await this.Send(HttpMethod.Get, await this.Link(group, "Template"), null) as JsonObject ?? throw this.NoSeq($"its template of {group} is no object");

    /// <summary>Makes a new thing.</summary>
    /// <returns>Its id.</returns>
    public async Task<string> Create(string group, JsonObject content) =>
        (await this.Send(HttpMethod.Post, await this.Link(group, "Items"), content))?["Id"]?.ToString() ?? throw this.NoSeq($"it gives new {group} no id");

    /// <summary>Replaces the thing of an id.</summary>
    public async Task Replace(string group, string id, JsonObject content) => await this.Send(HttpMethod.Put, await this.Link(group, "Item", ("id", id)), content);

    public void Dispose() => this.client.Dispose();

    private async Task<string> Link(string group, string name, params (string Name, string Value)[] values)
    {
        if (!this.groups.TryGetValue(group, out JsonObject? resources))
        {
            this.groups[group] = resources = await this.Send(HttpMethod.Get, this.Expand(this.root, $"{group}Resources"), null) as JsonObject ?? throw this.NoSeq($"it knows no {group}");
        }

        return this.Expand(resources, name, values);
    }

    /// <summary>A link is a template of RFC 6570, of which Seq uses {name} and {?name,name}.</summary>
    private string Expand(JsonObject? linked, string name, params (string Name, string Value)[] values)
    {
        string link = (linked?["Links"] as JsonObject)?.FirstOrDefault(link => link.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Value?.ToString()
            ?? throw this.NoSeq($"it gives no link {name}");
        int query = link.IndexOf("{?", StringComparison.Ordinal);
        string path = query < 0 ? link : link[..query];
        string[] asked = query < 0 ? [] : link[(query + 2)..].TrimEnd('}').Split(',');

        foreach ((string key, string value) in values)
        {
            path = path.Replace($"{{{key}}}", Uri.EscapeDataString(value), StringComparison.Ordinal);
        }

        string parameters = string.Join('&', values.Where(value => asked.Contains(value.Name)).Select(value => $"{value.Name}={Uri.EscapeDataString(value.Value)}"));
        return parameters.Length == 0 ? path : $"{path}?{parameters}";
    }

    private async Task<JsonNode?> Send(HttpMethod method, string link, JsonObject? content)
    {
        var address = new Uri(this.server, link);

        if (address.Authority != this.server.Authority || address.Scheme != this.server.Scheme)
        {
            throw this.NoSeq("it refers to another server");
        }

        try
        {
            using var request = new HttpRequestMessage(method, address);

            if (content is not null)
            {
                request.Content = new StringContent(content.ToJsonString(), Encoding.UTF8, "application/json");
            }

            using HttpResponseMessage answer = await this.client.SendAsync(request);
            string text = await answer.Content.ReadAsStringAsync();
            return answer.IsSuccessStatusCode ? text.Length == 0 ? null : JsonNode.Parse(text) : throw this.Refused(answer.StatusCode, method, text);
        }
        catch (JsonException)
        {
            throw this.NoSeq("its answer is not JSON");
        }
        catch (HttpRequestException failure)
        {
            throw new ShellFailure($"{this.Name} does not answer: {failure.Message}\nIs it up? docker compose -f seq-compose.yml up -d starts one at http://127.0.0.1:5341.");
        }
        catch (TaskCanceledException)
        {
            throw new ShellFailure($"{this.Name} accepts the connection and does not answer within {Patience.TotalSeconds:0} s.");
        }
    }

    private string Name => $"The Seq server at {this.server.GetComponents(UriComponents.SchemeAndServer, UriFormat.Unescaped)}";

    private ShellFailure Refused(HttpStatusCode status, HttpMethod method, string answer) => status switch
    {
        HttpStatusCode.Unauthorized => new(this.hasKey
            ? $"{this.Name} does not know the API key of NE_SEQ_API_KEY or SEQ_API_KEY. Make one in Settings, API Keys, with the permissions Read and Write."
            : $"{this.Name} asks for an API key. Make one in Settings, API Keys, with the permissions Read and Write, and give it in NE_SEQ_API_KEY."),
        HttpStatusCode.Forbidden => new($"{this.Name} does not let {(this.hasKey ? "this API key" : "somebody without an API key")} do that. It takes the permissions Read and Write: Settings, API Keys."),
        HttpStatusCode.NotFound or (>= HttpStatusCode.MultipleChoices and < HttpStatusCode.BadRequest) when this.root is null => this.NoSeq($"it answers {(int)status}"),
        _ => new($"{this.Name} answered {(int)status} to a {method.Method}: {ErrorOf(answer)}"),
    };

    private ShellFailure NoSeq(string why) => new($"What answers at {this.server.GetComponents(UriComponents.SchemeAndServer, UriFormat.Unescaped)} is not a Seq server as this program knows it: {why}.");

    private static string ErrorOf(string answer)
    {
        try
        {
            return (JsonNode.Parse(answer) as JsonObject)?["Error"]?.ToString() ?? "no reason given";
        }
        catch (JsonException)
        {
            return "no reason given";
        }
    }
}
