using Akka.Actor;
using NE.Actors.Fleet.Wire;
using NE.Model.Fleet;

namespace NE.Actors.Fleet.Cells;

/// <summary>What nodes, the coordinator and those who submit sweeps say to each other. Nodes and coordinator tell each other the whole of what they know, again and
/// again, so that no message has to arrive.</summary>
public interface ICellMessage;

/// <summary>From a node: it lives, asks for the right to go on, and says what became of its cells.</summary>
public sealed record Renew : ICellMessage
{
    /// <summary>Its address and incarnation.</summary>
    public required string Node { get; init; }

    /// <summary>What people call it.</summary>
    public required string Name { get; init; }

    /// <summary>[ms] By its own steady clock. A lease counts from here, whenever the answer comes.</summary>
    public required long SentAt { get; init; }

    public required int Slots { get; init; }

    /// <summary>It gives back what it has.</summary>
    public required bool IsLeaving { get; init; }

    /// <summary>Of the folder of runs, which all share: see <see cref="SharedFolder"/>.</summary>
    public required string Folder { get; init; }

    /// <summary>It shares none: its runs are on its own disk, and the coordinator gets a copy of every commit.</summary>
    public required bool IsOwnDisk { get; init; }

    public required IReadOnlyList<HeldCell> Cells { get; init; }
}

/// <summary>A cell that a node has.</summary>
/// <param name="End">How its process ended; null while it works.</param>
/// <param name="Returned">It is given back: another node is to go on with it.</param>
public sealed record HeldCell(string Name, long Epoch, CellEnd? End, bool Returned);

/// <summary>To a node: it may go on until its lease is over, with these cells and no others.</summary>
/// <param name="SentAt">Of the <see cref="Renew"/> that is answered.</param>
public sealed record Grant(long SentAt, IReadOnlyList<CellTask> Tasks) : ICellMessage;

/// <summary>A cell that is a node's.</summary>
/// <param name="Order">What the process is to do, as those who begin processes understand it.</param>
/// <param name="IsStopping">It is to commit and end.</param>
public sealed record CellTask(string Name, long Epoch, string Order, bool IsStopping);

/// <summary>To the coordinator: work on this sweep.</summary>
/// <param name="Submission">As those who work on sweeps understand it.</param>
public sealed record SubmitSweep(string Submission) : ICellMessage;

/// <param name="Text">What people are to know of it, line by line.</param>
public sealed record SweepAccepted(string Name, string Text) : ICellMessage;

/// <param name="Reason">A sentence for people.</param>
public sealed record SweepRefused(string Reason) : ICellMessage;

/// <summary>To the coordinator: how is it?</summary>
public sealed record AskSweep(string Name) : ICellMessage;

/// <param name="Status">As those who work on sweeps write it; empty when the coordinator does not know such a sweep.</param>
public sealed record SweepShown(string Name, string Status) : ICellMessage;

/// <summary>To the coordinator: begin no further cell and let those that work commit and stop.</summary>
public sealed record StopSweep(string Name, string Reason) : ICellMessage;

/// <summary>Writes <see cref="ICellMessage"/>.</summary>
public sealed class CellSerializer(ExtendedActorSystem system) : WireSerializer(system, forms)
{
    public static readonly WireMessages Messages = new("ne-cells", typeof(CellSerializer), typeof(ICellMessage));

    private static readonly WireForm[] forms =
    [
        WireForm.Of<Renew>("renew/2", Write, ReadRenew),
        WireForm.Of<Grant>(
            "grant/1",
            (message, writer) =>
            {
                writer.Write(message.SentAt);
                writer.WriteList(message.Tasks, task => Write(task, writer));
            },
            reader => new(reader.ReadInt64(), reader.ReadList(() => new CellTask(reader.ReadString(), reader.ReadInt64(), reader.ReadString(), reader.ReadBoolean())))),
        WireForm.Of<SubmitSweep>("submit/1", (message, writer) => writer.Write(message.Submission), reader => new(reader.ReadString())),
        WireForm.Of<SweepAccepted>("accepted/1", (message, writer) => Write(message.Name, message.Text, writer), reader => new(reader.ReadString(), reader.ReadString())),
        WireForm.Of<SweepRefused>("refused/1", (message, writer) => writer.Write(message.Reason), reader => new(reader.ReadString())),
        WireForm.Of<AskSweep>("ask-sweep/1", (message, writer) => writer.Write(message.Name), reader => new(reader.ReadString())),
        WireForm.Of<SweepShown>("sweep/1", (message, writer) => Write(message.Name, message.Status, writer), reader => new(reader.ReadString(), reader.ReadString())),
        WireForm.Of<StopSweep>("stop-sweep/1", (message, writer) => Write(message.Name, message.Reason, writer), reader => new(reader.ReadString(), reader.ReadString())),
    ];

    public override int Identifier => 7_313;

    private static void Write(string first, string second, BinaryWriter writer)
    {
        writer.Write(first);
        writer.Write(second);
    }

    private static void Write(CellTask task, BinaryWriter writer)
    {
        writer.Write(task.Name);
        writer.Write(task.Epoch);
        writer.Write(task.Order);
        writer.Write(task.IsStopping);
    }

    private static void Write(Renew message, BinaryWriter writer)
    {
        writer.Write(message.Node);
        writer.Write(message.Name);
        writer.Write(message.SentAt);
        writer.Write(message.Slots);
        writer.Write(message.IsLeaving);
        writer.Write(message.Folder);
        writer.Write(message.IsOwnDisk);
        writer.WriteList(message.Cells, cell =>
        {
            writer.Write(cell.Name);
            writer.Write(cell.Epoch);
            writer.Write(cell.End is not null);
            Write(cell.End ?? new CellEnd(0, 0, ""), writer);
            writer.Write(cell.Returned);
        });
    }

    private static Renew ReadRenew(BinaryReader reader) => new()
    {
        Node = reader.ReadString(),
        Name = reader.ReadString(),
        SentAt = reader.ReadInt64(),
        Slots = reader.ReadInt32(),
        IsLeaving = reader.ReadBoolean(),
        Folder = reader.ReadString(),
        IsOwnDisk = reader.ReadBoolean(),
        Cells = reader.ReadList(() =>
        {
            var (name, epoch, hasEnded, end) = (reader.ReadString(), reader.ReadInt64(), reader.ReadBoolean(), ReadEnd(reader));
            return new HeldCell(name, epoch, hasEnded ? end : null, reader.ReadBoolean());
        }),
    };

    internal static void Write(CellEnd end, BinaryWriter writer)
    {
        writer.Write(end.ExitCode);
        writer.Write(end.ProcessId);
        writer.Write(end.LastWords);
    }

    internal static CellEnd ReadEnd(BinaryReader reader) => new(reader.ReadInt32(), reader.ReadInt32(), reader.ReadString());
}
