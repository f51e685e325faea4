namespace NE.Actors.Fleet.Wire;

/// <summary>How one kind of message is written: its name with a version, and its bytes (little-endian). A form never changes; what is to be said
/// in another way gets another version.</summary>
public sealed record WireForm(string Manifest, Type Type, Action<object, BinaryWriter> Write, Func<BinaryReader, object> Read)
{
    public static WireForm Of<T>(string manifest, Action<T, BinaryWriter> write, Func<BinaryReader, T> read)
        where T : class
        => new(manifest, typeof(T), (message, writer) => write((T)message, writer), read);
}
