using System.Runtime.InteropServices;
using NE.Model.Replay;

namespace NE.Actors.Replay;

/// <summary>
/// The layout of a stored row of a pixel task: [newest frame as bytes | a | r | not done | position | back], where the frame is the one that
/// the action led to. An episode of T steps has T + 1 rows; the first holds the frame of the reset and no transition. Stacks are
/// rebuilt by <see cref="PixelReader"/>, so each frame is stored once.
/// </summary>
/// <param name="shape">Sizes of the observation.</param>
/// <param name="actionSize">Numbers of an action.</param>
public sealed class PixelRows(PixelShape shape, int actionSize)
{
    private readonly int action = (shape.FrameBytes + sizeof(float) - 1) / sizeof(float);

    public PixelShape Shape => shape;

    public int ActionSize => actionSize;

    /// <summary>Floats of a stored row. At 84 x 84 pixels a row has 21,168 bytes and four per number of the action and 16.</summary>
    public int RowFloats => this.Back + 1;

    private int Reward => this.action + actionSize;

    private int NotDone => this.Reward + 1;

    private int Position => this.Reward + 2;

    private int Back => this.Reward + 3;

    /// <summary>Writes the row that an episode begins with.</summary>
    /// <param name="row">RowFloats floats.</param>
    /// <param name="frame">The frame of the reset, FrameBytes bytes.</param>
    public void WriteBegin(Span<float> row, ReadOnlySpan<byte> frame)
    {
        row.Clear();
        row[this.NotDone] = 1;
        frame.CopyTo(MemoryMarshal.AsBytes(row));
    }

    /// <summary>Writes the row of a step.</summary>
    /// <param name="row">RowFloats floats.</param>
    /// <param name="frame">The newest frame after the step, FrameBytes bytes.</param>
    public void WriteStep(Span<float> row, ReadOnlySpan<byte> frame, ReadOnlySpan<float> taken, float reward, bool terminated)
    {
        this.WriteBegin(row, frame);
        taken.CopyTo(row.Slice(this.action, actionSize));
        row[this.Reward] = reward;
        row[this.NotDone] = terminated ? 0 : 1;
    }

    /// <summary>Writes the link, which is known only when the row's number is.</summary>
    public void WriteLink(Span<float> row, FrameLink link)
    {
        row[this.Position] = BitConverter.Int32BitsToSingle(link.Position);
        row[this.Back] = BitConverter.Int32BitsToSingle(link.Back);
    }

    public FrameLink ReadLink(ReadOnlySpan<float> row) =>
        new(BitConverter.SingleToInt32Bits(row[this.Position]), BitConverter.SingleToInt32Bits(row[this.Back]));

    public ReadOnlySpan<byte> ReadFrame(ReadOnlySpan<float> row) => MemoryMarshal.AsBytes(row)[..shape.FrameBytes];

    public ReadOnlySpan<float> ReadAction(ReadOnlySpan<float> row) => row.Slice(this.action, actionSize);

    public float ReadReward(ReadOnlySpan<float> row) => row[this.Reward];

    /// <summary>1 where the value of the frame's state counts, 0 where the task ended.</summary>
    public float ReadNotDone(ReadOnlySpan<float> row) => row[this.NotDone];
}
