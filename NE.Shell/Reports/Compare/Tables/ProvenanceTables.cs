using System.Globalization;
using NE.Actors.RunDirectory;
using NE.Shell.Host;
using NE.Shell.Reports.Compare.Data;

namespace NE.Shell.Reports.Compare.Tables;

/// <summary>Where the numbers come from: runs, commands, versions, machines, and in which keys the arms differ.</summary>
internal static class ProvenanceTables
{
    public static DataTable Runs(IReadOnlyList<Panel> panels)
    {
        var table = new DataTable("runs", "Runs", "run", "environment", "arm", "seed", "state", "evaluated up to", "of", "resumed", "machines", "versions", "command");

        foreach ((Arm arm, ReportedRun run) in panels.SelectMany(panel => panel.Arms).SelectMany(arm => arm.Runs.Select(run => (arm, run))))
        {
            table.Add(
                run.Name,
                run.Environment,
                arm.Label,
                run.Seed,
                run.State,
                Format.Count((long)run.Reached),
                Format.Count(run.TotalSteps),
                Math.Max(0, run.Stretches.Count - 1),
                string.Join("; ", run.Stretches.Select(stretch => stretch.Hardware is { } hardware ? $"{stretch.Host} ({hardware})" : stretch.Host).Distinct()),
                string.Join("; ", run.Stretches.Select(Versions).Distinct()),
                run.Command);
        }

        return table;
    }

    public static DataTable Differences(IReadOnlyList<Panel> panels)
    {
        string[] arms = [.. panels.SelectMany(panel => panel.Arms).Select(arm => arm.Label).Distinct()];
        var table = new DataTable("differences", "Keys in which the arms differ", ["key", .. arms]);

        foreach ((string key, IReadOnlyDictionary<string, string> byArm) in Grouping.Differences(panels))
        {
            table.Add([key, .. arms.Select(arm => byArm.GetValueOrDefault(arm, "-"))]);
        }

        return table;
    }

    public static DataTable Marks(IReadOnlyList<Panel> panels)
    {
        var table = new DataTable("marks", "Resumes, restarts and changed keys", "run", "step", "what", "why");

        foreach (ReportedRun run in panels.SelectMany(panel => panel.Arms).SelectMany(arm => arm.Runs))
        {
            run.Marks.OrderBy(mark => mark.Step).ToList().ForEach(mark => table.Add(run.Name, mark.Step, mark.What, mark.Why));
        }

        return table;
    }

    /// <summary>Facts of the report itself.</summary>
    public static IReadOnlyList<(string Name, string Value)> Facts(IReadOnlyList<Panel> panels, string command, string version, DateTimeOffset now) =>
    [
        ("report made with", command),
        ("version", version),
        ("made at", now.ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture)),
        ("made on", $"{Environment.MachineName}, {Hardware.Description}; the runs name their own machines below"),
        .. panels.Select(panel => (panel.Environment, $"{Lengths(panel)}; compared at {Compared(panel)}; seeds {Seeds(panel)}")),
    ];

    private static string Lengths(Panel panel) =>
        $"{(panel.EndsByEpisodes ? "at most " : "")}{string.Join(" and ", panel.Lengths.Select(Format.Count))} steps, "
        + $"{string.Join(" and ", panel.Lengths.Select(length => ReportTables.Factor(length)))} of the paper's 3M";

    private static string Compared(Panel panel) =>
        panel.EndsByEpisodes ? "the end of every run"
        : $"step {Format.Count((long)panel.Horizon)}" + (panel.Lengths.Any(length => panel.Horizon < length) ? $", {ReportTables.Factor(panel.Horizon)} of the 3M" : "");

    private static string Seeds(Panel panel) => string.Join(", ", panel.Arms.SelectMany(arm => arm.Runs).Select(run => run.Seed).Distinct().Order());

    private static string Versions(RunStretch stretch) => string.Join(", ", stretch.Versions.Select(version => $"{version.Key} {version.Value}"));
}
