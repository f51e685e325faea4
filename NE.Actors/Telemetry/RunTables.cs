using NE.Actors.RunDirectory;
using NE.Actors.Storage;

namespace NE.Actors.Telemetry;

/// <summary>The CSV tables of a run directory, and the TensorBoard events made of them.</summary>
public sealed class RunTables : IDisposable
{
    private readonly IReadOnlyDictionary<string, CsvFile> files;

    /// <summary>Name of the event file within the run directory, and its bytes where this process does not write it.</summary>
    private readonly (string Name, FileMark Mark) events;

    /// <param name="paths">The run's.</param>
    /// <param name="marks">Every file at the commit that the run continues from; empty for a new run.</param>
    /// <param name="tensorBoard">Write TensorBoard events too. Without, those of the process before stay for the next one.</param>
    /// <param name="hasPhases">The run is a cycle.</param>
    /// <exception cref="DamagedCheckpointException">A table is not what it was at that commit.</exception>
    public RunTables(RunPaths paths, IReadOnlyDictionary<string, FileMark> marks, bool tensorBoard, bool hasPhases = false)
    {
        var opened = new Dictionary<string, CsvFile>();
        try
        {
            string[] all = [paths.Metrics, paths.Layers, paths.Evaluations, paths.Topology, paths.Timing, .. hasPhases ? [paths.Phases] : Array.Empty<string>()];
            foreach (var path in all)
            {
                var name = Path.GetFileName(path);
                opened[name] = new CsvFile(path, RepairedTable.Of(path, marks.GetValueOrDefault(name, FileMark.Nothing)));
            }
            var events = Path.GetRelativePath(paths.Root, paths.Events);
            this.events = (events, marks.GetValueOrDefault(events, FileMark.Nothing));
            this.Events = tensorBoard ? new EventFile(paths.Events, this.events.Mark.Length) : null;
        }
        catch
        {
            opened.Values.ToList().ForEach(file => file.Dispose());
            throw;
        }
        this.files = opened;
        this.Metrics = opened[Path.GetFileName(paths.Metrics)];
        this.Layers = opened[Path.GetFileName(paths.Layers)];
        this.Evaluations = opened[Path.GetFileName(paths.Evaluations)];
        this.Topology = opened[Path.GetFileName(paths.Topology)];
        this.Timing = opened[Path.GetFileName(paths.Timing)];
        this.Phases = opened.GetValueOrDefault(Path.GetFileName(paths.Phases));
    }

    /// <summary>Refuses tables that lost or changed rows, before anything is cut. TensorBoard's copy does not count.</summary>
    /// <param name="paths">The run's.</param>
    /// <param name="marks">Every file at a commit; null without one.</param>
    /// <exception cref="DamagedCheckpointException">A table is not what it was.</exception>
    public static void Require(RunPaths paths, IReadOnlyDictionary<string, FileMark>? marks)
    {
        foreach (var (name, mark) in marks?.Where(file => Path.GetExtension(file.Key) == ".csv") ?? [])
        {
            var path = Path.Combine(paths.Root, name);
            GrowingFile.Require(path, RepairedTable.Of(path, mark));
        }
    }

    public CsvFile Metrics { get; }

    public CsvFile Layers { get; }

    public CsvFile Evaluations { get; }

    public CsvFile Topology { get; }

    public CsvFile Timing { get; }

    /// <summary>Null when none are written.</summary>
    public EventFile? Events { get; }

    /// <summary>Bytes of every file so far, by name within the run directory.</summary>
    public IReadOnlyDictionary<string, FileMark> Marks
    {
        get
        {
            var marks = this.files.ToDictionary(file => file.Key, file => file.Value.Mark);
            if ((this.Events?.Mark ?? this.events.Mark) is { Length: > 0 } mark)
            {
                marks[this.events.Name] = mark;
            }
            return marks;
        }
    }

    /// <summary>The phases of a cycle; null for another run.</summary>
    public CsvFile? Phases { get; }

    /// <summary>Hands all rows to the operating system.</summary>
    /// <exception cref="IOException">The disk is full or failing; the rows are kept, and the call can be repeated.</exception>
    public void Flush()
    {
        foreach (var file in this.files.Values)
        {
            file.Flush();
        }
        this.Events?.Flush();
    }

    public void Dispose()
    {
        foreach (var file in this.files.Values)
        {
            file.Dispose();
        }
        this.Events?.Dispose();
    }
}
