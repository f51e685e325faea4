using System.Text.Json;
using NE.Actors.Environments.Catalogue;
using NE.Actors.References;
using NE.Model.Tasks;
using NE.Shell.Commands;
using NE.Shell.Configuration;
using NE.Shell.Host;
using NE.Shell.Views;

namespace NE.Shell.Verbs;

/// <summary>`ne env list`, `ne env show` and `ne env replay`.</summary>
internal static class EnvironmentVerbs
{
    private const int LeastTaskWidth = 30;

    public static ExitCode List(EnvironmentListCommand command, ShellHost host)
    {
        EnvironmentView[] all = [.. Registry.all.Select(task => EnvironmentView.Of(task.Info, command.Pixels))];

        if (command.Json)
        {
            host.Output.WriteLine(JsonSerializer.Serialize(all, Json.Options));
            return ExitCode.Ok;
        }

        string[] headings = ["environment", ">obs", ">actions", "range", ">limit", ">seconds"];
        string[][] rows = [.. all.Select(Row)];
        // What is left of a line is for the task; two blanks stand after every column.
        int taken = Enumerable.Range(0, headings.Length).Sum(column => 2 + Math.Max(headings[column].Trim('>').Length, rows.Max(row => row[column].Length)));
        int left = host.Width - taken - 2;
        Spectre.Console.Table table = left < LeastTaskWidth ? Tables.Create(headings) : Tables.Create([.. headings, "task"]);

        foreach ((string[] row, EnvironmentView view) in rows.Zip(all))
        {
            table.Add(left < LeastTaskWidth ? row : [.. row, Shortened(view.Description ?? "", left)]);
        }

        Tables.Write(host, table);
        return ExitCode.Ok;
    }

    public static ExitCode Show(EnvironmentShowCommand command, ShellHost host)
    {
        if (Environments.Problem(command.Id) is { } problem)
        {
            throw new UserError(problem);
        }

        if (EnvironmentCycle.Of(command.Id) is { } cycle)
        {
            return CycleView.Show(command, cycle, host);
        }

        EnvironmentView view = EnvironmentView.Of(command.Id, command.Pixels);

        if (command.Image is { } image)
        {
            EnvironmentPicture.Write(command.Id, image, command.Size, command.Overwrite);
        }

        if (command.Json)
        {
            host.Output.WriteLine(JsonSerializer.Serialize(view, Json.Options));
            return ExitCode.Ok;
        }

        Spectre.Console.Table table = Tables.Create("", "");

        foreach ((string name, string? value) in Facts(view))
        {
            if (value is not null)
            {
                table.Add(name, value);
            }
        }

        Tables.Write(host, table);
        return ExitCode.Ok;
    }

    private static IEnumerable<(string Name, string? Value)> Facts(EnvironmentView view) =>
    [
        ("environment", view.Id),
        ("task", view.Description),
        ("observation", view.Pixels is { } form
            ? $"{view.Observation}, oldest first, as {3 * form.Frames} x {form.Height} x {form.Width} bytes"
            : view.Observation),
        ("action", $"{EnvironmentView.Numbers(view.ActionSize)} in {view.ActionRange}"),
        ("repeat", view.Pixels is { } pixels ? $"{pixels.ActionRepeat} control steps per action, rewards summed" : null),
        ("reward", view.Reward),
        ("terms", view.RewardTerms is { } terms ? string.Join(", ", terms) : null),
        ("terminates", view.Termination),
        ("step", view.SecondsPerStep is { } step ? $"{Format.Value(step, "0.######")} s" : null),
        ("time limit", view.TimeLimit is { } limit
            ? $"{Format.Counted(limit, "step")}{(view.LongestSeconds is { } seconds ? $", {Format.Value(seconds, "0.###")} s" : "")}"
            : "none"),
        ("robot", view.Robot),
        ("physics", view.Physics),
        ("camera", view.Camera),
        ("source", view.Source),
    ];

    private static string[] Row(EnvironmentView view) =>
    [
        view.Id,
        view.Pixels is { } form ? $"{3 * form.Frames}x{form.Height}x{form.Width}" : Format.Count(view.ObservationSize ?? 0),
        Format.Count(view.ActionSize),
        view.ActionRange.Contains("] [", StringComparison.Ordinal) ? "several" : view.ActionRange,
        view.TimeLimit is { } limit ? Format.Count(limit) : "none",
        Format.Value(view.LongestSeconds ?? double.NaN, "0.###"),
    ];

    private static string Shortened(string text, int width) => text.Length <= width ? text : text[..(width - 3)] + "...";

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
