using System.Runtime.Serialization;
using Akka.Actor;
using Akka.Configuration;
using Akka.Serialization;

namespace NE.Actors.Fleet.Wire;

/// <summary>In the place of a serializer for any object: there is none.</summary>
public sealed class RefusingSerializer(ExtendedActorSystem system) : Serializer(system)
{
    /// <summary>As Akka makes one for whose name there are settings; they are those of another one.</summary>
    public RefusingSerializer(ExtendedActorSystem system, Config settings)
        : this(system) => _ = settings;

    public override int Identifier => 7_310;

    public override bool IncludeManifest => false;

    public override byte[] ToBinary(object message) => throw new SerializationException($"{message.GetType()} was not made to cross to another machine");

    public override object FromBinary(byte[] bytes, Type type) => throw new SerializationException($"a message of an unknown kind ({bytes.Length} bytes) came; it is dropped");
}
