using NE.Actors.Cast;
using NE.Actors.Fleet;
using NE.Actors.Fleet.Environments;
using NE.Shell.Commands;
using NE.Shell.Fleet;
using NE.Shell.Host;
using NE.Shell.Logging;
using NE.Shell.Running;
using Serilog.Core;

namespace NE.Shell.Verbs;

/// <summary>`ne node`</summary>
internal static class NodeVerb
{
    public static async Task<ExitCode> Node(NodeCommand command, ShellHost host)
    {
        string? seq = SeqAddress.Of(command.Seq, host);
        string bind = command.Bind ?? (command.Seeds.Count > 0 ? FleetMember.BindFor(command.Seeds[0]) : "127.0.0.1");
        bool isAlone = bind.StartsWith("127.", StringComparison.Ordinal);
        FleetKey key = new FleetArguments(null, command.KeyFile).Key(host, mayCreate: isAlone);
        // What is missing is said here, not by every environment.
        IReadOnlyDictionary<string, string> versions = host.Prepare(null);
        string name = command.Name ?? $"{Environment.MachineName}-{Environment.ProcessId}";
        int capacity = command.Environments ?? host.Processors;
        var stopped = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        var offer = new EnvironmentOffer();
        using Logger log = NodeLog.Open(name, host.Error.WriteLine, seq, host.SeqApiKey);
        using var givenUp = new CancellationTokenSource();
        using StopSignals signals = new StopSignals(
            reason =>
            {
                stopped.TrySetResult(reason);
                givenUp.Cancel();
            },
            () => StopSignals.LeaveNow((int)ExitCode.Ok)).Listen();

        if (command.StopAtEnd)
        {
            InputEnd.Watch(host.Input(), () => stopped.TrySetResult("its input ended"));
        }

        await using FleetMember member = await FleetMember.Join(
            new FleetOptions
            {
                Key = key,
                Name = name,
                Build = FleetBuild.Text,
                Roles = [FleetOptions.NodeRole],
                Bind = bind,
                Port = command.Port,
                Public = command.Public,
                Seeds = command.Seeds,
                Loggers = [SerilogLogger.TypeName],
            },
            card => card with
            {
                Versions = versions,
                Slots = command.Slots ?? 0,
                EnvironmentCapacity = capacity,
                Environments = offer.Held,
            },
            host.Clock.GetUtcNow(),
            [offer],
            givenUp.Token);
        host.Output.WriteLine($"node {name} is at {member.Address}, holds up to {Format.Counted(capacity, "environment")}, and has the fleet key {key.Name}; Ctrl-C lets it leave");
        host.Output.WriteLine(isAlone
            ? "only processes of this machine can reach it (--host ADDRESS lets others)"
            : $"others join it with: ne node --seed-node {member.Address}");

        if (await Task.WhenAny(stopped.Task, member.Life) == member.Life && member.Life.Exception is { } shutOut)
        {
            throw shutOut.GetBaseException();
        }

        host.Output.WriteLine($"node {name} leaves ({await stopped.Task})");
        return ExitCode.Ok;
    }
}
