using NE.Actors.Hosting;
using NE.Actors.RunDirectory;
using NE.Shell.Commands;
using NE.Shell.Configuration;
using NE.Shell.Host;
using NE.Shell.Reports.Compare;
using NE.Shell.Reports.Compare.Data;
using NE.Shell.Reports.Compare.Figures;
using NE.Shell.Reports.Compare.Pages;

namespace NE.Shell.Verbs;

/// <summary>`ne report`</summary>
internal static class ReportVerb
{
    private const string ReportsFolder = "reports";
    private const int LongestFolder = 100;

    public static ExitCode Report(ReportCommand command, ShellHost host)
    {
        string folder = command.Output ?? DefaultFolder(command);
        ReportFolder.Check(folder);
        Selection selection = Selection.Read(command.Runs, command.Names);
        // Whatever the path to it, a file counts once.
        ReferenceFile[] references = [.. command.References.DistinctBy(Path.GetFullPath).Select(ReferenceFile.Read)];
        IReadOnlyList<Figure> heatMaps = StoredGradients.Draw(command.Runs, command.HeatMaps, host);
        ComparisonReport report = ComparisonReport.Of(
            selection, command.At, references, heatMaps, CommandText.Of(host.Arguments), OwnVersion.Text, host.Clock.GetUtcNow());
        IReadOnlyList<string> files = ReportFolder.Write(folder, report);

        foreach (string warning in report.Warnings)
        {
            host.Error.WriteLine($"ne: note: {warning}");
        }

        // What is missing would be wider than a terminal: it follows as lines.
        int shown = report.Headline.Columns.Length - 1;
        Spectre.Console.Table table = Tables.Create(report.Headline.Columns[..shown]);

        foreach (string[] row in report.Headline.Rows)
        {
            table.Add(row[..shown]);
        }

        Tables.Write(host, table);

        foreach (string[] row in report.Headline.Rows.Where(row => row[shown].Length > 0))
        {
            host.Output.WriteLine($"{row[0]}, {row[1]}: missing {row[shown]}");
        }

        host.Output.WriteLine($"{Path.Combine(folder, "report.html")} and {Format.Counted(files.Count - 1, "file")} beside it: {Format.Counted(report.Figures.Count, "figure")} as SVG, their data as CSV, the tables as Markdown");
        return ExitCode.Ok;
    }

    /// <summary>One run or sweep has a folder of its own; that of several lies beside them and is called after them.</summary>
    private static string DefaultFolder(ReportCommand command) => command.Names is not [string name]
        ? Path.Combine(command.Runs, ReportsFolder, RunNames.Shortened(string.Join("-and-", command.Names.Select(RunNames.Plain)), LongestFolder))
        : !File.Exists(Path.Combine(command.Runs, name, "run.json")) && Selection.SweepOf(command.Runs, name) is { } sweep
            ? Path.Combine(sweep.Root, "report")
            : RunFolder.Find(command.Runs, name).Report;
}
