using System.Globalization;
using NE.Actors.RunDirectory;
using NE.Shell.Host;
using NE.Shell.Sweeps.Planning;

namespace NE.Shell.Sweeps.Processes;

/// <summary>What a process is to do for a cell of a sweep, on any machine that has the sweep's folder.</summary>
/// <param name="Sweep">Name of the sweep.</param>
/// <param name="Cell">Name of the cell's run.</param>
/// <param name="Pairs">The whole configuration as key=value words.</param>
/// <param name="Seq">Address of a Seq server; null for none.</param>
/// <param name="Journal">Where a new run has its journal, without a login: null leaves that to the machine, `sqlite` is the run's own folder.</param>
internal sealed record CellOrder(string Sweep, string Cell, IReadOnlyList<string> Pairs, string? Seq, string? Journal)
{
    /// <summary>The command line: a run that has begun goes on.</summary>
    /// <param name="executable">Program and first arguments.</param>
    /// <param name="runs">Folder of the runs on this machine.</param>
    /// <param name="more">Further options.</param>
    public IReadOnlyList<string> Command(IReadOnlyList<string> executable, string runs, params string[] more)
    {
        string[] common = ["--runs", runs, "--plain", "--stop-at-eof", .. more, .. this.Seq is null ? (string[])[] : ["--seq", this.Seq]];
        return HasRun(runs, this.Cell)
            ? [.. executable, "resume", this.Cell, .. common]
            : [.. executable, "train", "--name", this.Cell, .. common, .. this.Pairs, .. this.Journal is null ? (string[])[] : ["--journal", this.Journal]];
    }

    /// <summary>What its processes print.</summary>
    public string Log(string runs) => SweepPaths.Of(runs, this.Sweep).LogOf(this.Cell);

    /// <summary>Variables of the process. Everybody can read a process's arguments, so a login is here.</summary>
    /// <param name="login">The journal's server with its login; null for none.</param>
    public (string Name, string Value)[] Variables(string? login) =>
        [(ShellHost.SweepVariable, this.Sweep), .. login is null ? ((string, string)[])[] : [("NE_JOURNAL", login)]];

    public static bool HasRun(string runs, string cell) => File.Exists(RunPaths.Of(runs, cell).RunInfo);

    /// <summary>Threads that a cell takes, unless it says how many: its part of the cores. The bits of its run are the same.</summary>
    /// <param name="cell">What it is.</param>
    /// <param name="cores">Its part of them.</param>
    public static string[] Threads(PlannedCell cell, int cores)
    {
        const string key = "compute.threads";
        var share = new NE.Model.Machine(() => false, Math.Max(1, cores));
        NE.Model.Settings apart = NE.Model.SettingsModule.resolveOn(share, NE.Model.SettingsModule.apply([(key, "auto")], cell.Settings).ResultValue).Item1;
        return cell.Cell.Settings.ContainsKey(key) ? [] : [$"{key}={apart.Compute.Threads.Value.ToString(CultureInfo.InvariantCulture)}"];
    }
}
