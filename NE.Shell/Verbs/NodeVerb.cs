using NE.Actors.Cast;
using NE.Actors.Fleet;
using NE.Actors.Fleet.Cells;
using NE.Actors.Fleet.Environments;
using NE.Actors.RunDirectory;
using NE.Shell.Commands;
using NE.Shell.Fleet;
using NE.Shell.Host;
using NE.Shell.Logging;
using NE.Shell.Running;
using NE.Shell.Sweeps.Fleet;
using Serilog.Core;

namespace NE.Shell.Verbs;

/// <summary>`ne node`</summary>
internal static class NodeVerb
{
    private static readonly TimeSpan LeavePatience = TimeSpan.FromMinutes(2);

    public static async Task<ExitCode> Node(NodeCommand command, ShellHost host)
    {
        string? seq = SeqAddress.Of(command.Seq, host);
        string bind = command.Bind ?? (command.Seeds.Count > 0 ? FleetMember.BindFor(command.Seeds[0]) : "127.0.0.1");
        bool isAlone = bind.StartsWith("127.", StringComparison.Ordinal);
        FleetKey key = new FleetArguments(null, command.KeyFile).Key(host, mayCreate: isAlone);
        // What is missing is said here, not by every environment.
        IReadOnlyDictionary<string, string> versions = host.Prepare(null, draws: false);
        string name = command.Name ?? $"{Environment.MachineName}-{Environment.ProcessId}";
        int capacity = command.Environments ?? host.Processors;
        int slots = command.Slots ?? Math.Max(1, host.Processors / 2);
        using OwnDisk? disk = command.IsOwnDisk ? Disk(command) : null;
        NodeCells? cells = slots > 0 ? Cells(command, host, name, slots, disk) : null;
        var stopped = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        var offer = new EnvironmentOffer();
        using Logger log = NodeLog.Open(name, host.Error.WriteLine, seq, host.SeqApiKey);
        // Not disposed: the input may end while this process does.
        var givenUp = new CancellationTokenSource();

        void stop(string reason)
        {
            stopped.TrySetResult(reason);
            givenUp.Cancel();
        }

        using StopSignals signals = new StopSignals(stop, () => StopSignals.LeaveNow((int)ExitCode.Ok)).Listen();

        if (command.StopAtEnd)
        {
            InputEnd.Watch(host.Input(), () => stop("its input ended"));
        }

        Task<FleetMember> joining = FleetMember.Join(
            new FleetOptions
            {
                Key = key,
                Name = name,
                Build = FleetBuild.Text,
                // One that shares no folder cannot coordinate.
                Roles = cells is null || disk is not null ? [FleetOptions.NodeRole] : [FleetOptions.NodeRole, FleetOptions.CellsRole],
                Bind = bind,
                Port = command.Port,
                Public = command.Public,
                Seeds = command.Seeds,
                // Started by the process that its fleet is there for.
                OldestMayBeLost = !command.StopAtEnd,
                Loggers = [SerilogLogger.TypeName],
                // The others may only be starting.
                Patience = FleetPatience.Of(TimeSpan.FromSeconds(command.Patience)) with { Join = TimeSpan.FromMinutes(1) },
            },
            card => card with
            {
                Versions = versions,
                Slots = slots,
                Cells = cells?.Held ?? [],
                Moves = cells?.Moves.Newest ?? [],
                EnvironmentCapacity = capacity,
                Environments = offer.Held,
            },
            host.Clock.GetUtcNow(),
            cells is null ? [offer] : [offer, cells],
            givenUp.Token);
        await Task.WhenAny(joining);

        if (joining.IsCanceled)
        {
            host.Output.WriteLine($"node {name} gives up joining ({await stopped.Task})");
            return ExitCode.Ok;
        }

        await using FleetMember member = await joining;
        host.Output.WriteLine($"node {name} is at {member.Address}, works on {Format.Counted(slots, "cell")} at a time, holds up to {Format.Counted(capacity, "environment")}, and has the fleet key {key.Name}; Ctrl-C lets it leave");
        host.Output.WriteLine(isAlone
            ? "only processes of this machine can reach it (--host ADDRESS lets others)"
            : $"others join it with: ne node --seed-node {member.Address}");

        if (disk is not null)
        {
            host.Output.WriteLine("the commits of its cells are copied to the folder of the node that coordinates");
        }

        if (await Task.WhenAny(stopped.Task, member.Life) == member.Life && member.Life.Exception is { } shutOut)
        {
            throw shutOut.GetBaseException();
        }

        host.Output.WriteLine($"node {name} leaves ({await stopped.Task})");

        if (cells is not null)
        {
            await cells.Leave(LeavePatience);
        }

        return ExitCode.Ok;
    }

    private static OwnDisk Disk(NodeCommand command) => command.Seeds.Count > 0
        ? OwnDisk.Of(command.Runs)
        : throw new UserError("a node with --own-disk copies its commits to the node that coordinates: name a process of the fleet by --seed-node HOST:PORT. The first node of a fleet is started without --own-disk");

    private static NodeCells Cells(NodeCommand command, ShellHost host, string name, int slots, OwnDisk? disk)
    {
        JournalPlace? journal = JournalAddress.Of(null, host);
        SharedFolder folder = SharedFolder.Of(command.Runs);
        // The journals of runs on the node's own disk are there, too.
        RequireLocks(folder, disk is null ? journal : null);
        return new NodeCells(name, slots, folder, journal, new NodeStarter(host, folder.Runs), new FleetSweepHost(host, folder.Runs, Math.Max(1, host.Processors / slots), journal)) { OwnDisk = disk };
    }

    /// <summary>What keeps two machines from writing to one database is a lock that a network's file system may not keep.</summary>
    private static void RequireLocks(SharedFolder folder, JournalPlace? journal)
    {
        if (journal is null && folder.IsOnNetwork)
        {
            throw new UserError(
                $"{folder.Runs} is on a network's file system, where the locks of SQLite cannot be relied on. Let the journals be on a PostgreSQL server (NE_JOURNAL=postgres://USER:PASSWORD@HOST/DATABASE), give a folder on a disk of this machine (--runs), or take no cells (--slots 0)");
        }
    }
}
