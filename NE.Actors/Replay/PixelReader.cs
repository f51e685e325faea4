using NE.Model.Replay;

namespace NE.Actors.Replay;

/// <summary>Rebuilds the observations of pixel transitions from rows that hold one frame each. Reads like
/// <see cref="SegmentStore.Gather"/>: one reader, within the window that it was handed. Makes no garbage.</summary>
public sealed class PixelReader : IFrameLinks
{
    private readonly SegmentStore store;
    private readonly PixelRows layout;
    private long[] chain = [];

    /// <exception cref="ArgumentException">The store's rows have another length than the layout's.</exception>
    public PixelReader(SegmentStore store, PixelRows layout)
    {
        if (store.RowFloats != layout.RowFloats)
        {
            throw new ArgumentException($"Expected a store of rows of {layout.RowFloats} floats, found one of {store.RowFloats}.", nameof(store));
        }

        (this.store, this.layout) = (store, layout);
    }

    public FrameLink Link(long row) => this.layout.ReadLink(this.store.Row(row));

    /// <summary>Whether a transition of n steps ends with this row and all its frames are in the window. Only such rows may be gathered.</summary>
    public bool IsTransition(Window window, int steps, long row) => FrameLinks.chain(this, window, steps, row, this.Chain(steps));

    /// <summary>The transition of n steps that ends with a row, as DrQ-v2 makes it.</summary>
    /// <param name="window">The rows that may be read.</param>
    /// <param name="steps">n of the n-step return, at least 1.</param>
    /// <param name="row">A row for which <see cref="IsTransition"/> holds.</param>
    /// <param name="discount">gamma per step.</param>
    /// <param name="observation">Gets the observation in which the action was taken, ObservationBytes bytes.</param>
    /// <param name="action">Gets the first action, ActionSize floats.</param>
    /// <param name="next">Gets the observation after the last step, ObservationBytes bytes.</param>
    /// <returns>The discounted sum of the rewards, and what the value of the next observation counts: gamma^n, or 0 where the task ended.</returns>
    /// <exception cref="ArgumentException">The row is not such a transition.</exception>
    public (float Reward, float Bootstrap) Gather(
        Window window, int steps, long row, double discount, Span<byte> observation, Span<float> action, Span<byte> next)
    {
        var rows = this.Chain(steps);
        if (!FrameLinks.chain(this, window, steps, row, rows))
        {
            throw new ArgumentException(
                $"Row {row} ends no transition of {steps} steps in the window [{window.First}, {window.Head}): ask IsTransition first.", nameof(row));
        }

        this.Stack(rows[steps..], observation);
        this.Stack(rows[..this.layout.Shape.Stack], next);
        this.layout.ReadAction(this.store.Row(rows[steps - 1])).CopyTo(action);
        var (sum, factor) = (0.0, 1.0);
        for (var i = steps - 1; i >= 0; i--)
        {
            sum += factor * this.layout.ReadReward(this.store.Row(rows[i]));
            factor *= discount;
        }

        return ((float)sum, (float)(factor * this.layout.ReadNotDone(this.store.Row(row))));
    }

    /// <summary>Copies the frames of rows given newest first into an observation, oldest first.</summary>
    private void Stack(ReadOnlySpan<long> rows, Span<byte> observation)
    {
        var frameBytes = this.layout.Shape.FrameBytes;
        for (var i = 0; i < rows.Length; i++)
        {
            this.layout.ReadFrame(this.store.Row(rows[i])).CopyTo(observation[((rows.Length - 1 - i) * frameBytes)..]);
        }
    }

    private Span<long> Chain(int steps)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(steps, 1);
        var length = FrameLinks.chainLength(this.layout.Shape.Stack, steps);
        if (this.chain.Length < length)
        {
            this.chain = new long[length];
        }

        return this.chain.AsSpan(0, length);
    }
}
