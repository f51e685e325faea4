using System.Security.Cryptography;
using System.Text;

namespace NE.Actors.Journal;

/// <summary>
/// A checksum behind each record of the journal: a line end and 16 hexadecimal digits of a SHA-256 over the record's manifest name and bytes.
/// SQLite finds damage of its own pages' structure, not of what is in them.
/// </summary>
internal static class RecordSeal
{
    private const int Digits = 16;

    internal static byte[] Close(string manifest, ReadOnlySpan<byte> record) => [.. record, (byte)'\n', .. Encoding.ASCII.GetBytes(Checksum(manifest, record))];

    /// <summary>The record without its checksum. Records from before there was one are JSON to the end.</summary>
    /// <exception cref="InvalidDataException">The bytes are not those that were stored.</exception>
    internal static ReadOnlySpan<byte> Open(string manifest, ReadOnlySpan<byte> stored)
    {
        if (stored.Length <= Digits || stored[^(Digits + 1)] != (byte)'\n')
        {
            return stored;
        }
        var record = stored[..^(Digits + 1)];
        var found = Checksum(manifest, record);
        return stored[^Digits..].SequenceEqual(Encoding.ASCII.GetBytes(found))
            ? record
            : throw new InvalidDataException(
                $"A record '{manifest}' of the journal is damaged: its bytes have the checksum {found}, not {Encoding.ASCII.GetString(stored[^Digits..])}.");
    }

    private static string Checksum(string manifest, ReadOnlySpan<byte> record)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes(manifest));
        hash.AppendData("\n"u8);
        hash.AppendData(record);
        return Convert.ToHexStringLower(hash.GetHashAndReset())[..Digits];
    }
}
