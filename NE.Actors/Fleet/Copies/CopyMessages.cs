using Akka.Actor;
using NE.Actors.Fleet.Wire;

namespace NE.Actors.Fleet.Copies;

/// <summary>What a node with a disk of its own and the coordinator say to each other of a cell's run. The epoch is that of the cell's placement: who does not have
/// the cell any more copies nothing.</summary>
public interface ICopyMessage
{
    /// <summary>Name of the run.</summary>
    string Cell { get; }

    /// <summary>Of the placement.</summary>
    long Epoch { get; }
}

/// <summary>Here is a run as it is now; its pieces can be had by <see cref="PieceWanted"/>.</summary>
/// <param name="Number">Of the offer; the answer has it too.</param>
public sealed record CopyOffered(string Cell, long Epoch, long Number, CopyManifest Manifest) : ICopyMessage;

/// <param name="File">Its number in the manifest.</param>
/// <param name="Piece">Its number in the file.</param>
public sealed record PieceWanted(string Cell, long Epoch, int File, int Piece) : ICopyMessage
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>Asks whoever has offered it.</summary>
    /// <exception cref="AskTimeoutException">It does not answer.</exception>
    internal static async Task<byte[]> From(ICanTell source, string cell, long epoch, int file, int piece) =>
        (await source.Ask<PieceSent>(new PieceWanted(cell, epoch, file, piece), Patience)).Bytes;
}

/// <param name="Bytes">Empty where it cannot be had any more.</param>
public sealed record PieceSent(string Cell, long Epoch, int File, int Piece, byte[] Bytes) : ICopyMessage
{
    /// <summary>Of what was offered, if it still is.</summary>
    internal static PieceSent Of(PieceWanted wanted, RunSnapshot? offered) =>
        new(wanted.Cell, wanted.Epoch, wanted.File, wanted.Piece, offered?.Read(wanted.File, wanted.Piece) ?? []);
}

/// <summary>From the coordinator: what was offered is in its folder, and whatever becomes of the node, the cell goes on from there.</summary>
/// <param name="Number">Of the offer.</param>
/// <param name="Bytes">That crossed.</param>
public sealed record CopyTaken(string Cell, long Epoch, long Number, long Bytes) : ICopyMessage;

/// <summary>From the coordinator: nothing was taken.</summary>
/// <param name="Reason">A sentence for people.</param>
public sealed record CopyRefused(string Cell, long Epoch, string Reason) : ICopyMessage;

/// <summary>To the coordinator: what is there of this cell's run?</summary>
public sealed record CopyWanted(string Cell, long Epoch) : ICopyMessage;

/// <summary>From the coordinator: nothing.</summary>
public sealed record NothingCopied(string Cell, long Epoch) : ICopyMessage;

/// <summary>Writes <see cref="ICopyMessage"/>.</summary>
public sealed class CopySerializer(ExtendedActorSystem system) : WireSerializer(system, forms)
{
    public static readonly WireMessages Messages = new("ne-copies", typeof(CopySerializer), typeof(ICopyMessage));

    private static readonly WireForm[] forms =
    [
        WireForm.Of<CopyOffered>(
            "copy/1",
            (message, writer) =>
            {
                Write(message.Cell, message.Epoch, writer);
                writer.Write(message.Number);
                Write(message.Manifest, writer);
            },
            reader => new(reader.ReadString(), reader.ReadInt64(), reader.ReadInt64(), ReadManifest(reader))),
        WireForm.Of<PieceWanted>(
            "piece-wanted/1",
            (message, writer) => Write(message.Cell, message.Epoch, message.File, message.Piece, writer),
            reader => new(reader.ReadString(), reader.ReadInt64(), reader.ReadInt32(), reader.ReadInt32())),
        WireForm.Of<PieceSent>(
            "piece/1",
            (message, writer) =>
            {
                Write(message.Cell, message.Epoch, message.File, message.Piece, writer);
                writer.WriteBytes(message.Bytes);
            },
            reader => new(reader.ReadString(), reader.ReadInt64(), reader.ReadInt32(), reader.ReadInt32(), reader.ReadBlock())),
        WireForm.Of<CopyTaken>(
            "copied/1",
            (message, writer) =>
            {
                Write(message.Cell, message.Epoch, writer);
                writer.Write(message.Number);
                writer.Write(message.Bytes);
            },
            reader => new(reader.ReadString(), reader.ReadInt64(), reader.ReadInt64(), reader.ReadInt64())),
        WireForm.Of<CopyRefused>(
            "copy-refused/1",
            (message, writer) =>
            {
                Write(message.Cell, message.Epoch, writer);
                writer.Write(message.Reason);
            },
            reader => new(reader.ReadString(), reader.ReadInt64(), reader.ReadString())),
        WireForm.Of<CopyWanted>("copy-wanted/1", (message, writer) => Write(message.Cell, message.Epoch, writer), reader => new(reader.ReadString(), reader.ReadInt64())),
        WireForm.Of<NothingCopied>("nothing-copied/1", (message, writer) => Write(message.Cell, message.Epoch, writer), reader => new(reader.ReadString(), reader.ReadInt64())),
    ];

    public override int Identifier => 7_315;

    private static void Write(string cell, long epoch, BinaryWriter writer)
    {
        writer.Write(cell);
        writer.Write(epoch);
    }

    private static void Write(string cell, long epoch, int file, int piece, BinaryWriter writer)
    {
        Write(cell, epoch, writer);
        writer.Write(file);
        writer.Write(piece);
    }

    private static void Write(CopyManifest manifest, BinaryWriter writer)
    {
        writer.Write(manifest.Step);
        writer.WriteList(manifest.Files, file =>
        {
            writer.Write(file.Path);
            writer.Write(file.Length);
            writer.WriteBytes(Convert.FromHexString(string.Concat(file.Pieces)));
        });
    }

    private static CopyManifest ReadManifest(BinaryReader reader) => new(
        reader.ReadInt64(),
        reader.ReadList(() => new CopiedFile(reader.ReadString(), reader.ReadInt64(), [.. reader.ReadBlock().Chunk(32).Select(hash => Convert.ToHexStringLower(hash))])));
}
