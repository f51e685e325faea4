using System.Buffers.Binary;

namespace NE.Actors.Journal;

/// <summary>
/// Columns of a stored table. Whole numbers are differences to the row before, the sign in the lowest bit, in 7-bit groups, low group first,
/// the top bit saying that another follows: one byte where neighbours are near. Reals are their bits without the zero bytes at the low end,
/// after the number of bytes that are left: 2 or 3 bytes for a small whole number, 9 for any. Both are exact for every value.
/// </summary>
internal static class ColumnCoding
{
    /// <summary>Differences to the number before.</summary>
    internal static byte[] Differences(IEnumerable<long> numbers) => Differences(numbers.Select(number => (0, number)));

    /// <summary>Differences to the number before of the same kind.</summary>
    internal static byte[] Differences(IEnumerable<(int Kind, long Number)> numbers)
    {
        var bytes = new List<byte>();
        var before = new Dictionary<int, long>();
        foreach (var (kind, number) in numbers)
        {
            var difference = unchecked(number - before.GetValueOrDefault(kind));
            var rest = unchecked((ulong)((difference << 1) ^ (difference >> 63)));
            for (; rest >= 0x80; rest >>= 7)
            {
                bytes.Add((byte)(rest | 0x80));
            }
            bytes.Add((byte)rest);
            before[kind] = number;
        }
        return [.. bytes];
    }

    /// <summary>The numbers whose differences these are.</summary>
    /// <param name="bytes">From <see cref="Differences(IEnumerable{ValueTuple{int, long}})"/>.</param>
    /// <param name="kinds">The kind of each; null when all are of one.</param>
    /// <exception cref="InvalidDataException">The bytes end within a number, or a kind is missing.</exception>
    internal static long[] Sums(byte[] bytes, long[]? kinds = null)
    {
        var numbers = new List<long>(bytes.Length);
        var before = new Dictionary<long, long>();
        var (value, shift) = (0UL, 0);
        foreach (var part in bytes)
        {
            value |= (part & 0x7FUL) << shift;
            shift += 7;
            if (part >= 0x80)
            {
                continue;
            }
            if (kinds?.Length <= numbers.Count)
            {
                throw new InvalidDataException("A stored column has more rows than another.");
            }
            var kind = kinds?[numbers.Count] ?? 0;
            var number = unchecked(before.GetValueOrDefault(kind) + ((long)(value >> 1) ^ -(long)(value & 1)));
            before[kind] = number;
            numbers.Add(number);
            (value, shift) = (0, 0);
        }
        return shift == 0 ? [.. numbers] : throw new InvalidDataException("A stored column ends within a number.");
    }

    internal static byte[] Reals(IEnumerable<double> numbers)
    {
        var bytes = new List<byte>();
        Span<byte> whole = stackalloc byte[sizeof(double)];
        foreach (var number in numbers)
        {
            BinaryPrimitives.WriteDoubleBigEndian(whole, number);
            var kept = whole.LastIndexOfAnyExcept((byte)0) + 1;
            bytes.Add((byte)kept);
            bytes.AddRange(whole[..kept]);
        }
        return [.. bytes];
    }

    /// <exception cref="InvalidDataException">The bytes end within a number.</exception>
    internal static double[] Reals(byte[] bytes)
    {
        var numbers = new List<double>(bytes.Length / 2);
        Span<byte> whole = stackalloc byte[sizeof(double)];
        for (var at = 0; at < bytes.Length; at += 1 + bytes[at])
        {
            var kept = bytes[at];
            if (kept > sizeof(double) || at + kept >= bytes.Length)
            {
                throw new InvalidDataException("A stored column ends within a number.");
            }
            whole.Clear();
            bytes.AsSpan(at + 1, kept).CopyTo(whole);
            numbers.Add(BinaryPrimitives.ReadDoubleBigEndian(whole));
        }
        return [.. numbers];
    }
}
