using System.Diagnostics;

namespace NE.Actors.Fleet.Environments;

/// <summary>The answers to one order of a run. Where its simulators are done at about the same time, they go in one message; otherwise each goes when it
/// is there, so that nobody waits for the slowest who need not. One that never comes keeps the others until they are asked for again.</summary>
/// <param name="together">Whether they wait for each other.</param>
internal sealed class AnswerGroup(bool together)
{
    private static readonly TimeSpan AboutTheSameTime = TimeSpan.FromMilliseconds(1);

    private readonly List<RoundResult> waiting = [];
    private int open;
    private int answered;
    private long first;
    private TimeSpan spread;

    /// <summary>Whether the answers of the next order had better go together; null where this one does not tell.</summary>
    public bool? WereTogether => this.open == 0 && this.answered > 1 ? this.spread <= AboutTheSameTime : null;

    /// <summary>One more is to come.</summary>
    public void Expect() => this.open++;

    /// <summary>It is here.</summary>
    /// <returns>What may go now.</returns>
    public IReadOnlyList<RoundResult> Add(RoundResult result)
    {
        if (this.first == 0)
        {
            this.first = Stopwatch.GetTimestamp();
        }
        this.answered++;
        this.spread = Stopwatch.GetElapsedTime(this.first);
        this.waiting.Add(result);
        return this.Settle();
    }

    /// <summary>It will not come.</summary>
    /// <returns>What may go now.</returns>
    public IReadOnlyList<RoundResult> Settle()
    {
        this.open--;
        if (together && this.open > 0)
        {
            return [];
        }
        RoundResult[] going = [.. this.waiting];
        this.waiting.Clear();
        return going;
    }
}
