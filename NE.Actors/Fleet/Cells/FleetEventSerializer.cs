using Akka.Actor;
using NE.Actors.Fleet.Wire;
using NE.Model.Fleet;

namespace NE.Actors.Fleet.Cells;

/// <summary>Writes <see cref="FleetEvent"/> into the coordinator's journal.</summary>
public sealed class FleetEventSerializer(ExtendedActorSystem system) : WireSerializer(system, forms)
{
    private static readonly WireForm[] forms =
    [
        WireForm.Of<FleetEvent.SweepBegan>(
            "sweep-began/1",
            (happened, writer) =>
            {
                writer.Write(happened.sweep);
                writer.Write(happened.submission);
            },
            reader => (FleetEvent.SweepBegan)FleetEvent.NewSweepBegan(reader.ReadString(), reader.ReadString())),
        WireForm.Of<FleetEvent.SweepEnded>("sweep-ended/1", (happened, writer) => writer.Write(happened.sweep), reader => (FleetEvent.SweepEnded)FleetEvent.NewSweepEnded(reader.ReadString())),
        WireForm.Of<FleetEvent.CellWanted>(
            "cell-wanted/1",
            (happened, writer) =>
            {
                writer.Write(happened.cell);
                writer.Write(happened.order);
            },
            reader => (FleetEvent.CellWanted)FleetEvent.NewCellWanted(reader.ReadString(), reader.ReadString())),
        WireForm.Of<FleetEvent.CellPlaced>(
            "cell-placed/1",
            (happened, writer) =>
            {
                writer.Write(happened.cell);
                writer.Write(happened.node);
                writer.Write(happened.epoch);
            },
            reader => (FleetEvent.CellPlaced)FleetEvent.NewCellPlaced(reader.ReadString(), reader.ReadString(), reader.ReadInt64())),
        WireForm.Of<FleetEvent.CellStopped>("cell-stopped/1", (happened, writer) => writer.Write(happened.cell), reader => (FleetEvent.CellStopped)FleetEvent.NewCellStopped(reader.ReadString())),
        WireForm.Of<FleetEvent.CellReturned>(
            "cell-returned/1",
            (happened, writer) =>
            {
                writer.Write(happened.cell);
                writer.Write(happened.epoch);
                writer.Write(happened.reason);
            },
            reader => (FleetEvent.CellReturned)FleetEvent.NewCellReturned(reader.ReadString(), reader.ReadInt64(), reader.ReadString())),
        WireForm.Of<FleetEvent.CellEnded>(
            "cell-ended/1",
            (happened, writer) =>
            {
                writer.Write(happened.cell);
                writer.Write(happened.epoch);
                CellSerializer.Write(happened.outcome, writer);
            },
            reader => (FleetEvent.CellEnded)FleetEvent.NewCellEnded(reader.ReadString(), reader.ReadInt64(), CellSerializer.ReadEnd(reader))),
    ];

    /// <summary>Never change: rows of the journal name it.</summary>
    public override int Identifier => 7_314;
}
