using Akka.Actor;
using NE.Actors.Fleet.Wire;

namespace NE.Actors.Fleet;

/// <summary>Something that a process does in a fleet. It outlives the process's incarnations there.</summary>
public interface IFleetPart
{
    /// <summary>What it says to its like.</summary>
    IReadOnlyList<WireMessages> Messages { get; }

    /// <summary>Makes its actors for an incarnation, before that joins. Those of the one before have ended.</summary>
    void Begin(ActorSystem system, FleetOptions options);
}
