using NE.Actors.RunDirectory;

namespace NE.Shell.Torture;

/// <summary>What became of a run that was attacked.</summary>
/// <param name="Result">In a word, for the table.</param>
/// <param name="Survived">It ended as the run that was left alone, or said what is damaged and did nothing wrong.</param>
/// <param name="Detail">What happened in which order.</param>
/// <param name="Kills">Processes that were killed or killed themselves.</param>
internal sealed record Outcome(string Result, bool Survived, string Detail, int Kills);

/// <summary>One attack on one run, from its start to its end.</summary>
internal sealed class Ordeal(Victim victim, RunPaths reference, TimeSpan usual)
{
    private static readonly TimeSpan FaultPatience = TimeSpan.FromSeconds(100);

    private readonly List<string> story = [];
    private int kills;

    public Outcome Carry(Attack attack)
    {
        switch (attack)
        {
            case Attack.Stops stops:
                foreach ((double moment, Stop how) in stops.All)
                {
                    if (this.StopAfter(moment, how) is { ExitCode: not (0 or 3) } failed)
                    {
                        return this.Lost("a stop", failed);
                    }
                }

                return this.MustComplete();
            case Attack.Place place:
                if (place.Before is { } before)
                {
                    this.KillAfterCommits(1, before);
                }

                return this.Fault(place);
            case Attack.Damage damage:
                this.KillAfterCommits(2, damage.Moment);

                this.story.Add(FileDamage.Do(victim.Paths, damage));
                return this.AfterDamage();
            default:
                throw new InvalidOperationException($"no code carries out {attack.GetType().Name}");
        }
    }

    /// <summary>Kills it when it has made so many commits, and a moment later.</summary>
    private void KillAfterCommits(int commits, double moment)
    {
        using Victim.Started started = victim.Work();

        while (victim.Commits < commits && !started.HasExited)
        {
            Thread.Sleep(5);
        }

        started.StopAfter(TimeSpan.FromSeconds(moment / 2), Stop.Kill);
        this.kills++;
        this.story.Add($"kill after {victim.Commits} commits");
    }

    /// <summary>What a process said that ended by itself or on SIGTERM; null when it was killed.</summary>
    private Ending? StopAfter(double moment, Stop how)
    {
        using Victim.Started started = victim.Work();
        Ending? ending = started.StopAfter(usual * moment, how);

        // A run that is complete already is refused, and that is right.
        if (ending is { ExitCode: 1 } && ending.Said.Contains("has done all its", StringComparison.Ordinal))
        {
            ending = ending with { ExitCode = 0 };
        }

        // Before it listens to signals, SIGTERM is a death like any other.
        if (ending is { ExitCode: 143 })
        {
            ending = null;
        }

        this.story.Add(ending is null ? $"{how.ToString().ToLowerInvariant()} at {moment:0.00}" : $"ended with {ending.ExitCode}");
        this.kills += ending is null ? 1 : 0;
        return ending;
    }

    private Outcome Fault(Attack.Place place)
    {
        using (Victim.Started started = victim.Work(place.Plan))
        {
            Ending ending = started.Wait(FaultPatience);

            if (ending.IsMistake)
            {
                return this.Lost("a mistake", ending);
            }

            this.kills += ending.IsKilled ? 1 : 0;
            this.story.Add(ending.ExitCode switch
            {
                0 => "went on and completed",
                137 => "died there",
                null => "waited and was killed",
                { } code => $"ended with {code}",
            });
        }

        return this.MustComplete();
    }

    private Outcome AfterDamage()
    {
        Ending ending = victim.Complete();

        if (ending.IsMistake)
        {
            return this.Lost("a mistake", ending);
        }

        if (ending.ExitCode is 0)
        {
            return this.Compare("identical", tables: true);
        }

        string refusal = Last(ending.Said);
        this.story.Add($"refused: {refusal}");

        if (refusal.Contains("ne repair", StringComparison.Ordinal))
        {
            victim.Do("repair");

            // What it lost of a table is said; the state must be what it was.
            return victim.Complete() is { ExitCode: 0 } ? this.Compare("repaired", tables: false) : new("refused", true, this.Story, this.kills);
        }

        return refusal.Contains("--checkpoint previous", StringComparison.Ordinal)
            ? victim.Complete("--checkpoint", "previous") is { ExitCode: 0 } previous ? this.Compare("previous", tables: true) : this.Lost("previous", victim.Complete())
            : new("refused", ending.ExitCode is 1 or 2, this.Story, this.kills);
    }

    private Outcome MustComplete()
    {
        Ending ending = victim.Complete();
        return ending.ExitCode is 0 || ending.Said.Contains("has done all its", StringComparison.Ordinal) ? this.Compare("identical", tables: true) : this.Lost("the last resume", ending);
    }

    private Outcome Compare(string result, bool tables) => RunDifference.First(victim.Paths, reference, tables) is { } difference
        ? new("DIFFERENT", false, $"{this.Story}; first difference: {difference}", this.kills)
        : new(result, true, this.Story, this.kills);

    private Outcome Lost(string where, Ending ending) =>
        new("LOST", false, $"{this.Story}; {where} ended with {ending.ExitCode?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "no end"}: {Last(ending.Said)}", this.kills);

    private string Story => string.Join(", ", this.story);

    private static string Last(string said) => string.Join(" ", said.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).TakeLast(3));
}
