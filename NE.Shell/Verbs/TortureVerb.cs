using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.ExceptionServices;
using System.Security.Cryptography;
using System.Text.Json;
using NE.Actors.Environments;
using NE.Actors.RunDirectory;
using NE.Actors.Stores;
using NE.Model;
using NE.Shell.Commands;
using NE.Shell.Configuration;
using NE.Shell.Host;
using NE.Shell.Torture;

namespace NE.Shell.Verbs;

/// <summary>`ne torture`: attacks on small runs of the real executable, each of which has to end as the run that was left alone.</summary>
internal static class TortureVerb
{
    public static ExitCode Torture(TortureCommand command, ShellHost host)
    {
        string? plugin = command.Plugin is { } path ? EnvironmentId.Parse($"plugin:{path}").In(Directory.GetCurrentDirectory()).Text : null;
        bool savesState = plugin is null || Environments.Try(SettingsModule.apply([("run.environment", plugin)], SettingsModule.defaults).ResultValue).SavesState;
        JournalPlace? journal = JournalAddress.Of(command.Journal, host) is { } place
            ? place with { Schema = $"ne_torture_{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4))}" }
            : null;
        Scenario[] chosen = [.. Scenario.All.Where(scenario => command.Scenarios.Count == 0 || command.Scenarios.Any(scenario.IsCalled))];
        journal = chosen.Any(scenario => scenario.Need is Need.Server) ? journal : null;

        if (journal is not null)
        {
            // A server that is down, or that does not let us in, is said before anything begins.
            JournalServer.Prepare(journal);
        }

        string folder = command.Keep is { } keep ? Path.GetFullPath(keep) : Directory.CreateTempSubdirectory("ne-torture-").FullName;
        var surroundings = new Surroundings(folder) { Journal = journal is null ? null : JournalUrl.WithKnownLogin(journal), Plugin = plugin, PluginSavesState = savesState };
        Scenario[] scenarios = [.. chosen.Where(scenario => surroundings.Missing(scenario) is null)];
        (string Name, string Reason)[] leftOut = [.. chosen.Except(scenarios).Select(scenario => (scenario.Name, surroundings.Missing(scenario)!))];

        if (scenarios.Length == 0)
        {
            Tidy(command, folder, null);
            throw new UserError($"none of these runs can be attacked here: {string.Join("; ", leftOut.Select(run => $"{run.Name}: {run.Reason}"))}");
        }

        if (!command.Json)
        {
            SayBeginning(command, scenarios, leftOut, surroundings, folder, host);
        }

        ConcurrentDictionary<int, Outcome> results = CarryAll(command, scenarios, surroundings, folder, host);
        ExitCode code = Say(command, results, scenarios, leftOut, folder, host);

        if (code is ExitCode.Ok)
        {
            Tidy(command, folder, journal);
        }

        return code;
    }

    private static void Tidy(TortureCommand command, string folder, JournalPlace? journal)
    {
        if (command.Keep is not null)
        {
            return;
        }

        Directory.Delete(folder, recursive: true);

        if (journal is not null)
        {
            JournalServer.DropSchema(journal);
        }
    }

    private static void SayBeginning(
        TortureCommand command, Scenario[] scenarios, (string Name, string Reason)[] leftOut, Surroundings surroundings, string folder, ShellHost host)
    {
        host.Output.WriteLine($"{Format.Counted(command.Attack is null ? command.Attacks : 1, "attack")} of seed {command.Seed} ({string.Join(", ", command.Kinds)}) on {scenarios.Length} small runs, {command.Parallel} at a time, in {folder}");

        foreach ((string name, string reason) in leftOut)
        {
            host.Output.WriteLine($"left out: {name}: {reason}");
        }

        foreach (Scenario scenario in scenarios.Where(scenario => scenario.Need is Need.Server))
        {
            host.Output.WriteLine($"{scenario.Name}: at {surroundings.Journal}");
        }

        foreach (Scenario scenario in scenarios.Where(scenario => !surroundings.IsReproducible(scenario)))
        {
            host.Output.WriteLine($"{scenario.Name}: is never the same run twice. It survives ('kept') when it has all that it committed, nothing of it altered or doubled, is whole (ne verify --deep) and complete");
        }
    }

