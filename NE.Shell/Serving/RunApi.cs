using System.Globalization;
using System.Net.ServerSentEvents;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using NE.Actors.RunDirectory;
using NE.Shell.Host;
using NE.Shell.Serving.Data;

namespace NE.Shell.Serving;

/// <summary>What the page asks for, as JSON under /api. A number that is not finite is null.</summary>
internal static class RunApi
{
    private const int MostPoints = 20_000;
    private const int MostColumns = 64;

    private static readonly JsonSerializerOptions Compact = new(JsonSerializerDefaults.Web) { Converters = { new FiniteNumbers(), new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) } };

    /// <summary>Adds the addresses.</summary>
    /// <param name="routes">Of the page.</param>
    /// <param name="source">Where the runs come from.</param>
    /// <param name="feed">What changes.</param>
    /// <param name="control">What the page may do; null for nothing.</param>
    /// <param name="fleet">Where machines come from; null for none.</param>
    public static void Map(IEndpointRouteBuilder routes, IRunSource source, ChangeFeed feed, RunControl? control, IFleetSource? fleet)
    {
        RouteGroupBuilder api = routes.MapGroup("/api").AddEndpointFilter(SayWhatIsWrong);
        api.MapGet("/overview", () => Answer(new
        {
            place = source.Place,
            version = typeof(RunApi).Assembly.GetName().Version?.ToString(3),
            control = control is not null,
            fleet = fleet?.Address,
            charts = PageAssets.HaveCharts,
            runs = source.Runs(),
            sweeps = source.Sweeps(),
        }));
        api.MapGet("/fleet", async () => Answer(fleet is null ? throw new UserError("this page shows no fleet; it was started without --fleet") : await fleet.Now()));
        api.MapGet("/curves", (string? measure, string? runs, int? points) =>
            Answer(source.Curves(runs?.Split(',', StringSplitOptions.RemoveEmptyEntries), measure ?? "return", Points(points, 400))));
        api.MapGet("/runs/{name}", (string name) => Answer(source.Run(name)));
        api.MapGet("/runs/{name}/series", (string name, string table, string columns, double? from, double? to, int? points) => Answer(source.Series(name, Request(table, columns, from, to, points))));
        api.MapGet("/runs/{name}/topology", (string name) => Answer(source.TopologyEvents(name)));
        api.MapGet("/runs/{name}/topology/{index:int}", (string name, int index) =>
            source.Topology(name, index) is { } frame ? Answer(frame) : throw new RunFolderException($"The run '{name}' has no topology event {index}."));
        api.MapGet("/runs/{name}/log", (string name, long? before) => Answer(source.Log(name, before)));
        api.MapGet("/runs/{name}/configuration", (string name) => Answer(source.Configuration(name)));
        api.MapGet("/runs/{name}/video/{file}", (string name, string file) =>
            source.Video(name, file) is { } path
                ? Results.File(path, path.EndsWith(".mp4", StringComparison.Ordinal) ? "video/mp4" : "image/png", enableRangeProcessing: true)
                : throw new RunFolderException($"The run '{name}' has no video '{file}'."));
        api.MapGet("/changes", (CancellationToken gone) => TypedResults.ServerSentEvents(Events(feed, gone)));
        api.MapPost("/runs/{name}/stop", (string name) => Answer(new { said = Allowed(control).Stop(source.Run(name).Summary.Name) }));
        api.MapPost("/runs/{name}/resume", (string name) => Answer(new { said = Allowed(control).Resume(source.Run(name).Summary.Name) }));
        api.MapFallback(() => Problem(StatusCodes.Status404NotFound, "there is nothing at this address"));
    }

    private static RunControl Allowed(RunControl? control) =>
        control ?? throw new UserError("this page only shows; it was started without --control");

    private static async IAsyncEnumerable<SseItem<string>> Events(ChangeFeed feed, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken gone)
    {
        await foreach (IReadOnlyList<RunChange> changes in feed.Listen(gone))
        {
            yield return new(JsonSerializer.Serialize(changes, Compact), "changes");
        }
    }

    private static SeriesRequest Request(string table, string columns, double? from, double? to, int? points)
    {
        string[] named = columns.Split(',', StringSplitOptions.RemoveEmptyEntries);
        return table is not ("eval" or "metrics" or "timing" or "topology") ? throw new UserError($"table expects eval, metrics, timing or topology, found '{table}'")
            : named.Length is 0 or > MostColumns ? throw new UserError($"columns expects 1 to {MostColumns} names, found {named.Length}")
            : new(table, named, from ?? double.NegativeInfinity, to ?? double.PositiveInfinity, Points(points, 1000));
    }

    private static int Points(int? asked, int usual) => Math.Clamp(asked ?? usual, 4, MostPoints);

    private static IResult Answer<T>(T value) => Results.Json(value, Compact);

    private static IResult Problem(int status, string why) => Results.Json(new { error = why }, Compact, statusCode: status);

    private static async ValueTask<object?> SayWhatIsWrong(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        try
        {
            return await next(context);
        }
        catch (RunFolderException missing)
        {
            return Problem(StatusCodes.Status404NotFound, missing.Message);
        }
        catch (UserError wrong)
        {
            return Problem(StatusCodes.Status400BadRequest, wrong.Message);
        }
        catch (Exception unreadable) when (unreadable is ShellFailure || Failures.IsUserError(unreadable) || Failures.IsExpected(unreadable))
        {
            return Problem(StatusCodes.Status503ServiceUnavailable, unreadable.Message);
        }
    }

    /// <summary>JSON has no NaN.</summary>
    private sealed class FiniteNumbers : JsonConverter<double>
    {
        /// <summary>Below it every whole number is one of `double`'s, and no step is larger.</summary>
        private const double MostExact = 1L << 53;

        /// <summary>-1.23456789E-300 and some room.</summary>
        private const int MostDigits = 24;

        public override double Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.TokenType == JsonTokenType.Null ? double.NaN : reader.GetDouble();

        public override void Write(Utf8JsonWriter writer, double value, JsonSerializerOptions options)
        {
            if (!double.IsFinite(value))
            {
                writer.WriteNullValue();
            }
            else if (Math.Abs(value) < MostExact && value == Math.Truncate(value))
            {
                writer.WriteNumberValue((long)value);
            }
            else
            {
                // Nine digits draw the same line as seventeen.
                Span<byte> digits = stackalloc byte[MostDigits];
                value.TryFormat(digits, out int length, "G9", CultureInfo.InvariantCulture);
                writer.WriteRawValue(digits[..length], skipInputValidation: true);
            }
        }
    }
}
