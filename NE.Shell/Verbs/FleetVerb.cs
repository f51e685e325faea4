using System.Text.Json;
using NE.Actors.Cast;
using NE.Actors.Fleet;
using NE.Shell.Commands;
using NE.Shell.Host;
using NE.Shell.Logging;

namespace NE.Shell.Verbs;

/// <summary>`ne fleet`, `ne fleet key`</summary>
internal static class FleetVerb
{
    public static async Task<ExitCode> Show(FleetCommand command, ShellHost host)
    {
        FleetAddress address = command.Fleet.Address ?? new FleetAddress("127.0.0.1", FleetAddress.DefaultPort);
        using var log = NodeLog.Open("ne fleet", _ => { }, null, null);
        await using FleetClient client = FleetClient.Of(address, command.Fleet.Key(host, mayCreate: false), [SerilogLogger.TypeName]);
        FleetDescription fleet = await client.Describe();
        NodeCard[] nodes = [.. fleet.Nodes.OrderBy(node => node.Roles.Contains(FleetOptions.RunRole)).ThenBy(node => node.Name, StringComparer.Ordinal)];

        if (command.Json)
        {
            host.Output.WriteLine(JsonSerializer.Serialize(
                new
                {
                    Nodes = nodes.Select(node => new
                    {
                        node.Name,
                        Address = node.Address.ToString(),
                        node.Roles,
                        node.Build,
                        node.Versions,
                        node.Processor,
                        node.Cores,
                        node.Slots,
                        node.Cells,
                        node.EnvironmentCapacity,
                        node.Environments,
                        node.Started,
                        node.Moves,
                    }),
                    Silent = fleet.Silent.Select(silent => silent.ToString()),
                },
                Json.Options));
            return fleet.Silent.Count == 0 ? ExitCode.Ok : ExitCode.Failed;
        }

        Spectre.Console.Table table = Tables.Create("name", "address", ">cores", ">cells", ">environments", "up", "processor", "MuJoCo");

        foreach (NodeCard node in nodes)
        {
            table.Add(
                node.Name,
                node.Address.ToString(),
                Format.Count(node.Cores),
                $"{Format.Count(node.Cells.Count)} of {Format.Count(node.Slots)}",
                $"{Format.Count(node.Environments.Count)} of {Format.Count(node.EnvironmentCapacity)}",
                Format.Duration((host.Clock.GetUtcNow() - node.Started).TotalSeconds),
                node.Processor,
                node.Versions.GetValueOrDefault("MuJoCo", "-"));
        }

        Tables.Write(host, table);
        host.Output.WriteLine($"{(nodes.Length == 1 ? "one process" : $"{Format.Count(nodes.Length)} processes")} of ne {nodes[0].Build}");

        foreach (FleetAddress silent in fleet.Silent)
        {
            host.Error.WriteLine($"ne: {silent} is in the fleet and does not answer");
        }

        return fleet.Silent.Count == 0 ? ExitCode.Ok : ExitCode.Failed;
    }

    public static ExitCode MakeKey(FleetKeyCommand command, ShellHost host)
    {
        if (command.File.Length == 0)
        {
            throw new UserError("`ne fleet key` expects FILE");
        }

        if (File.Exists(command.File))
        {
            throw new UserError($"{command.File} is there already; a fleet's key is never replaced");
        }

        FleetKey key = FleetKey.Create(command.File);
        host.Output.WriteLine($"{command.File} is the key {key.Name}. Whoever has it controls the fleet: copy it to every machine of the fleet by a way that you trust, readable for its owner alone");
        return ExitCode.Ok;
    }
}
