using System.Buffers.Binary;
using System.Numerics;
using Google.Protobuf;
using Tensorboard;

namespace NE.Actors.Telemetry;

/// <summary>
/// The frame of a record in a TensorBoard event file (TFRecord): length, masked CRC-32C of the length, the record, masked CRC-32C of the
/// record; little-endian. The records are protocol buffers whose classes come with TorchSharp; they load nothing of libtorch.
/// </summary>
public static class EventRecords
{
    /// <summary>Bytes of a frame before its record.</summary>
    private const int Before = sizeof(ulong) + sizeof(uint);

    /// <summary>No record of ours comes near; a larger length is damage.</summary>
    private const ulong Largest = 16 * 1024 * 1024;

    public static byte[] Frame(Event record)
    {
        // Not into the frame itself: the classes are of an older generation, which writes to arrays of its own alone.
        var bytes = record.ToByteArray();
        var frame = new byte[Before + bytes.Length + sizeof(uint)];
        BinaryPrimitives.WriteUInt64LittleEndian(frame, (ulong)bytes.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(frame.AsSpan(sizeof(ulong)), MaskedChecksum(frame.AsSpan(0, sizeof(ulong))));
        bytes.CopyTo(frame, Before);
        BinaryPrimitives.WriteUInt32LittleEndian(frame.AsSpan(Before + bytes.Length), MaskedChecksum(bytes));
        return frame;
    }

    /// <summary>All records of a file's first bytes.</summary>
    /// <exception cref="InvalidDataException">They are not whole records with the right checksums.</exception>
    public static IEnumerable<Event> Read(ReadOnlyMemory<byte> bytes)
    {
        for (var at = 0; at < bytes.Length;)
        {
            var record = Record(bytes.Span, at) ?? throw new InvalidDataException($"The record at byte {at:N0} is damaged or cut off.");
            at += Before + record.Length + sizeof(uint);
            yield return Event.Parser.ParseFrom(record);
        }
    }

    private static byte[]? Record(ReadOnlySpan<byte> bytes, int at)
    {
        var rest = bytes[at..];
        if (rest.Length < Before || MaskedChecksum(rest[..sizeof(ulong)]) != BinaryPrimitives.ReadUInt32LittleEndian(rest[sizeof(ulong)..]))
        {
            return null;
        }
        var size = BinaryPrimitives.ReadUInt64LittleEndian(rest);
        if (size > Largest || rest.Length < Before + (int)size + sizeof(uint))
        {
            return null;
        }
        var record = rest.Slice(Before, (int)size);
        return MaskedChecksum(record) == BinaryPrimitives.ReadUInt32LittleEndian(rest[(Before + (int)size)..]) ? record.ToArray() : null;
    }

    /// <summary>CRC-32C, rotated and shifted as TFRecord has it, so that the checksum of data with checksums in it stays a good one.</summary>
    private static uint MaskedChecksum(ReadOnlySpan<byte> bytes)
    {
        var sum = uint.MaxValue;
        foreach (var value in bytes)
        {
            sum = BitOperations.Crc32C(sum, value);
        }
        return BitOperations.RotateRight(~sum, 15) + 0xA282EAD8u;
    }
}
