namespace NE.Actors.Journal;

/// <summary>How patiently the outbox retries and how often the journal snapshots.</summary>
public sealed record JournalSettings
{
    /// <summary>Pause after the first failed attempt; doubles up to <see cref="LargestDelay"/>.</summary>
    public TimeSpan SmallestDelay { get; init; } = TimeSpan.FromSeconds(0.5);

    public TimeSpan LargestDelay { get; init; } = TimeSpan.FromSeconds(8);

    /// <summary>After failing for this long the outbox says <see cref="CommitFailed"/>.</summary>
    public TimeSpan GiveUpAfter { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>A snapshot of masks, counters and manifests every so many commits.</summary>
    public int CommitsPerSnapshot { get; init; } = 1;
}
