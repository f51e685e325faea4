using System.Runtime.InteropServices;

namespace NE.Actors.Exports;

/// <summary>A named tensor of 32-bit floats, row-major.</summary>
public sealed record ExportedTensor(string Name, IReadOnlyList<int> Shape, float[] Values)
{
    /// <summary>The values, little-endian.</summary>
    internal ReadOnlySpan<byte> Bytes => MemoryMarshal.AsBytes(this.Values.AsSpan());
}
