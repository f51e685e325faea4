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
/// are not tried again until somebody asks for it.
/// </summary>
public sealed class CellFailures
{
    private readonly string file;
    private readonly SortedDictionary<string, CellFailure> failures;

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
        this.Write();
    }

    /// <summary>Forgets a cell's failure because it is tried again, or was completed by other means.</summary>
    public void Remove(string cell)
    {
        if (this.failures.Remove(cell))
        {
            this.Write();
        }
    }

    private void Write() => DurableFile.WriteText(this.file, JsonSerializer.Serialize(this.failures, Json.Options) + "\n");
}
