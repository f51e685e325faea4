using NE.Model.Replay;
using static NE.Model.History;

namespace NE.Actors.Environments;

/// <summary>
/// The transitions of one environment's round in preallocated memory. Exactly one actor owns a block at a time: it travels from RunActor
/// to an environment, to the replay actor, and back.
/// </summary>
/// <param name="environment">Number of the environment that fills it.</param>
/// <param name="layout">How transitions lie in the replay memory.</param>
/// <param name="steps">Most steps of a round.</param>
public sealed class TransitionBlock(int environment, ITransitionRows layout, int steps)
{
    private readonly int width = layout.RowFloats;
    private readonly float[] rows = new float[layout.RowFloats * layout.MostRows(steps)];

    public int Environment => environment;

    /// <summary>Rows filled.</summary>
    public int Count { get; private set; }

    /// <summary>Episodes that ended in this round.</summary>
    public List<EpisodeEnded> Episodes { get; } = [];

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

    /// <summary>Adds a step.</summary>
    /// <param name="position">Steps of the episode before it.</param>
    /// <param name="notDone">0 where the task ended, otherwise 1.</param>
    public void Add(
        int position, ReadOnlySpan<float> observation, ReadOnlySpan<float> action, float reward, float notDone, ReadOnlySpan<float> next) =>
        this.Count += layout.Write(this.rows.AsSpan(this.width * this.Count), environment, position, observation, action, reward, notDone, next);

    /// <summary>The rows that are filled, one after the other.</summary>
    public ReadOnlySpan<float> Rows => this.rows.AsSpan(0, this.width * this.Count);

    /// <summary>Takes the rows that another block of the same layout had.</summary>
    /// <exception cref="InvalidDataException">They are not whole rows, or more than fit.</exception>
    public void Fill(ReadOnlySpan<float> filled)
    {
        if (filled.Length % this.width != 0 || filled.Length > this.rows.Length)
        {
            throw new InvalidDataException($"a round of environment {environment} has {filled.Length} numbers; rows have {this.width} each, and at most {this.rows.Length / this.width} of them fit");
        }
        this.Clear();
        filled.CopyTo(this.rows);
        this.Count = filled.Length / this.width;
    }

    public ReadOnlySpan<float> Row(int index) => this.rows.AsSpan(this.width * index, this.width);
}
