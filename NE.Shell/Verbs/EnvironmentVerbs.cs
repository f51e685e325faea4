using System.Globalization;
using System.Text.Json;
using NE.Actors.Environments;
using NE.Actors.References;
using NE.Model.Tasks;
using NE.Shell.Commands;
using NE.Shell.Views;

namespace NE.Shell.Verbs;

/// <summary>`ne env list` and `ne env replay`.</summary>
internal static class EnvironmentVerbs
{
    public static ExitCode List(EnvironmentListCommand command, ShellHost host)
    {
        EnvironmentSpec[] all = [.. Registry.ids.Select(EnvironmentFactory.Describe)];

        if (command.Json)
        {
            host.Output.WriteLine(JsonSerializer.Serialize(all, Json.Options));
            return ExitCode.Ok;
        }

        Spectre.Console.Table table = Tables.Create("environment", ">observations", ">actions", ">action range", ">time limit");

        foreach (EnvironmentSpec spec in all)
        {
            string range = string.Create(CultureInfo.InvariantCulture, $"[{spec.ActionLow.Min()}, {spec.ActionHigh.Max()}]");
            table.Add(spec.Id, Format.Count(spec.ObservationSize), Format.Count(spec.ActionSize), range, Format.Count(spec.TimeLimit));
        }

        Tables.Write(host, table);
        return ExitCode.Ok;
    }

    public static ExitCode Replay(EnvironmentReplayCommand command, ShellHost host)
    {
        if (!File.Exists(command.File))
        {
            throw new UserError($"there is no file {command.File}");
        }

        ReplayResult result;

        try
        {
            result = ReferenceReplay.Run(command.File);
        }
        catch (InvalidDataException problem)
        {
            throw new UserError(problem.Message);
        }

        host.Output.Write(command.Json ? result.ToJson() + "\n" : result.ToText());
        return result.Passed ? ExitCode.Ok : ExitCode.Failed;
    }
}
