namespace NE.Actors.Fleet;

/// <summary>How a process takes part in a fleet.</summary>
public sealed record FleetOptions
{
    /// <summary>Role of processes that stay, and of which the fleet therefore consists: see <see cref="FleetConfiguration"/>.</summary>
    public const string NodeRole = "node";

    /// <summary>Role of nodes that work on cells of sweeps; one of them coordinates.</summary>
    public const string CellsRole = "cells";

    /// <summary>Role of a process that trains a run.</summary>
    public const string RunRole = "run";

    public required FleetKey Key { get; init; }

    /// <summary>What people call it. No two processes of a fleet have the same name.</summary>
    public required string Name { get; init; }

    /// <summary>What the program is, as one line. Only processes of the same build are in one fleet.</summary>
    public required string Build { get; init; }

    public required IReadOnlyList<string> Roles { get; init; }

    /// <summary>Address of this machine that it listens on.</summary>
    public string Bind { get; init; } = "127.0.0.1";

    /// <summary>0 for any that is free.</summary>
    public int Port { get; init; }

    /// <summary>How the others reach it, where that is not what it listens on, as behind a forwarded port; null where it is.</summary>
    public FleetAddress? Public { get; init; }

    /// <summary>Processes of the fleet to join by. None begins a fleet.</summary>
    public IReadOnlyList<FleetAddress> Seeds { get; init; } = [];

    /// <summary>When the process that has been in the fleet longest is cut off alone, the others are the fleet. Off where that process is what the
    /// fleet is there for: it goes on alone, and they do not without it.</summary>
    public bool OldestMayBeLost { get; init; } = true;

    /// <summary>Akka loggers, as HOCON type names.</summary>
    public IReadOnlyList<string> Loggers { get; init; } = [];

    public FleetPatience Patience { get; init; } = new();
}

/// <summary>How long a fleet waits before it believes something.</summary>
public sealed record FleetPatience
{
    /// <summary>For a network on which a node's cells are given to others after so long.</summary>
    public static FleetPatience Of(TimeSpan lease) => new() { Lease = lease, Heartbeat = lease / 45, Silence = lease / 11, Stable = lease / 6 };

    /// <summary>Between two signs of life.</summary>
    public TimeSpan Heartbeat { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>A process that says nothing for so long is suspected, and what it did is done elsewhere.</summary>
    public TimeSpan Silence { get; init; } = TimeSpan.FromSeconds(4);

    /// <summary>When nothing has changed for so long, whoever is cut off stops being a part of the fleet.</summary>
    public TimeSpan Stable { get; init; } = TimeSpan.FromSeconds(7);

    /// <summary>A node that has heard nothing of the coordinator for so long ends its cells; a little later the coordinator gives them to others. Long enough for another
    /// coordinator to take over.</summary>
    public TimeSpan Lease { get; init; } = TimeSpan.FromSeconds(45);

    /// <summary>For a fleet to answer that a process wants to join.</summary>
    public TimeSpan Join { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>For a process that has said that one may join by it to do so: it may have died since. A fleet takes a few seconds, and one whose members change has to
    /// agree first.</summary>
    public TimeSpan Joining { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Before a process that was asked for something counts as not there. Longer than another one is given by whoever it asks in turn.</summary>
    public TimeSpan Answer { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>Before a question is asked again whose answer may have been lost.</summary>
    public TimeSpan Repeat { get; init; } = TimeSpan.FromSeconds(2);
}
