using NE.Actors.Runs;

namespace NE.Actors.Telemetry;

/// <summary>The CSV tables of a run directory.</summary>
public sealed class RunTables : IDisposable
{
    private readonly IReadOnlyDictionary<string, CsvFile> files;

    /// <param name="lengths">Bytes of every table at the commit that the run continues from; empty for a new run.</param>
    /// <param name="hasPhases">The run is a cycle.</param>
    /// <exception cref="InvalidDataException">A table is shorter than it was at that commit.</exception>
    public RunTables(RunPaths paths, IReadOnlyDictionary<string, long> lengths, bool hasPhases = false)
    {
        var opened = new Dictionary<string, CsvFile>();
        try
        {
            string[] all = [paths.Metrics, paths.Evaluations, paths.Topology, paths.Timing, .. hasPhases ? [paths.Phases] : Array.Empty<string>()];
            foreach (var path in all)
            {
                var name = Path.GetFileName(path);
                opened[name] = new CsvFile(path, lengths.GetValueOrDefault(name));
            }
        }
        catch
        {
            opened.Values.ToList().ForEach(file => file.Dispose());
            throw;
        }
        this.files = opened;
        this.Metrics = opened[Path.GetFileName(paths.Metrics)];
        this.Evaluations = opened[Path.GetFileName(paths.Evaluations)];
        this.Topology = opened[Path.GetFileName(paths.Topology)];
        this.Timing = opened[Path.GetFileName(paths.Timing)];
        this.Phases = opened.GetValueOrDefault(Path.GetFileName(paths.Phases));
    }

    public CsvFile Metrics { get; }

    public CsvFile Evaluations { get; }

    public CsvFile Topology { get; }

    public CsvFile Timing { get; }

    /// <summary>The phases of a cycle; null for another run.</summary>
    public CsvFile? Phases { get; }

    /// <summary>Bytes of every table so far, by file name.</summary>
    public IReadOnlyDictionary<string, long> Lengths => this.files.ToDictionary(file => file.Key, file => file.Value.Length);

    /// <summary>Hands all rows to the operating system.</summary>
    /// <exception cref="IOException">The disk is full or failing; the rows are kept, and the call can be repeated.</exception>
    public void Flush()
    {
        foreach (var file in this.files.Values)
        {
            file.Flush();
        }
    }

    public void Dispose()
    {
        foreach (var file in this.files.Values)
        {
            file.Dispose();
        }
    }
}
