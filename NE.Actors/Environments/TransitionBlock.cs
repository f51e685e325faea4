using static NE.Model.History;

namespace NE.Actors.Environments;

/// <summary>
/// The transitions of one environment's round in preallocated memory. Exactly one actor owns a block at a time: it travels from RunActor
/// to an environment, to the replay actor, and back.
/// </summary>
/// <param name="environment">Number of the environment that fills it.</param>
/// <param name="rowFloats">Floats of one row: observation, action, reward, not done, next observation.</param>
/// <param name="capacity">Most steps of a round.</param>
public sealed class TransitionBlock(int environment, int rowFloats, int capacity)
{
    private readonly float[] rows = new float[rowFloats * capacity];

    public int Environment => environment;

    /// <summary>Rows filled.</summary>
    public int Count { get; private set; }

    /// <summary>Episodes that ended in this round, with the index of their last row.</summary>
    public List<(int Row, EpisodeEnded Episode)> Episodes { get; } = [];

    /// <summary>Number of the episode that the environment is in after the round.</summary>
    public long Episode { get; set; }

    /// <summary>Episodes of this round that ended because the simulation left the numbers.</summary>
    public int Divergences { get; set; }

    public void Clear()
    {
        this.Count = 0;
        this.Divergences = 0;
        this.Episodes.Clear();
    }

    /// <summary>The next row, to be filled.</summary>
    public Span<float> Add() => this.rows.AsSpan(rowFloats * this.Count++, rowFloats);

    public ReadOnlySpan<float> Row(int index) => this.rows.AsSpan(rowFloats * index, rowFloats);
}
