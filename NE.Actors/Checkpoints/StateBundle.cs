using System.Buffers.Binary;

namespace NE.Actors.Checkpoints;

/// <summary>Several byte strings as one: a count, then each with its length; little-endian.</summary>
internal static class StateBundle
{
    public static byte[] Pack(IReadOnlyList<byte[]> parts)
    {
        var bytes = new byte[sizeof(int) + parts.Sum(part => sizeof(int) + part.Length)];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, parts.Count);
        var at = sizeof(int);
        foreach (var part in parts)
        {
            BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(at), part.Length);
            part.CopyTo(bytes, at + sizeof(int));
            at += sizeof(int) + part.Length;
        }
        return bytes;
    }

    /// <exception cref="InvalidDataException">The bytes are no bundle of that many parts.</exception>
    public static IReadOnlyList<byte[]> Unpack(ReadOnlySpan<byte> bytes, string name, int? expected = null)
    {
        try
        {
            var parts = new byte[BinaryPrimitives.ReadInt32LittleEndian(bytes)][];
            if (expected is { } count && count != parts.Length)
            {
                throw new InvalidDataException($"The stored {name} should have {count} parts, but have {parts.Length}.");
            }
            var rest = bytes[sizeof(int)..];
            for (var i = 0; i < parts.Length; i++)
            {
                var length = BinaryPrimitives.ReadInt32LittleEndian(rest);
                parts[i] = rest.Slice(sizeof(int), length).ToArray();
                rest = rest[(sizeof(int) + length)..];
            }
            return parts;
        }
        catch (ArgumentOutOfRangeException error)
        {
            throw new InvalidDataException($"The stored {name} end early.", error);
        }
    }
}
