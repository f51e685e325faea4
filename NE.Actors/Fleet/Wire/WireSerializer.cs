using System.Runtime.Serialization;
using System.Text;
using Akka.Actor;
using Akka.Serialization;

namespace NE.Actors.Fleet.Wire;

/// <summary>Writes and reads the messages of one part of the fleet. What it does not know, it refuses.</summary>
public abstract class WireSerializer : SerializerWithStringManifest
{
    /// <summary>Larger ones are not kept.</summary>
    private const int KeptBytes = 1 << 20;

    /// <summary>What grows while a message is written would be collected late.</summary>
    [ThreadStatic]
    private static MemoryStream? kept;

    private readonly Dictionary<string, WireForm> byManifest;
    private readonly Dictionary<Type, WireForm> byType;

    /// <param name="system">Akka's.</param>
    /// <param name="forms">Of all messages.</param>
    protected WireSerializer(ExtendedActorSystem system, IReadOnlyList<WireForm> forms)
        : base(system) =>
        (this.byManifest, this.byType) = (forms.ToDictionary(form => form.Manifest), forms.ToDictionary(form => form.Type));

    public override string Manifest(object message) => this.FormOf(message).Manifest;

    public override byte[] ToBinary(object message)
    {
        var stream = kept ?? new MemoryStream();
        kept = null;
        stream.SetLength(0);
        using var writer = new BinaryWriter(stream, Encoding.UTF8, leaveOpen: true);
        this.FormOf(message).Write(message, writer);
        writer.Flush();
        var bytes = stream.ToArray();
        kept = stream.Capacity <= KeptBytes ? stream : null;
        return bytes;
    }

    public override object FromBinary(byte[] bytes, string manifest)
    {
        if (!this.byManifest.TryGetValue(manifest, out var form))
        {
            throw new SerializationException($"a message of kind '{manifest}' came, which this build does not know; it is dropped");
        }
        try
        {
            using var reader = new BinaryReader(new MemoryStream(bytes, writable: false), Encoding.UTF8);
            var message = form.Read(reader);
            return reader.BaseStream.Position == bytes.Length
                ? message
                : throw new InvalidDataException($"{bytes.Length - reader.BaseStream.Position} bytes are left over");
        }
        catch (Exception damage) when (damage is IOException or InvalidDataException or ArgumentException or FormatException)
        {
            throw new SerializationException($"a message of kind '{manifest}' of {bytes.Length} bytes is damaged ({damage.Message}); it is dropped", damage);
        }
    }

    private WireForm FormOf(object message) =>
        this.byType.GetValueOrDefault(message.GetType()) ?? throw new SerializationException($"{message.GetType().Name} is not a message of the fleet");
}
