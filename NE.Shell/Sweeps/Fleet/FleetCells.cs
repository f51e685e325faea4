using System.Text.Json;
using NE.Actors.Fleet.Cells;
using NE.Model.Fleet;
using NE.Shell.Host;
using NE.Shell.Sweeps.Processes;

namespace NE.Shell.Sweeps.Fleet;

/// <summary>Cells on the nodes of a fleet. One whose node is lost goes on at another; whoever waits for it notices nothing but the time.</summary>
/// <param name="places">The fleet's.</param>
/// <param name="coresPerCell">As this node reckons.</param>
internal sealed class FleetCells(ICellPlaces places, int coresPerCell) : ICellRunner
{
    public int Slots => places.Slots;

    public int CoresPerCell => coresPerCell;

    public IRunningCell Start(CellOrder order, Action<string> tell) => new Cell(places.Start(order.Cell, JsonSerializer.Serialize(order, Json.Options), tell));

    public IRunningCell? Attach(string cell, Action<string> tell) => places.Attach(cell, tell) is { } going ? new Cell(going) : null;

    private sealed class Cell(ICellAtWork work) : IRunningCell
    {
        public string Place => "in the fleet";

        public Task<CellEnd> End => work.End;

        public void RequestStop() => work.RequestStop();

        // The node's lease is what ends it at once.
        public void Kill() => work.RequestStop();

        public void Dispose()
        {
        }
    }
}
