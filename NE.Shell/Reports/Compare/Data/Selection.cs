using System.Text.Json;
using NE.Actors.Runs;
using NE.Shell.Commands;

namespace NE.Shell.Reports.Compare.Data;

/// <summary>A cell of a sweep that has no run to show yet.</summary>
public sealed record AbsentRun(string Name, string Environment, string Label, long Seed);

/// <summary>The runs of a report: given by name, or as the cells of sweeps.</summary>
/// <param name="Runs">In the order in which they were named.</param>
/// <param name="Absent">Cells of sweeps that were not started.</param>
/// <param name="Smoke">Sweeps that say of themselves that they are no evidence.</param>
/// <param name="Sweeps">Name and text of every sweep's file.</param>
public sealed record Selection(
    IReadOnlyList<ReportedRun> Runs, IReadOnlyList<AbsentRun> Absent, IReadOnlyList<string> Smoke, IReadOnlyList<(string Name, string Text)> Sweeps)
{
    private const string SweepEnding = ".sweep";

    /// <summary>The folder of a sweep of this name; null when there is none. NAME.sweep is the same as NAME, for a name that a run has too.</summary>
    public static string? SweepFolder(string runs, string name)
    {
        string folder = Path.GetFullPath(Path.Combine(runs, name.EndsWith(SweepEnding, StringComparison.Ordinal) ? name : name + SweepEnding));
        return File.Exists(Path.Combine(folder, "cells.json")) ? folder : null;
    }

    /// <summary>Reads everything that is named.</summary>
    /// <exception cref="RunFolderException">There is no run or sweep of a name.</exception>
    /// <exception cref="UserError">Nothing was evaluated yet, or a sweep's list of cells is damaged.</exception>
    public static Selection Read(string runs, IReadOnlyList<string> names)
    {
        var found = new List<ReportedRun>();
        var absent = new List<AbsentRun>();
        var smoke = new List<string>();
        var sweeps = new List<(string, string)>();

        foreach (string name in names.Distinct())
        {
            bool isRun = File.Exists(Path.Combine(runs, name, "run.json"));

            if (isRun || SweepFolder(runs, name) is not { } folder)
            {
                found.Add(ReportedRun.Read(runs, name, null));
                continue;
            }

            string sweep = Path.GetFileName(folder)[..^SweepEnding.Length];
            string file = Path.Combine(folder, "sweep.yaml");
            string text = File.Exists(file) ? File.ReadAllText(file) : "";
            sweeps.Add((sweep, text));

            (SweepCell[] cells, bool isSmoke) = Cells(Path.Combine(folder, "cells.json"));

            if (isSmoke || IsSmoke(text))
            {
                smoke.Add(sweep);
            }

            foreach (SweepCell cell in cells)
            {
                if (File.Exists(Path.Combine(runs, cell.Name, "run.json")))
                {
                    found.Add(ReportedRun.Read(runs, cell.Name, cell.Label));
                }
                else
                {
                    absent.Add(new(cell.Name, cell.Environment, cell.Label, cell.Seed));
                }
            }
        }

        ReportedRun[] distinct = [.. found.DistinctBy(run => run.Name)];
        return distinct.Any(run => !run.Returns.IsEmpty)
            ? new(distinct, absent, smoke, sweeps)
            : throw new UserError(
                $"{string.Join(", ", names)}: nothing was evaluated yet. A run's first evaluations are in its eval.csv after its first checkpoint (checkpoint.every); try again then.");
    }

    /// <summary>A sweep is no evidence when its file says so in a line `smoke: true`.</summary>
    public static bool IsSmoke(string sweep) =>
        sweep.Split('\n').Any(line => line.Split('#')[0].Trim().Replace(" ", "", StringComparison.Ordinal) == "smoke:true");

    private static (SweepCell[] Cells, bool Smoke) Cells(string file)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(file));
            SweepCell[] cells = [.. document.RootElement.GetProperty("cells").EnumerateArray().Select(cell => new SweepCell(
                RunName.Validate(cell.GetProperty("name").GetString() ?? ""),
                cell.GetProperty("environment").GetString() ?? "",
                cell.GetProperty("label").GetString() ?? "",
                cell.GetProperty("seed").GetInt64()))];
            return (cells, document.RootElement.TryGetProperty("smoke", out JsonElement smoke) && smoke.ValueKind == JsonValueKind.True);
        }
        catch (Exception problem) when (problem is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new UserError($"{file} cannot be read as the cells of a sweep ({problem.Message}); start the sweep again to write it anew, or name the runs one by one");
        }
    }

    private sealed record SweepCell(string Name, string Environment, string Label, long Seed);
}
