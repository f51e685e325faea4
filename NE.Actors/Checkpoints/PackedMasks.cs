using System.Text;
using NE.Model;

namespace NE.Actors.Checkpoints;

/// <summary>Names one mask: the network ("actor", "critic"), its stack (0; 0 and 1 for the twin critics) and the linear layer within it.</summary>
public readonly record struct MaskKey(string Network, int Stack, int Layer);

/// <summary>
/// All masks of a run, one bit per weight in row-major order: the content of the component "masks" and of the journal's snapshots.
/// Folding a <see cref="History.TopologyChanged"/> into it gives the masks after the event.
/// </summary>
/// <remarks>
/// Bytes, little-endian: layer count (int32); per layer the network's name (length-prefixed UTF-8), stack, layer, weights (int32 each) and
/// ceil(weights / 8) bytes, weight i being bit i % 8 of byte i / 8, spare bits 0. Layers are in the order in which they were added.
/// </remarks>
public sealed class PackedMasks
{
    readonly List<(MaskKey Key, int Size, byte[] Bits)> layers = [];

    public IEnumerable<(MaskKey Key, int Size)> Layers => this.layers.Select(l => (l.Key, l.Size));

    /// <summary>Adds a layer; value i says whether weight i is active.</summary>
    public PackedMasks Add(MaskKey key, ReadOnlySpan<bool> active)
    {
        var bits = new byte[(active.Length + 7) / 8];
        for (var i = 0; i < active.Length; i++)
        {
            if (active[i])
            {
                bits[i >> 3] |= (byte)(1 << (i & 7));
            }
        }
        this.layers.Add((key, active.Length, bits));
        return this;
    }

    public bool IsActive(MaskKey key, int weight) => (this.Find(key).Bits[weight >> 3] >> (weight & 7) & 1) != 0;

    /// <summary>Active weights of a layer.</summary>
    public int Active(MaskKey key) => this.Find(key).Bits.Sum(b => int.PopCount(b));

    /// <summary>Activates the grown and deactivates the pruned weights.</summary>
    /// <exception cref="InvalidDataException">The event names a layer or a weight that is not there, or leaves another number active than it says.</exception>
    public void Apply(History.TopologyChanged change)
    {
        foreach (var layer in change.Layers)
        {
            var key = new MaskKey(change.Network, layer.Stack, layer.Layer);
            var (_, size, bits) = this.Find(key);
            Array.ForEach(layer.Grown, i => bits[Within(i, size, key) >> 3] |= (byte)(1 << (i & 7)));
            Array.ForEach(layer.Pruned, i => bits[Within(i, size, key) >> 3] &= (byte)~(1 << (i & 7)));
            var active = this.Active(key);
            if (active != layer.Active)
            {
                throw new InvalidDataException($"The topology event at gradient step {change.Step:N0} leaves {layer.Active:N0} weights active in {key}, but folding it gives {active:N0}.");
            }
        }
    }

    public byte[] ToBytes()
    {
        using var stream = new MemoryStream();
        using (var writer = new BinaryWriter(stream, Encoding.UTF8))
        {
            writer.Write(this.layers.Count);
            foreach (var (key, size, bits) in this.layers)
            {
                writer.Write(key.Network);
                writer.Write(key.Stack);
                writer.Write(key.Layer);
                writer.Write(size);
                writer.Write(bits);
            }
        }
        return stream.ToArray();
    }

    /// <exception cref="InvalidDataException">The bytes are not in this format.</exception>
    public static PackedMasks Parse(ReadOnlySpan<byte> bytes)
    {
        using var reader = new BinaryReader(new MemoryStream(bytes.ToArray()), Encoding.UTF8);
        var masks = new PackedMasks();
        try
        {
            for (var count = reader.ReadInt32(); count > 0; count--)
            {
                var key = new MaskKey(reader.ReadString(), reader.ReadInt32(), reader.ReadInt32());
                var size = reader.ReadInt32();
                var length = (size + 7) / 8;
                var bits = reader.ReadBytes(length);
                masks.layers.Add(size >= 0 && bits.Length == length ? (key, size, bits) : throw new EndOfStreamException());
            }
            return reader.BaseStream.Position == reader.BaseStream.Length ? masks : throw new InvalidDataException("Packed masks are followed by other bytes.");
        }
        catch (EndOfStreamException)
        {
            throw new InvalidDataException($"Expected packed masks, found {bytes.Length:N0} bytes that end within a layer.");
        }
    }

    private (MaskKey Key, int Size, byte[] Bits) Find(MaskKey key)
    {
        var at = this.layers.FindIndex(l => l.Key == key);
        return at >= 0 ? this.layers[at] : throw new InvalidDataException($"There is no mask of {key}; there are masks of {string.Join(", ", this.layers.Select(l => l.Key))}.");
    }

    private static int Within(int index, int size, MaskKey key) =>
        (uint)index < (uint)size ? index : throw new InvalidDataException($"Expected weights of {key} in [0, {size}), found {index}.");
}
