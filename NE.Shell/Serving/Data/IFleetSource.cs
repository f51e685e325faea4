namespace NE.Shell.Serving.Data;

/// <summary>Where a page gets the machines of a fleet from.</summary>
internal interface IFleetSource
{
    /// <summary>Any process of it.</summary>
    string Address { get; }

    /// <summary>As it is now, or was a few seconds ago.</summary>
    /// <exception cref="NE.Actors.Fleet.FleetException">Nobody answers.</exception>
    Task<FleetPicture> Now();
}

/// <summary>A fleet as the page shows it.</summary>
/// <param name="Nodes">Nodes first, then runs whose environments live there.</param>
/// <param name="Silent">Addresses that do not answer.</param>
/// <param name="Moves">What went where, newest first.</param>
/// <param name="Build">Of all of them.</param>
internal sealed record FleetPicture(IReadOnlyList<FleetPictureNode> Nodes, IReadOnlyList<string> Silent, IReadOnlyList<FleetPictureMove> Moves, string Build);

/// <summary>One process.</summary>
/// <param name="Seconds">Since it started.</param>
/// <param name="IsRun">It trains a run.</param>
internal sealed record FleetPictureNode(
    string Name, string Address, bool IsRun, int Cores, string Processor, int Slots, IReadOnlyList<string> Cells, int EnvironmentCapacity, IReadOnlyList<string> Environments, double Seconds, string? MuJoCo);

/// <summary>Something went from one node to another.</summary>
internal sealed record FleetPictureMove(DateTimeOffset At, string What);
