namespace NE.Actors.Journal;

/// <summary>
/// Index arrays as the differences of neighbours, each in 7-bit groups, low group first, the top bit saying that another follows. Ascending
/// indices (the usual case) take 1-2 bytes each; any other array is still exact, since differences wrap around at 2^32.
/// </summary>
internal static class IndexCoding
{
    internal static byte[] Encode(int[] indices)
    {
        var bytes = new List<byte>(indices.Length * 2);
        var previous = 0;
        foreach (var index in indices)
        {
            var rest = unchecked((uint)(index - previous));
            for (; rest >= 0x80; rest >>= 7)
            {
                bytes.Add((byte)(rest | 0x80));
            }
            bytes.Add((byte)rest);
            previous = index;
        }
        return [.. bytes];
    }

    /// <exception cref="InvalidDataException">The bytes end within a number.</exception>
    internal static int[] Decode(byte[] bytes)
    {
        var indices = new List<int>(bytes.Length);
        var (previous, value, shift) = (0, 0u, 0);
        foreach (var part in bytes)
        {
            value |= (part & 0x7Fu) << shift;
            shift += 7;
            if (part < 0x80)
            {
                previous = unchecked(previous + (int)value);
                indices.Add(previous);
                (value, shift) = (0, 0);
            }
        }
        return shift == 0 ? [.. indices] : throw new InvalidDataException("A stored index array ends within a number.");
    }
}
