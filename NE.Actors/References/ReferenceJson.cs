using System.IO.Compression;
using System.Text.Json;

namespace NE.Actors.References;

/// <summary>Reads reference files: JSON, plain or .gz.</summary>
internal static class ReferenceJson
{
    /// <summary>Throws FileNotFoundException, or InvalidDataException when the file is not JSON.</summary>
    internal static JsonDocument Read(string file)
    {
        if (!File.Exists(file))
        {
            throw new FileNotFoundException($"There is no reference file {file}.", file);
        }

        try
        {
            using var stream = File.OpenRead(file);
            if (!file.EndsWith(".gz", StringComparison.OrdinalIgnoreCase))
            {
                return JsonDocument.Parse(stream);
            }

            using var plain = new GZipStream(stream, CompressionMode.Decompress);
            return JsonDocument.Parse(plain);
        }
        catch (Exception e) when (e is JsonException or InvalidDataException)
        {
            throw new InvalidDataException($"{file} is not JSON: {e.Message}", e);
        }
    }

    /// <summary>The numbers of an array, or the one number.</summary>
    internal static double[] Numbers(JsonElement value) =>
        value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray().Select(number => number.GetDouble())] : [value.GetDouble()];

    /// <summary>The rows of an array of arrays; a row of one number may be that number itself.</summary>
    internal static double[][] Rows(JsonElement value) => [.. value.EnumerateArray().Select(Numbers)];
}
