using NE.Actors.Configuration;
using NE.Actors.Environments;
using NE.Actors.Environments.External;
using NE.Actors.Evaluation;
using NE.Actors.Hosting;
using NE.Actors.RunDirectory;
using NE.Model.Networks;
using NE.Shell.Commands;
using NE.Shell.Host;
using NE.Shell.Views;

namespace NE.Shell.Verbs;

/// <summary>`ne eval`</summary>
internal static class EvalVerb
{
    public static ExitCode Eval(EvalCommand command, ShellHost host)
    {
        RunPaths paths = RunFolder.Find(command.Runs, command.Name);
        RunInfo info = StoredRunInfo.Of(paths).Info;
        (long step, Policy policy, _) = StoredPolicy.Load(paths, command.Checkpoint);
        host.Prepare(null, draws: false);
        using IEnvironment environment = StoredPolicy.Environment(paths, info, step);
        StoredPolicy.RequireFit(policy, paths, environment.Spec);
        VerbNotes.SayIfChanged(paths, info, environment.Spec, host);
        EpisodeResults results = StoredPolicy.Play(environment, () => StoredPolicy.Environment(paths, info, step), policy, info.Seed, command.Episodes, StoredPolicy.LongestEpisode(paths, environment.Spec));
        double mean = results.Returns.Average();
        double deviation = Math.Sqrt(results.Returns.Average(value => (value - mean) * (value - mean)));

        if (command.Json)
        {
            var json = new
            {
                run = paths.Name,
                environment = environment.Spec.Id,
                step,
                episodes = command.Episodes,
                mean,
                deviation,
                returns = results.Returns,
                lengths = results.Lengths,
                seeds = Seeds(info, command.Episodes),
            };
            host.Output.WriteLine(System.Text.Json.JsonSerializer.Serialize(json, Json.Options));
            return ExitCode.Ok;
        }

        Tables.Write(host, EpisodeTable.Of(results));
        host.Output.WriteLine($"{paths.Name} at step {Format.Count(step)}: mean {Format.Value(mean)}, standard deviation {Format.Value(deviation)}, {Format.Counted(command.Episodes, "episode")} of {environment.Spec.Id}");
        return ExitCode.Ok;
    }

    /// <summary>The seeds that a program was given for its resets, with which it can play the same episodes elsewhere; null for an environment that is no program.</summary>
    private static ulong[]? Seeds(RunInfo info, int episodes) => EnvironmentId.Parse(info.Environment) is EnvironmentId.External
        ? [.. Enumerable.Range(0, episodes).Select(episode => ExternalEnvironment.SeedOf(EpisodeRunner.StartOf(info.Seed, episode)))]
        : null;
}
