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
        host.Prepare(null);
        using IEnvironment environment = EnvironmentFactory.Create(info.Environment);
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
