namespace NE.Actors.Fleet.Wire;

/// <summary>The messages of one part of the fleet, as Akka is told of them.</summary>
/// <param name="Name">In Akka's configuration.</param>
/// <param name="Serializer">A <see cref="WireSerializer"/>.</param>
/// <param name="Marker">The interface of all of them.</param>
public sealed record WireMessages(string Name, Type Serializer, Type Marker);
