using System.Collections.Concurrent;
using NE.Actors.RunDirectory;
using NE.Model.Statistics;
using NE.Shell.Host;
using NE.Shell.Reports.Compare.Data;
using NE.Shell.RunFiles;
using NE.Shell.Sweeps.Cells;
using NE.Shell.Sweeps.Planning;

namespace NE.Shell.Serving.Data;

/// <summary>The runs of a folder, or those of one sweep in it.</summary>
/// <param name="folder">Folder of the runs; it may not be there yet.</param>
/// <param name="only">Runs or sweeps to show; all when empty.</param>
/// <param name="clock">Says when what could not be read is tried again.</param>
internal sealed class FolderRuns(string folder, IReadOnlyList<string> only, TimeProvider clock) : IRunSource
{
    private readonly ConcurrentDictionary<string, FolderRun> known = new();
    private readonly CurveGroups groups = new();

    public string Place { get; } = Path.GetFullPath(folder) + (only.Count == 0 ? "" : $": {string.Join(", ", only)}");

    public IReadOnlyList<RunSummary> Runs()
    {
        Dictionary<string, (string Sweep, string Label)> cells = this.Cells();
        return [.. this.Names().Select(name => this.Known(name).Summary(Sweep(cells, name)))];
    }

    public IReadOnlyList<SweepSummary> Sweeps() => [.. SweepPaths.List(folder).Where(name => only.Count == 0 || only.Contains(name)).Select(this.Sweep)];

    public IReadOnlyList<string> Names()
    {
        IReadOnlyList<string> names = this.Listed();

        // What was read of a run that is gone goes with it.
        foreach (string gone in this.known.Keys.Except(names))
        {
            this.known.TryRemove(gone, out _);
        }

        return names;
    }

    private IReadOnlyList<string> Listed()
    {
        IReadOnlyList<string> all = RunFolder.List(folder);

        if (only.Count == 0)
        {
            return all;
        }

        Dictionary<string, (string Sweep, string Label)> cells = this.Cells();
        return [.. all.Where(name => only.Contains(name) || (cells.TryGetValue(name, out (string Sweep, string Label) cell) && only.Contains(cell.Sweep)))];
    }

    public IReadOnlyDictionary<string, string> Stamp(string name) => this.Known(name).Stamp();

    public IReadOnlyList<CurvePanel> Curves(IReadOnlyList<string>? names, string measure, int points)
    {
        Dictionary<string, (string Sweep, string Label)> cells = this.Cells();
        IReadOnlyList<string> all = this.Names();
        (ReportedRun Run, Curve Curve)[] runs =
        [
            .. (names is null ? all : all.Intersect(names))
                .Select(name => (Run: this.Known(name).Outline(Sweep(cells, name), cells.TryGetValue(name, out (string Sweep, string Label) cell) ? cell.Label : null), Name: name))
                .Where(run => run.Run is not null)
                .Select(run => (run.Run!, this.Curve(run.Name, measure))),
        ];
        return this.groups.Of(runs, measure, points);
    }

    public RunDetails Run(string name) => this.Find(name).Details(Sweep(this.Cells(), name));

    public Series Series(string name, SeriesRequest request)
    {
        GrowingTable table = this.Find(name).Table(request.Table);

        if (table.Names.Count == 0)
        {
            return new(0, [.. request.Columns.Select(column => new SeriesColumn(column, [], []))]);
        }

        IReadOnlyList<double[]> read = table.Read([table.Names[0], .. request.Columns]);
        int[] rows = [.. Enumerable.Range(0, read[0].Length).Where(row => read[0][row] >= request.From && read[0][row] <= request.To)];
        return new(rows.Length, [.. request.Columns.Select((column, index) => Thinned(column, rows, read[0], read[index + 1], request.Points))]);
    }

    public IReadOnlyList<TopologyEventSummary> TopologyEvents(string name) => this.Find(name).TopologyEvents();

    public TopologyFrame? Topology(string name, int index) => this.Find(name).Topology(index);

    public LogPage Log(string name, long? before) => LogTail.Read(this.Find(name).Paths.Log, before);

    public IReadOnlyList<ConfigurationLine> Configuration(string name) => this.Find(name).Configuration();

    public string? Video(string name, string file) => this.Find(name).Video(file);

    private static SeriesColumn Thinned(string name, int[] rows, double[] steps, double[] values, int points)
    {
        double[] between = [.. rows.Select(row => values[row])];
        int[] kept = Downsampling.extremes(points, between);
        return new(name, [.. kept.Select(index => steps[rows[index]])], [.. kept.Select(index => between[index])]);
    }

    private Curve Curve(string name, string measure)
    {
        FolderRun run = this.Known(name);
        IReadOnlyList<double[]> columns = measure == "return" ? run.Table("eval").Read("step", "mean") : run.Table("metrics").Read("step", measure);
        bool[] finite = [.. columns[1].Select(double.IsFinite)];
        return new([.. columns[0].Where((_, row) => finite[row])], [.. columns[1].Where((_, row) => finite[row])]);
    }

    private FolderRun Known(string name) => this.known.GetOrAdd(name, added => new(RunPaths.Of(folder, added), clock));

    /// <summary>Only what is listed can be read: a name from outside is no path.</summary>
    private FolderRun Find(string name) => this.Names().Contains(name)
        ? this.Known(name)
        : throw new RunFolderException($"There is no run '{name}' in {this.Place}.");

    private Dictionary<string, (string Sweep, string Label)> Cells()
    {
        var cells = new Dictionary<string, (string, string)>();

        foreach (string name in SweepPaths.List(folder))
        {
            try
            {
                foreach (SweepCell cell in StoredSweep.TryRead(SweepPaths.Of(folder, name))?.Cells ?? [])
                {
                    cells.TryAdd(cell.Name, (name, cell.Label));
                }
            }
            catch (Exception unreadable) when (IsUnreadable(unreadable))
            {
                // Its own summary says what is wrong; its runs are shown as runs.
            }
        }

        return cells;
    }

    private SweepSummary Sweep(string name)
    {
        try
        {
            var report = SweepReport.Read(folder, name);
            return new(name, report.Description, report.ProcessId is not null, null, [.. report.Cells.Select(cell => new CellSummary(cell.Name, cell.Label, cell.State.ToString().ToLowerInvariant(), cell.Error ?? cell.Damage))]);
        }
        catch (Exception unreadable) when (IsUnreadable(unreadable))
        {
            return new(name, "", false, unreadable.Message, []);
        }
    }

    /// <summary>Of a sweep: a file of it, or it is just being deleted.</summary>
    private static bool IsUnreadable(Exception problem) =>
        problem is ShellFailure or UserError or RunFolderException or InvalidDataException or IOException or UnauthorizedAccessException;

    private static string? Sweep(Dictionary<string, (string Sweep, string Label)> cells, string name) =>
        cells.TryGetValue(name, out (string Sweep, string Label) cell) ? cell.Sweep : null;
}
