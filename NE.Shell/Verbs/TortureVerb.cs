using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.ExceptionServices;
using System.Text.Json;
using NE.Actors.RunDirectory;
using NE.Shell.Commands;
using NE.Shell.Host;
using NE.Shell.Torture;

namespace NE.Shell.Verbs;

/// <summary>`ne torture`: attacks on small runs of the real executable, each of which has to end as the run that was left alone.</summary>
internal static class TortureVerb
{
    public static ExitCode Torture(TortureCommand command, ShellHost host)
    {
        string folder = command.Keep is { } keep ? Path.GetFullPath(keep) : Directory.CreateTempSubdirectory("ne-torture-").FullName;
        // Drawn as they come: a night's number of attacks is only an upper bound.
        var attacks = (command.Attack is { } one ? [one] : Enumerable.Range(0, command.Attacks)).Select(number => (Number: number, What: Attack.Of(command.Seed, number, command.Kinds)));
        host.Output.WriteLine($"{(command.Attack is null ? command.Attacks : 1)} attacks of seed {command.Seed} ({string.Join(", ", command.Kinds)}), {command.Parallel} at a time, in {folder}");
        IReadOnlyDictionary<Scenario, (RunPaths Run, TimeSpan Usual)> references =
            References([.. attacks.Select(attack => attack.What.Scenario).Distinct().Take(Scenario.All.Count)], folder, command.Parallel, host);
        var results = new ConcurrentDictionary<int, Outcome>();
        var watch = Stopwatch.StartNew();
        Parallel.ForEach(
            Partitioner.Create(attacks, EnumerablePartitionerOptions.NoBuffering),
            new ParallelOptions { MaxDegreeOfParallelism = command.Parallel },
            attack =>
            {
                if (command.Minutes is { } minutes && watch.Elapsed > TimeSpan.FromMinutes(minutes))
                {
                    return;
                }

                (int number, (Scenario scenario, Attack what)) = attack;
                var victim = new Victim(host.Executable, folder, $"attack-{number}", scenario);
                (RunPaths reference, TimeSpan usual) = references[scenario];
                Outcome outcome = Carry(new Ordeal(victim, reference, usual), what);
                results[number] = outcome;

                if (outcome.Survived && command.Keep is null)
                {
                    Directory.Delete(victim.Paths.Root, recursive: true);
                }

                if (!command.Json)
                {
                    lock (results)
                    {
                        host.Output.WriteLine($"{number,5} {what.Kind,-8} {outcome.Result,-10} {scenario.Name}: {what}; {outcome.Detail}");
                    }
                }
            });
        return Say(command, results.ToDictionary(result => result.Key, result => Attack.Of(command.Seed, result.Key, command.Kinds)), results, folder, host);
    }

    private static Outcome Carry(Ordeal ordeal, Attack attack)
    {
        try
        {
            return ordeal.Carry(attack);
        }
        catch (Exception failure) when (Failures.IsExpected(failure) || Failures.IsUserError(failure))
        {
            return new("LOST", false, failure.Message, 0);
        }
    }

    /// <summary>As many at a time as there will be attacks: how long a run takes beside others decides when it is stopped.</summary>
    private static ConcurrentDictionary<Scenario, (RunPaths Run, TimeSpan Usual)> References(Scenario[] scenarios, string folder, int parallel, ShellHost host)
    {
        var references = new ConcurrentDictionary<Scenario, (RunPaths, TimeSpan)>();

        try
        {
            Parallel.ForEach(
                scenarios, new ParallelOptions { MaxDegreeOfParallelism = parallel }, scenario => references[scenario] = Reference(scenario, folder, host));
        }
        catch (AggregateException several)
        {
            ExceptionDispatchInfo.Throw(several.InnerExceptions[0]);
        }

        return references;
    }

    private static (RunPaths Run, TimeSpan Usual) Reference(Scenario scenario, string folder, ShellHost host)
    {
        var victim = new Victim(host.Executable, folder, $"whole-{Scenario.All.ToList().IndexOf(scenario)}", scenario);
        var watch = Stopwatch.StartNew();
        Ending ending = victim.Complete();
        return ending.ExitCode is 0 ? (victim.Paths, watch.Elapsed) : throw new ShellFailure($"the run that nobody attacks ({scenario.Name}) ended with {ending.ExitCode}: {ending.Said}");
    }

    private static ExitCode Say(
        TortureCommand command, Dictionary<int, (Scenario Scenario, Attack Attack)> attacks, ConcurrentDictionary<int, Outcome> results, string folder, ShellHost host)
    {
        int survived = results.Values.Count(outcome => outcome.Survived);

        if (command.Json)
        {
            host.Output.WriteLine(JsonSerializer.Serialize(
                new
                {
                    seed = command.Seed,
                    attacks = results.OrderBy(result => result.Key).Select(result => new
                    {
                        number = result.Key,
                        kind = attacks[result.Key].Attack.Kind,
                        scenario = attacks[result.Key].Scenario.Name,
                        attack = attacks[result.Key].Attack.ToString(),
                        result = result.Value.Result,
                        survived = result.Value.Survived,
                        kills = result.Value.Kills,
                        detail = result.Value.Detail,
                    }),
                },
                Json.Options));
        }
        else
        {
            Spectre.Console.Table table = Tables.Create("attack", ">number", ">kills", "results");

            foreach (IGrouping<string, KeyValuePair<int, Outcome>> kind in results.GroupBy(result => attacks[result.Key].Attack.Kind).OrderBy(kind => kind.Key, StringComparer.Ordinal))
            {
                table.Add(
                    kind.Key,
                    Format.Count(kind.Count()),
                    Format.Count(kind.Sum(result => result.Value.Kills)),
                    string.Join(", ", kind.GroupBy(result => result.Value.Result).OrderByDescending(result => result.Count()).Select(result => $"{result.Count()} {result.Key}")));
            }

            Tables.Write(host, table);

            foreach ((int number, Outcome outcome) in results.Where(result => !result.Value.Survived).OrderBy(result => result.Key))
            {
                host.Error.WriteLine(
                    $"ne: attack {number} got through: {outcome.Detail}\n    again: ne torture --seed {command.Seed} --attack {number} --only {string.Join(',', command.Kinds)}   its run: {Path.Combine(folder, $"attack-{number}")}");
            }

            host.Output.WriteLine($"{survived} of {results.Count} survived");
        }

        if (survived == results.Count && command.Keep is null)
        {
            Directory.Delete(folder, recursive: true);
        }

        return survived == results.Count ? ExitCode.Ok : ExitCode.Failed;
    }
}
