using System.Globalization;
using System.Text;
using System.Text.Json;
using Serilog.Events;
using Serilog.Parsing;

namespace NE.Shell.Serving.Data;

/// <summary>Lines of a log in newline-delimited JSON, as Serilog's compact formatter writes it.</summary>
internal static class LogTail
{
    /// <summary>Bytes of a page at most; some hundred lines.</summary>
    private const int PageBytes = 64 * 1024;

    private static readonly MessageTemplateParser Templates = new();

    /// <summary>The lines that end at a byte, a page of them.</summary>
    /// <param name="file">It may not be there yet.</param>
    /// <param name="before">Where to end; null for the end of the file.</param>
    public static LogPage Read(string file, long? before)
    {
        if (!File.Exists(file))
        {
            return new(0, 0, []);
        }

        using FileStream stream = File.Open(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        long end = Math.Clamp(before ?? stream.Length, 0, stream.Length);
        long begin = Math.Max(0, end - PageBytes);
        byte[] bytes = new byte[end - begin];
        stream.Seek(begin, SeekOrigin.Begin);
        int length = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        // The first line of a page in the middle is cut, and so may be the last one of a log that is being written.
        int first = begin == 0 ? 0 : Array.IndexOf(bytes, (byte)'\n') + 1;
        int complete = Array.LastIndexOf(bytes, (byte)'\n', length - 1 < 0 ? 0 : length - 1) + 1;

        if (complete <= first)
        {
            return new(begin, begin, []);
        }

        return new(begin + first, begin + complete, [.. Lines(bytes, first, complete, begin)]);
    }

    /// <summary>The lines between two places, each of which ends with its break.</summary>
    private static IEnumerable<LogLine> Lines(byte[] bytes, int from, int to, long begin)
    {
        int at = from;

        while (at < to)
        {
            int end = Array.IndexOf(bytes, (byte)'\n', at);

            if (end > at)
            {
                yield return Line(begin + at, Encoding.UTF8.GetString(bytes, at, end - at));
            }

            at = end + 1;
        }
    }

    private static LogLine Line(long at, string text)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(text);
            JsonElement logged = document.RootElement;
            var properties = new Dictionary<string, LogEventPropertyValue>();

            foreach (JsonProperty property in logged.EnumerateObject().Where(property => !property.Name.StartsWith('@')))
            {
                properties[property.Name] = Value(property.Value);
            }

            string message = Text(logged, "@m") ?? Templates.Parse(Text(logged, "@mt") ?? "").Render(properties, CultureInfo.InvariantCulture);
            return Text(logged, "@st") is { } start
                ? new(at, Text(logged, "@t") ?? "", nameof(LogEventLevel.Debug), message + Took(start, Text(logged, "@t")), Text(logged, "@x"))
                : new(at, Text(logged, "@t") ?? "", Text(logged, "@l") ?? nameof(LogEventLevel.Information), message, Text(logged, "@x"));
        }
        catch (Exception torn) when (torn is JsonException or InvalidOperationException)
        {
            // A killed process leaves half a line.
            return new(at, "", "", text, null);
        }
    }

    /// <summary>A span is written when it has ended, and there are many.</summary>
    private static string Took(string start, string? end) =>
        DateTimeOffset.TryParse(start, CultureInfo.InvariantCulture, out DateTimeOffset began) && DateTimeOffset.TryParse(end, CultureInfo.InvariantCulture, out DateTimeOffset ended)
            ? string.Create(CultureInfo.InvariantCulture, $" took {(ended - began).TotalMilliseconds:0.#} ms") : "";

    private static LogEventPropertyValue Value(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Array => new SequenceValue(value.EnumerateArray().Select(Value)),
        JsonValueKind.Object => new StructureValue(value.EnumerateObject().Select(property => new LogEventProperty(property.Name, Value(property.Value)))),
        JsonValueKind.String => new ScalarValue(value.GetString()),
        JsonValueKind.Number => value.TryGetInt64(out long whole) ? new ScalarValue(whole) : new ScalarValue(value.GetDouble()),
        JsonValueKind.True or JsonValueKind.False => new ScalarValue(value.GetBoolean()),
        _ => new ScalarValue(null),
    };

    private static string? Text(JsonElement logged, string name) =>
        logged.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
