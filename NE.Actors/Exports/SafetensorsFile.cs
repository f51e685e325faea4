using System.Buffers.Binary;
using System.Text.Encodings.Web;
using System.Text.Json;
using NE.Model.Agents;

namespace NE.Actors.Exports;

/// <summary>
/// A safetensors file: the length of a header as eight bytes, the header as JSON, then the values of all tensors, little-endian and without gaps
/// (https://github.com/huggingface/safetensors, "Format"). Of its types of numbers this program knows F32.
/// </summary>
/// <param name="Tensors">By name.</param>
/// <param name="Metadata">Texts by name.</param>
public sealed record SafetensorsFile(IReadOnlyDictionary<string, GivenTensor> Tensors, IReadOnlyDictionary<string, string> Metadata)
{
    private const string MetadataName = "__metadata__";
    private const string Float32 = "F32";

    /// <summary>The format's own limit.</summary>
    private const long LongestHeader = 100_000_000;

    /// <summary>More than any network here has (`BlockLayout`), and what an array of bytes can hold.</summary>
    private const long LongestFile = 1L << 30;

    /// <summary>The header begins on a multiple of so many bytes, and so do the values.</summary>
    private const int Alignment = 8;

    /// <summary>The bytes of the file; the same for the same tensors and metadata.</summary>
    public static byte[] Bytes(IReadOnlyCollection<ExportedTensor> tensors, IReadOnlyDictionary<string, string> metadata)
    {
        using var header = new MemoryStream();
        using (var json = new Utf8JsonWriter(header, new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WritePropertyName(MetadataName);
            JsonSerializer.Serialize(json, metadata);
            long offset = 0;
            foreach (var tensor in tensors)
            {
                json.WriteStartObject(tensor.Name);
                json.WriteString("dtype", Float32);
                json.WritePropertyName("shape");
                JsonSerializer.Serialize(json, tensor.Shape);
                json.WritePropertyName("data_offsets");
                JsonSerializer.Serialize<long[]>(json, [offset, offset += tensor.Bytes.Length]);
                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
        while (header.Length % Alignment != 0)
        {
            header.WriteByte((byte)' ');
        }
        using var file = new MemoryStream();
        Span<byte> length = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
        file.Write(length);
        header.WriteTo(file);
        foreach (var tensor in tensors)
        {
            file.Write(tensor.Bytes);
        }
        return file.ToArray();
    }

    /// <summary>Reads a file and believes nothing that it says.</summary>
    /// <exception cref="InvalidDataException">It is no safetensors file, or not one of 32-bit floats.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static SafetensorsFile Read(string path) => Parse(ReadBytes(path), path);

    /// <summary>The bytes of a file that is not too long.</summary>
    /// <exception cref="InvalidDataException">It is.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static byte[] ReadBytes(string path) => new FileInfo(path).Length is var length && length <= LongestFile
        ? File.ReadAllBytes(path)
        : throw new InvalidDataException($"{path} has {length:N0} bytes; the parameters of an actor have at most {LongestFile:N0}.");

    /// <summary>The same of bytes.</summary>
    /// <param name="name">Of the file, for messages.</param>
    /// <exception cref="InvalidDataException">As above.</exception>
    public static SafetensorsFile Parse(ReadOnlyMemory<byte> bytes, string name)
    {
        InvalidDataException Refusal(string problem) => new($"{name} is no safetensors file that can be read: {problem}.");
        var length = bytes.Length < sizeof(long) ? -1 : BinaryPrimitives.ReadInt64LittleEndian(bytes.Span);
        if (length < 2 || length > LongestHeader || length > bytes.Length - sizeof(long))
        {
            throw Refusal(bytes.Length < sizeof(long)
                ? $"it has {bytes.Length} bytes and no header"
                : $"its first eight bytes announce a header of {length:N0} bytes, and {bytes.Length - sizeof(long):N0} follow");
        }
        var values = bytes[(sizeof(long) + (int)length)..];
        try
        {
            using var header = JsonDocument.Parse(bytes.Slice(sizeof(long), (int)length), new() { AllowDuplicateProperties = false });
            var metadata = new Dictionary<string, string>();
            var tensors = new Dictionary<string, GivenTensor>();
            var parts = new List<(long From, long To, string Name)>();
            foreach (var entry in header.RootElement.EnumerateObject())
            {
                if (entry.Name == MetadataName)
                {
                    metadata = entry.Value.EnumerateObject().ToDictionary(text => text.Name, text => text.Value.GetString() ?? "");
                    continue;
                }
                var (shape, from, to) = Described(entry, values.Length, Refusal);
                parts.Add((from, to, entry.Name));
                tensors[entry.Name] = new(shape, Floats(values.Span[(int)from..(int)to]));
            }
            RequireWhole(parts, values.Length, Refusal);
            return new(tensors, metadata);
        }
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException or FormatException or KeyNotFoundException)
        {
            throw Refusal($"its header is not as it must be ({malformed.Message.TrimEnd('.')})");
        }
    }

    private static (int[] Shape, long From, long To) Described(JsonProperty tensor, int available, Func<string, InvalidDataException> refusal)
    {
        var type = tensor.Value.GetProperty("dtype").GetString();
        if (type != Float32)
        {
            throw refusal($"{tensor.Name} has numbers of type {type}, and {Float32} was expected");
        }
        int[] shape = [.. tensor.Value.GetProperty("shape").EnumerateArray().Select(size => size.GetInt32())];
        if (shape.Any(size => size < 0))
        {
            throw refusal($"{tensor.Name} has the shape [{string.Join(", ", shape)}]");
        }
        long[] offsets = [.. tensor.Value.GetProperty("data_offsets").EnumerateArray().Select(offset => offset.GetInt64())];
        if (offsets is not [var from, var to] || from < 0 || to < from || to > available)
        {
            throw refusal($"{tensor.Name} has the offsets [{string.Join(", ", offsets)}], and there are {available:N0} bytes");
        }
        // Sizes of a shape may be chosen so that their product leaves 64 bits.
        var expected = shape.Aggregate((Int128)sizeof(float), (product, size) => product > available ? product : product * size);
        return to - from == expected
            ? (shape, from, to)
            : throw refusal($"{tensor.Name} of the shape [{string.Join(", ", shape)}] has {to - from:N0} bytes");
    }

    /// <summary>Every byte belongs to one tensor.</summary>
    private static void RequireWhole(List<(long From, long To, string Name)> parts, long length, Func<string, InvalidDataException> refusal)
    {
        long end = 0;
        foreach (var (from, to, name) in parts.OrderBy(part => part.From).ThenBy(part => part.To))
        {
            if (from != end)
            {
                throw refusal(from < end ? $"{name} lies over another tensor" : $"{from - end:N0} bytes in front of {name} belong to no tensor");
            }
            end = to;
        }
        if (end != length)
        {
            throw refusal($"{length - end:N0} bytes at its end belong to no tensor");
        }
    }

    private static float[] Floats(ReadOnlySpan<byte> bytes) => System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(bytes).ToArray();
}
