using System.Text.Json;
using NE.Actors.Storage;
using NE.Shell.Host;
using NE.Shell.Sweeps.Planning;

namespace NE.Shell.Sweeps.Cells;

/// <summary>How a cell failed.</summary>
/// <param name="Error">The last thing that its process said.</param>
/// <param name="ExitCode">Of the process.</param>
/// <param name="At">UTC.</param>
public sealed record CellFailure(string Error, int ExitCode, DateTimeOffset At);

/// <summary>
/// The cells whose last process failed, kept beside the sweep: a run that could not even begin leaves no directory that would say so. They
/// are not tried again until somebody asks for it. What changes is known at once, and on disk after <see cref="Store"/>.
/// </summary>
public sealed class CellFailures
{
    private readonly string file;
    private readonly SortedDictionary<string, CellFailure> failures;
    private bool hasChanged;

    private CellFailures(string file, SortedDictionary<string, CellFailure> failures) => (this.file, this.failures) = (file, failures);

    /// <exception cref="ShellFailure">The file is damaged.</exception>
    public static CellFailures Read(SweepPaths paths)
    {
        return new(
            paths.Failures,
            File.Exists(paths.Failures)
                ? Json.Read<SortedDictionary<string, CellFailure>>(
                    paths.Failures, "the failures of a sweep", failures => failures.Values.All(failure => failure is { Error: not null }), "Delete it to try every failed cell again.")
                : []);
    }

    public CellFailure? Of(string cell) => this.failures.GetValueOrDefault(cell);

    public void Add(string cell, CellFailure failure)
    {
        this.failures[cell] = failure;
        this.hasChanged = true;
    }

    /// <summary>Forgets a cell's failure because it is tried again, or was completed by other means.</summary>
    public void Remove(string cell) => this.hasChanged |= this.failures.Remove(cell);

    /// <summary>Writes what has changed since it was last written.</summary>
    /// <exception cref="IOException">It cannot be written now.</exception>
    public void Store()
    {
        if (this.hasChanged)
        {
            DurableFile.WriteText(this.file, JsonSerializer.Serialize(this.failures, Json.Options) + "\n");
            this.hasChanged = false;
        }
    }
}
