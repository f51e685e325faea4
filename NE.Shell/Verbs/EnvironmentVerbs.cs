using System.Text.Json;
using NE.Actors.References;
using NE.Model.Tasks;
using NE.Shell.Commands;
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
            table.Add(left < LeastTaskWidth ? row : [.. row, Shortened(view.Description, left)]);
        }

        Tables.Write(host, table);
        return ExitCode.Ok;
    }

    public static ExitCode Show(EnvironmentShowCommand command, ShellHost host)
    {
        EnvironmentView view = EnvironmentView.Of(Environments.Info(command.Id), command.Pixels);

        if (command.Json)
        {
            host.Output.WriteLine(JsonSerializer.Serialize(view, Json.Options));
            return ExitCode.Ok;
        }

        Spectre.Console.Table table = Tables.Create("", "");
        table.Add("environment", view.Id);
        table.Add("task", view.Description);
        table.Add("observation", view.Pixels is { } pixels
            ? $"{view.Observation}, oldest first, as {3 * pixels.Frames} x {pixels.Height} x {pixels.Width} bytes"
            : view.Observation);
        table.Add("action", $"{EnvironmentView.Numbers(view.ActionSize)} in {view.ActionRange}");

        if (view.Pixels is { } form)
        {
            table.Add("repeat", $"{form.ActionRepeat} control steps per action, rewards summed");
        }

        table.Add("reward", string.Join(" + ", view.RewardTerms));
        table.Add("step", $"{Format.Value(view.SecondsPerStep, "0.######")} s");
        table.Add("time limit", $"{Format.Count(view.TimeLimit)} steps, {Format.Value(view.TimeLimit * view.SecondsPerStep, "0.###")} s");
        table.Add("robot", view.Robot);
        table.Add("physics", view.Physics);
        table.Add("camera", view.Camera);
        table.Add("source", view.Source);
        Tables.Write(host, table);
        return ExitCode.Ok;
    }

    private static string[] Row(EnvironmentView view) =>
    [
        view.Id,
        view.Pixels is { } form ? $"{3 * form.Frames}x{form.Height}x{form.Width}" : Format.Count(view.ObservationSize ?? 0),
        Format.Count(view.ActionSize),
        view.ActionRange.Contains("] [", StringComparison.Ordinal) ? "several" : view.ActionRange,
        Format.Count(view.TimeLimit),
        Format.Value(view.TimeLimit * view.SecondsPerStep, "0.###"),
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
