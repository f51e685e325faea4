using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace NE.Shell.Host;

/// <summary>JSON as all verbs print it.</summary>
public static class Json
{
    /// <summary>Indented, camelCase, without escapes that only HTML needs; NaN stays visible instead of failing the whole document.</summary>
    public static JsonSerializerOptions Options { get; } = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };
    /// <summary>A file that this program wrote.</summary>
    /// <param name="file">It is there.</param>
    /// <param name="what">For people: "the cells of a sweep".</param>
    /// <param name="isWhole">Whether it has all that belongs into it.</param>
    /// <param name="remedy">A sentence: what to do about a damaged one.</param>
    /// <exception cref="ShellFailure">It is damaged.</exception>
    public static T Read<T>(string file, string what, Func<T, bool> isWhole, string remedy)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize<T>(File.ReadAllText(file), Options) is { } read && isWhole(read) ? read : throw new JsonException("a field is missing");
        }
        catch (JsonException problem)
        {
            throw new ShellFailure($"{file} cannot be read as {what}: {problem.Message} {remedy}");
        }
    }
}
