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

    public static CellFailures Read(SweepPaths paths)
    {
        if (!File.Exists(paths.Failures))
        {
            return new(paths.Failures, []);
        }

        try
        {
            return new(paths.Failures, JsonSerializer.Deserialize<SortedDictionary<string, CellFailure>>(File.ReadAllText(paths.Failures), Json.Options) ?? []);
        }
        catch (JsonException problem)
        {
            throw new ShellFailure($"{paths.Failures} cannot be read: {problem.Message} Delete it to try every failed cell again.");
        }
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
