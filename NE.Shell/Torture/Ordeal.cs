using NE.Actors.Integrity;
using NE.Actors.Journal;
using NE.Actors.RunDirectory;

namespace NE.Shell.Torture;

/// <summary>What became of a run that was attacked.</summary>
/// <param name="Result">In a word, for the table.</param>
/// <param name="Survived">It ended as the run that was left alone, or has all that it committed, or said what is damaged and did nothing wrong.</param>
/// <param name="Detail">What happened in which order.</param>
/// <param name="Kills">Processes that were killed or killed themselves.</param>
internal sealed record Outcome(string Result, bool Survived, string Detail, int Kills);

/// <summary>One attack on one run, from its start to its end.</summary>
internal sealed class Ordeal(Victim victim, RunPaths reference, TimeSpan usual)
{
    private static readonly TimeSpan FaultPatience = TimeSpan.FromSeconds(100);

    private readonly List<string> story = [];
    private CommittedPast? past, pastBefore;
    private string damage = "";
    private int kills;

    public Outcome Carry(Attack attack)
    {
        Outcome outcome = this.Do(attack);
        return victim.Outliving() is { } process && outcome.Survived ? new("LOST", false, $"{this.Story}; a process outlived the run: {process}", this.kills) : outcome;
    }

    private Outcome Do(Attack attack)
    {
        switch (attack)
        {
            case Attack.Stops stops:
                return this.StopAgainAndAgain(stops) ?? this.MustComplete();
            case Attack.Place place:
                if (place.Before is { } before)
                {
                    this.KillAfterCommits(1, before);
                }

                return this.Forgotten() ?? this.Fault(place);
            case Attack.Damage damage:
                this.KillAfterCommits(2, damage.Moment);

                if (this.Forgotten() is { } forgotten)
                {
                    return forgotten;
                }

                this.damage = FileDamage.Do(victim.Paths, damage);
                this.story.Add(this.damage);
                return this.AfterDamage();
            default:
                throw new InvalidOperationException($"no code carries out {attack.GetType().Name}");
        }
    }

    /// <summary>Null when nothing went wrong so far.</summary>
    private Outcome? StopAgainAndAgain(Attack.Stops stops)
    {
        Victim.Started? started = null;

        try
        {
            foreach ((double moment, Stop how) in stops.All)
            {
                started ??= victim.Work();

                if (how is Stop.Worker)
                {
                    bool killed = started.KillWorkerAfter(usual * moment, moment * 1000 % 1);
                    this.story.Add(killed ? $"a worker killed at {moment:0.00}" : "no worker was there");
                    this.kills += killed ? 1 : 0;
                    continue;
                }

                Ending? ending = this.StopAfter(started, moment, how);
                started.Dispose();
                started = null;

                if (ending is { ExitCode: not (0 or 3) })
                {
                    return this.Lost("a stop", ending);
                }

                if (this.Forgotten() is { } forgotten)
                {
                    return forgotten;
                }
            }

            return started?.Wait(Victim.Patience) is { ExitCode: not 0 } failed && !IsRefusedAsComplete(failed) ? this.Lost("a run whose workers were killed", failed) : null;
        }
        finally
        {
            started?.Dispose();
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
    private Ending? StopAfter(Victim.Started started, double moment, Stop how)
    {
        Ending? ending = started.StopAfter(usual * moment, how);

        if (ending is not null && IsRefusedAsComplete(ending))
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

        return this.Forgotten() ?? this.MustComplete();
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
            // A journal whose end is cut off has lost commits, and the resume says so.
            bool wentBack = ending.Said.Contains("it has lost what was committed", StringComparison.Ordinal);
            this.past = wentBack ? null : this.past;
            return this.Compare(tables: true, wentBack && !victim.IsReproducible ? "went back" : null);
        }

        string refusal = Last(ending.Said);
        this.story.Add($"refused: {refusal}");

        if (refusal.Contains("ne repair", StringComparison.Ordinal))
        {
            victim.Do("repair");

            // What it lost of a table is said; the state must be what it was.
            return victim.Complete() is { ExitCode: 0 } ? this.Compare(tables: false, "repaired") : new("refused", true, this.Story, this.kills);
        }

        if (refusal.Contains("--checkpoint previous", StringComparison.Ordinal))
        {
            // What was committed after it is given up, and that was said.
            this.past = this.pastBefore;
            Ending previous = victim.Complete("--checkpoint", "previous");
            return previous.ExitCode is 0 ? this.Compare(tables: true, "previous") : this.Lost("the checkpoint before", previous);
        }

        return new("refused", ending.ExitCode is 1 or 2, this.Story, this.kills);
    }

    private Outcome MustComplete()
    {
        Ending ending = victim.Complete();
        return ending.ExitCode is 0 || IsRefusedAsComplete(ending) ? this.Compare(tables: true) : this.Lost("the last resume", ending);
    }

    /// <param name="tables">Whether the tables have to be whole too.</param>
    /// <param name="result">Another word for it when it survived.</param>
    private Outcome Compare(bool tables, string? result = null) =>
        victim.IsReproducible
            ? RunIdentity.Of(victim.Paths).FirstDifference(RunIdentity.Of(reference), tables) is { } difference ? this.Different(difference) : new(result ?? "identical", true, this.Story, this.kills)
            : this.FirstFlaw(tables) is { } flaw ? this.Different(flaw) : new(result ?? "kept", true, this.Story, this.kills);

    /// <summary>What a run that is not reproducible has lost, doubled or left undone.</summary>
    private string? FirstFlaw(bool tables)
    {
        if ((this.past?.FirstLoss(victim.Paths, tables) ?? CommittedPast.FirstFlaw(victim.Paths, Steps(reference))) is { } flaw)
        {
            return flaw;
        }

        // What was damaged and nothing else has the content of stays damaged, and is named.
        Ending verified = victim.Do("verify", "--deep");
        IEnumerable<string> named = verified.Said.Split('\n').Where(line => line.StartsWith("  ", StringComparison.Ordinal)).Select(line => line.Trim().Split(':', ',')[0]);
        return verified.ExitCode is 0 || (verified.ExitCode is 2 && named.All(file => this.damage.Contains(file, StringComparison.Ordinal))) ? null : $"ne verify --deep: {Last(verified.Said)}";
    }

    /// <summary>What was committed when a process ended has to be there when the next one has; null when it is, and of runs that are reproducible, which show it at their end.</summary>
    private Outcome? Forgotten()
    {
        if (victim.IsReproducible)
        {
            return null;
        }

        if (this.past?.FirstLoss(victim.Paths) is { } loss)
        {
            return this.Different(loss);
        }

        (this.past, this.pastBefore) = (CommittedPast.Of(victim.Paths), CommittedPast.Of(victim.Paths, back: 1));
        return null;
    }

    private Outcome Different(string difference) => new("DIFFERENT", false, $"{this.Story}; first difference: {difference}", this.kills);

    private static long Steps(RunPaths run)
    {
        using JournalReader journal = JournalReader.Open(run);
        return journal.Manifests()[0].Step;
    }

    /// <summary>A run that is complete already is refused, and that is right.</summary>
    private static bool IsRefusedAsComplete(Ending ending) => ending.ExitCode is 1 && ending.Said.Contains("has done all its", StringComparison.Ordinal);

    private Outcome Lost(string where, Ending ending) =>
        new("LOST", false, $"{this.Story}; {where} ended with {ending.ExitCode?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "no end"}: {Last(ending.Said)}", this.kills);

    private string Story => string.Join(", ", this.story);

    private static string Last(string said) => string.Join(" ", said.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).TakeLast(3));
}
