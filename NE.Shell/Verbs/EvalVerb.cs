using System.Globalization;
using NE.Actors.Checkpoints;
using NE.Actors.Environments;
using NE.Actors.Evaluation;
using NE.Actors.Runs;
using NE.Model.Networks;
using NE.Shell.Commands;
using NE.Shell.Views;

namespace NE.Shell.Verbs;

/// <summary>`ne eval`</summary>
internal static class EvalVerb
{
    public static ExitCode Eval(EvalCommand command, ShellHost host)
    {
        RunPaths paths = RunFolder.Find(command.Runs, command.Name);
        RunInfo info = RunInfo.Read(paths.RunInfo);
        (long step, byte[] bytes) = Load(paths, command.Checkpoint);
        Policy policy = Policy.OfBytes(bytes);
        host.Prepare();
        using IEnvironment environment = EnvironmentFactory.Create(info.Environment);
        EnvironmentSpec spec = environment.Spec;

        if (policy.ObservationSize != spec.ObservationSize || policy.ActionSize != spec.ActionSize)
        {
            throw new ShellFailure(
                $"the policy of '{paths.Name}' expects {policy.ObservationSize} observations and {policy.ActionSize} actions; {info.Environment} now has "
                + $"{spec.ObservationSize} and {spec.ActionSize}, so it is not the environment that the run was trained on");
        }

        SayIfChanged(paths, info, spec, host);
        EpisodeResults results = EpisodeRunner.Run(environment, policy, info.Seed, command.Episodes);
        double mean = results.Returns.Average();
        double deviation = Math.Sqrt(results.Returns.Average(value => (value - mean) * (value - mean)));

        if (command.Json)
        {
            var json = new { run = paths.Name, environment = info.Environment, step, episodes = command.Episodes, mean, deviation, returns = results.Returns, lengths = results.Lengths };
            host.Output.WriteLine(System.Text.Json.JsonSerializer.Serialize(json, Json.Options));
            return ExitCode.Ok;
        }

        Spectre.Console.Table table = Tables.Create(">episode", ">return", ">steps");

        for (int episode = 0; episode < results.Returns.Length; episode++)
        {
            table.Add(episode.ToString(CultureInfo.InvariantCulture), Format.Value(results.Returns[episode]), Format.Count(results.Lengths[episode]));
        }

        Tables.Write(host, table);
        host.Output.WriteLine($"{paths.Name} at step {Format.Count(step)}: mean {Format.Value(mean)}, standard deviation {Format.Value(deviation)}, {command.Episodes} episodes of {info.Environment}");
        return ExitCode.Ok;
    }

    /// <summary>To play on something else is allowed, but not without a word.</summary>
    private static void SayIfChanged(RunPaths paths, RunInfo info, EnvironmentSpec spec, ShellHost host)
    {
        if (spec.Fingerprint is null)
        {
            return;
        }

        try
        {
            EnvironmentFingerprint.Require(info.Environment, CheckpointReader.Environment(paths), spec.Fingerprint);
        }
        catch (EnvironmentUnusableException changed)
        {
            host.Error.WriteLine($"ne: note: {changed.Message}");
        }
    }

    private static (long Step, byte[] Policy) Load(RunPaths paths, PolicyChoice choice)
    {
        if (choice is PolicyChoice.Best)
        {
            return CheckpointReader.LoadBest(paths);
        }

        LoadedCheckpoint loaded = CheckpointReader.LoadWithoutReplay(
            paths, choice is PolicyChoice.AtStep at ? CheckpointChoice.At(at.Step) : CheckpointChoice.Last);
        return loaded.Components.TryGetValue("policy", out byte[]? policy)
            ? (loaded.Manifest.Step, policy)
            : throw new ShellFailure($"the checkpoint of step {Format.Count(loaded.Manifest.Step)} has no component 'policy'; it has {string.Join(", ", loaded.Components.Keys)}");
    }
}
