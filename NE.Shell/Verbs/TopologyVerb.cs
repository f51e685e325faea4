using System.Globalization;
using System.Text.Json;
using NE.Actors.Journal;
using NE.Actors.RunDirectory;
using NE.Model;
using NE.Shell.Commands;
using NE.Shell.Host;
using NE.Shell.Reports;

namespace NE.Shell.Verbs;

/// <summary>`ne topology`</summary>
internal static class TopologyVerb
{
    public static ExitCode Topology(TopologyCommand command, ShellHost host)
    {
        RunPaths paths = RunFolder.Find(command.Runs, command.Name);
        using JournalReader journal = JournalReader.Open(paths);
        long reached = journal.Manifests().FirstOrDefault()?.GradientStep ?? 0;

        if (command.At > reached)
        {
            throw new UserError($"--at {command.At} lies behind the last checkpoint of '{paths.Name}', of gradient step {Format.Count(reached)}");
        }

        History.TopologyChanged[] events = [.. journal.Events().Select(stored => stored.Event).OfType<History.RunEvent.TopologyChanged>().Select(happened => happened.Item2)];
        TopologyReport report = TopologyReport.Fold(paths.Name, events, command.At);

        if (command.Json)
        {
            host.Output.WriteLine(JsonSerializer.Serialize(report, Json.Options));
            return ExitCode.Ok;
        }

        if (report.Networks.Count == 0)
        {
            host.Output.WriteLine($"{paths.Name} has no topology event up to its last checkpoint: no weight was grown or pruned");
            return ExitCode.Ok;
        }

        host.Output.WriteLine($"{paths.Name} at gradient step {Format.Count(report.At)} (up to the last checkpoint)");
        Spectre.Console.Table table = Tables.Create("network", ">layer", ">weights", ">active", ">density", ">grown", ">pruned", ">touched", ">dormant");

        foreach (NetworkTopology network in report.Networks)
        {
            foreach (LayerTopology layer in network.Layers)
            {
                string name = network.Layers[^1].Stack == 0 ? network.Network : $"{network.Network} {layer.Stack + 1}";
                table.Add(
                    name,
                    (layer.Layer + 1).ToString(CultureInfo.InvariantCulture),
                    Format.Count(layer.Size),
                    Format.Count(layer.Active),
                    Format.Percent(layer.Density),
                    Format.Count(layer.Grown),
                    Format.Count(layer.Pruned),
                    Format.Count(layer.Touched),
                    layer.Dormant?.ToString(CultureInfo.InvariantCulture) ?? "-");
            }
        }

        Tables.Write(host, table);

        foreach (NetworkTopology network in report.Networks)
        {
            host.Output.WriteLine($"{network.Network}: {Format.Percent(network.Density)} dense after {network.Events} events"
                + (network.LastEvent is { } last ? $", the last at gradient step {Format.Count(last)}" : ""));
        }

        return ExitCode.Ok;
    }
}
