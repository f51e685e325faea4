using System.Diagnostics;

namespace NE.Actors.Conducting;

/// <summary>How much of the learner's time goes by waiting for others, seen from the run.</summary>
internal sealed class LearnerClock
{
    private long since = Stopwatch.GetTimestamp();
    private long busy;
    private long waiting;

    /// <summary>The learner gets work.</summary>
    public void Start() => this.waiting += this.Lap();

    /// <summary>The learner is done with it.</summary>
    public void Stop() => this.busy += this.Lap();

    /// <summary>Leaves the time since the learner's last work out, because nobody made it wait (a commit, the random steps at the start).</summary>
    public void Skip() => this.Lap();

    /// <summary>Share of the time spent waiting since the last call; NaN when the learner had no work.</summary>
    public double TakeWaitingShare()
    {
        var share = this.busy == 0 ? double.NaN : (double)this.waiting / (this.busy + this.waiting);
        (this.busy, this.waiting) = (0, 0);
        return share;
    }

    private long Lap()
    {
        var now = Stopwatch.GetTimestamp();
        var lap = now - this.since;
        this.since = now;
        return lap;
    }
}
