using System.Runtime.InteropServices;

namespace NE.Actors.Fleet.Wire;

/// <summary>Pieces of messages. Counts are checked against what is there before anything is allocated.</summary>
public static class WireCoding
{
    public static void WriteBytes(this BinaryWriter writer, ReadOnlySpan<byte> bytes)
    {
        writer.Write(bytes.Length);
        writer.Write(bytes);
    }

    public static byte[] ReadBlock(this BinaryReader reader) => reader.ReadBytes(reader.ReadCount(1));

    public static void WriteFloats(this BinaryWriter writer, ReadOnlySpan<float> values)
    {
        writer.Write(values.Length);
        writer.Write(MemoryMarshal.AsBytes(values));
    }

    public static float[] ReadFloats(this BinaryReader reader)
    {
        var values = new float[reader.ReadCount(sizeof(float))];
        reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(values.AsSpan()));
        return values;
    }

    public static void WriteList<T>(this BinaryWriter writer, IReadOnlyCollection<T> items, Action<T> write)
    {
        writer.Write(items.Count);
        foreach (var item in items)
        {
            write(item);
        }
    }

    public static T[] ReadList<T>(this BinaryReader reader, Func<T> read)
    {
        var items = new T[reader.ReadCount(1)];
        for (var i = 0; i < items.Length; i++)
        {
            items[i] = read();
        }
        return items;
    }

    public static void WriteOptional(this BinaryWriter writer, string? text)
    {
        writer.Write(text is not null);
        writer.Write(text ?? "");
    }

    public static string? ReadOptional(this BinaryReader reader)
    {
        var (given, text) = (reader.ReadBoolean(), reader.ReadString());
        return given ? text : null;
    }

    public static void WriteOptional(this BinaryWriter writer, byte[]? bytes)
    {
        writer.Write(bytes is not null);
        writer.WriteBytes(bytes ?? []);
    }

    public static byte[]? ReadOptionalBlock(this BinaryReader reader)
    {
        var (given, bytes) = (reader.ReadBoolean(), reader.ReadBlock());
        return given ? bytes : null;
    }

    private static int ReadCount(this BinaryReader reader, int size)
    {
        var count = reader.ReadInt32();
        return count >= 0 && (long)count * size <= reader.BaseStream.Length - reader.BaseStream.Position
            ? count
            : throw new InvalidDataException($"it claims {count} items of {size} bytes");
    }
}
