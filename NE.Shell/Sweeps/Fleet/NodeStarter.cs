using System.Text.Json;
using NE.Actors.Fleet.Cells;
using NE.Actors.Stores;
using NE.Model.Fleet;
using NE.Shell.Host;
using NE.Shell.Sweeps.Processes;

namespace NE.Shell.Sweeps.Fleet;

/// <summary>Begins processes of cells on a node of a fleet, each with a right to go on that has to be renewed.</summary>
/// <param name="host">Has the executable.</param>
/// <param name="shared">Folder of the runs.</param>
internal sealed class NodeStarter(ShellHost host, string shared) : ICellStarter
{
    private readonly string build = host.Build();

    public bool IsSameBuild => host.Build() == this.build;

    public ICellProcess Start(string cell, string order, string? ownDisk)
    {
        CellOrder what;

        try
        {
            what = JsonSerializer.Deserialize<CellOrder>(order, Json.Options) ?? throw new JsonException("it is empty");
        }
        catch (JsonException problem)
        {
            throw new InvalidDataException($"the order for {cell} cannot be read: {problem.Message}");
        }

        string runs = ownDisk ?? shared;

        if (ownDisk is not null)
        {
            what = what.Journal is null or JournalAddress.Files
                ? what with { Journal = JournalAddress.Files }
                : throw new InvalidDataException($"the sweep's journals are at {what.Journal}, and this node copies commits from its own disk: let it work in the folder that the others share (ne node --runs DIR, without --own-disk), or give the sweep journals in its runs' folders (--journal {JournalAddress.Files})");
        }

        string log = what.Log(runs);
        Directory.CreateDirectory(Path.GetDirectoryName(log)!);
        string? login = what.Journal is null or JournalAddress.Files || JournalAddress.Read(what.Journal, "the sweep's journal") is not { } place ? null : JournalUrl.WithKnownLogin(place).Secret;
        return new Process(CellProcess.Start(what.Command(host.Executable, runs, "--lease"), log, what.Variables(login)));
    }

    private sealed class Process(CellProcess process) : ICellProcess
    {
        public Task<CellEnd> End { get; } = process.Ended();

        public void Renew(long deadline) => process.Renew(deadline);

        public void RequestStop() => process.RequestStop();

        public void Kill() => process.Kill();

        public void Dispose() => process.Dispose();
    }
}
