using Akka.Actor;
using Akka.Serialization;
using NE.Actors.Journal;

namespace NE.Actors.Cast;

/// <summary>Hands <see cref="JournalCodec"/> to Akka. Its identifier is stored in every row.</summary>
public sealed class JournalSerializer(ExtendedActorSystem system) : SerializerWithStringManifest(system)
{
    /// <summary>Never change: rows of old runs name it.</summary>
    public const int Number = 7_301;

    public override int Identifier => Number;

    public override string Manifest(object entry) => JournalCodec.ManifestOf(entry);

    public override byte[] ToBinary(object entry) => JournalCodec.Encode(entry);

    public override object FromBinary(byte[] bytes, string manifest) => JournalCodec.Decode(manifest, bytes);
}
