using System.Globalization;
using System.Text.Json;
using NE.Actors.Environments.Catalogue;
using NE.Model;
using NE.Model.Runs;
using NE.Shell.Commands;
using NE.Shell.Host;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace NE.Shell.Views;

/// <summary>Cycles of tasks for people: their padded spaces, and the phases of a run.</summary>
internal static class CycleView
{
    /// <summary>More phases than this tell a reader nothing.</summary>
    private const long MostPhases = 100;

    private static readonly CultureInfo Invariant = CultureInfo.InvariantCulture;

    /// <summary>`ne env show` of a cycle.</summary>
    public static ExitCode Show(EnvironmentShowCommand command, EnvironmentCycle cycle, ShellHost host)
    {
        if (command.Pixels || command.Image is not null)
        {
            throw new UserError($"a cycle has no picture; show one of its tasks: {string.Join(", ", cycle.Tasks.Select(task => task.Id))}");
        }

        if (command.Json)
        {
            var json = new
            {
                id = command.Id,
                observationSize = cycle.ObservationSize,
                actionSize = cycle.ActionSize,
                tasks = cycle.Tasks.Select(task => new { id = task.Id, observationSize = task.ObservationSize, actionSize = task.ActionSize, maxAction = task.ActionHigh[0], timeLimit = task.TimeLimit }),
            };
            host.Output.WriteLine(JsonSerializer.Serialize(json, Json.Options));
            return ExitCode.Ok;
        }

        Table table = Tables.Create("task", ">observations", ">actions", ">max action", ">limit");

        foreach (NE.Actors.Environments.EnvironmentSpec task in cycle.Tasks)
        {
            table.Add(task.Id, Format.Count(task.ObservationSize), Format.Count(task.ActionSize), task.ActionHigh[0].ToString(Invariant), Format.Count(task.TimeLimit));
        }

        table.Add("as the agent sees them", Format.Count(cycle.ObservationSize), Format.Count(cycle.ActionSize), "", "");
        Tables.Write(host, table, new Text("\nObservations and actions are padded with zeros; every task has output layers of its own on a shared body."));
        return ExitCode.Ok;
    }

    /// <summary>The phases of a run, the first hundred of them; nothing for a run that is no cycle.</summary>
    public static IEnumerable<IRenderable> Phases(Settings settings)
    {
        if (!TaskCycle.isCycle(settings.Run.Environment))
        {
            yield break;
        }

        Table table = Tables.Create(">phase", ">cycle", "task", ">from step", ">to step");
        bool byEpisodes = settings.Cycle.Episodes > 0;

        long count = PhaseModule.count(settings);

        for (long index = 0; index < Math.Min(count, MostPhases); index++)
        {
            // Only what depends on the index is asked of it.
            var phase = new Phase(index, 0, 0, 0);
            table.Add(
                Format.Count(index + 1),
                Format.Count(PhaseModule.cycle(settings, phase) + 1),
                PhaseModule.task(settings, phase),
                byEpisodes ? "" : Format.Count(index * settings.Cycle.Steps.Value),
                byEpisodes ? Format.Counted(settings.Cycle.Episodes, "episode") : Format.Count(PhaseModule.lastStep(settings, phase)));
        }

        yield return new Text("");
        yield return table;

        if (count > MostPhases)
        {
            yield return new Text($"and {Format.Count(count - MostPhases)} more");
        }
    }
}