    private static ConcurrentDictionary<int, Outcome> CarryAll(TortureCommand command, Scenario[] scenarios, Surroundings surroundings, string folder, ShellHost host)
    {
        // Each beside as many attacks as there are anyway: how long a run takes beside others decides when it is stopped.
        var references = scenarios.ToDictionary(scenario => scenario, scenario => new Lazy<(RunPaths Run, TimeSpan Usual)>(() => Reference(scenario, surroundings, folder, host)));
        var results = new ConcurrentDictionary<int, Outcome>();
        var watch = Stopwatch.StartNew();

        try
        {
            Parallel.ForEach(
                Partitioner.Create(command.Attack is { } one ? [one] : Enumerable.Range(0, command.Attacks), EnumerablePartitionerOptions.NoBuffering),
                new ParallelOptions { MaxDegreeOfParallelism = command.Parallel },
                number =>
                {
                    if (command.Minutes is { } minutes && watch.Elapsed > TimeSpan.FromMinutes(minutes))
                    {
                        return;
                    }

                    (Scenario scenario, Attack what) = Attack.Of(command.Seed, number, command.Kinds, scenarios);
                    var victim = new Victim(host.Executable, folder, $"attack-{number}", scenario, surroundings);
                    (RunPaths reference, TimeSpan usual) = references[scenario].Value;
                    Outcome outcome = Carry(new Ordeal(victim, reference, usual), what);
                    results[number] = outcome;

                    if (outcome.Survived && command.Keep is null)
                    {
                        victim.Delete();
                    }

                    if (!command.Json)
                    {
                        lock (results)
                        {
                            host.Output.WriteLine($"{number,5} {what.Kind,-8} {outcome.Result,-10} {scenario.Name}: {what}; {outcome.Detail}");
                        }
                    }
                });
        }
        catch (AggregateException several)
        {
            ExceptionDispatchInfo.Throw(several.InnerExceptions[0]);
        }

        return results;
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

    private static (RunPaths Run, TimeSpan Usual) Reference(Scenario scenario, Surroundings surroundings, string folder, ShellHost host)
    {
        var victim = new Victim(host.Executable, folder, $"whole-{Scenario.All.ToList().IndexOf(scenario)}", scenario, surroundings);
        var watch = Stopwatch.StartNew();
        Ending ending = victim.Complete();
        return ending.ExitCode is 0 ? (victim.Paths, watch.Elapsed) : throw new ShellFailure($"the run that nobody attacks ({scenario.Name}) ended with {ending.ExitCode}: {ending.Said}");
    }

    private static ExitCode Say(
        TortureCommand command, ConcurrentDictionary<int, Outcome> results, Scenario[] scenarios, (string Name, string Reason)[] leftOut, string folder, ShellHost host)
    {
        var attacks = results.ToDictionary(result => result.Key, result => Attack.Of(command.Seed, result.Key, command.Kinds, scenarios));
        int survived = results.Values.Count(outcome => outcome.Survived);

        if (command.Json)
        {
            host.Output.WriteLine(JsonSerializer.Serialize(
                new
                {
                    seed = command.Seed,
                    leftOut = leftOut.Select(run => new { scenario = run.Name, reason = run.Reason }),
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
                    $"ne: attack {number} got through: {outcome.Detail}\n    again: {Again(command, number)}   its run: {Path.Combine(folder, $"attack-{number}")}");
            }

            host.Output.WriteLine($"{survived} of {results.Count} survived");
        }

        return survived == results.Count ? ExitCode.Ok : ExitCode.Failed;
    }

    private static string Again(TortureCommand command, int number) => string.Join(
        ' ',
        [
            $"ne torture --seed {command.Seed} --attack {number} --only {string.Join(',', command.Kinds)}",
            .. command.Scenarios.Select(text => $"--scenario '{text}'"),
            .. command.Plugin is { } plugin ? (string[])[$"--plugin '{plugin}'"] : [],
            .. command.Journal is { } journal ? (string[])[$"--journal '{JournalUrl.WithoutLogin(journal)}'"] : [],
        ]);
}
