namespace NE.Actors.Journal;

/// <summary>Back-off of one thing that keeps failing: doubling pauses until it has failed for too long.</summary>
internal sealed class Patience(JournalSettings settings)
{
    long since;

    internal int Failures { get; private set; }

    /// <summary>Since the first failure.</summary>
    internal TimeSpan Elapsed => this.Failures == 0 ? TimeSpan.Zero : TimeSpan.FromMilliseconds(Environment.TickCount64 - this.since);

    internal void Reset() => this.Failures = 0;

    /// <summary>Counts a failure; the pause before the next attempt, or null when there is to be none.</summary>
    internal TimeSpan? NextDelay()
    {
        if (this.Failures++ == 0)
        {
            this.since = Environment.TickCount64;
        }
        var doubled = settings.SmallestDelay.Ticks * Math.Pow(2, this.Failures - 1);
        return this.Elapsed < settings.GiveUpAfter ? TimeSpan.FromTicks((long)Math.Min(doubled, settings.LargestDelay.Ticks)) : null;
    }
}
