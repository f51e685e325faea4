using NE.Actors.RunDirectory;

namespace NE.Shell.Sweeps.Planning;

/// <summary>Where everything of one sweep lies, beside its runs. Pure: creates and reads nothing.</summary>
/// <param name="Root">Full path of RUNS/NAME.sweep.</param>
public sealed record SweepPaths(string Root)
{
    private const string Suffix = RunFolder.SweepSuffix;

    /// <exception cref="RunFolderException">The name cannot be a sweep's.</exception>
    public static SweepPaths Of(string runsFolder, string name) => new(Path.GetFullPath(Path.Combine(runsFolder, RunName.Validate(name) + Suffix)));

    /// <summary>Names of the sweeps in a folder of runs, in alphabetical order. A folder whose name no sweep can have, such as a copy's, is none.</summary>
    public static IReadOnlyList<string> List(string runsFolder) => Directory.Exists(runsFolder)
        ? [.. Directory.EnumerateDirectories(runsFolder, "*" + Suffix)
            .Where(folder => File.Exists(new SweepPaths(folder).Cells))
            .Select(folder => new SweepPaths(folder).Name)
            .Where(IsValid)
            .Order(StringComparer.Ordinal)]
        : [];

    public string Name => Path.GetFileName(this.Root)[..^Suffix.Length];

    public string RunsFolder => Path.GetDirectoryName(this.Root)!;

    /// <summary>A copy of the file or preset.</summary>
    public string Description => this.At("sweep.yaml");

    /// <summary>What every cell means.</summary>
    public string Cells => this.At("cells.json");

    /// <summary>Cells whose last process failed, and why.</summary>
    public string Failures => this.At("failures.json");

    /// <summary>Which trials of a search went on, and why.</summary>
    public string Decisions => this.At("decisions.json");

    public string Lock => this.At("sweep.lock");

    public string Logs => this.At("logs");

    /// <summary>What the processes of a cell printed.</summary>
    public string LogOf(string cell) => Path.Combine(this.Logs, cell + ".log");

    private string At(string name) => Path.Combine(this.Root, name);

    private static bool IsValid(string name)
    {
        try
        {
            RunName.Validate(name);
            return true;
        }
        catch (RunFolderException)
        {
            return false;
        }
    }
}
