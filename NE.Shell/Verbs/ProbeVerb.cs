using System.Globalization;
using System.Text.Json;
using NE.Actors.RunDirectory;
using NE.Model;
using NE.Model.Agents;
using NE.Shell.Commands;
using NE.Shell.Host;

namespace NE.Shell.Verbs;

/// <summary>`ne probe`</summary>
internal static class ProbeVerb
{
    /// <summary>Rows of the replay memory that the probe draws from.</summary>
    private const int Rows = 4096;

    public static ExitCode Probe(ProbeCommand command, ShellHost host)
    {
        RunPaths paths = RunFolder.Find(command.Runs, command.Name);
        using StoredLearner stored = StoredLearner.Load(paths, command.Checkpoint, host);
        NE.Model.Replay.HeldRows rows = stored.Sample(Rows, Draws.Of(stored.Settings.Run.Seed, Purpose.Statistics));
        ProbeResult[] results = stored.Learner.Probe(rows, rows.Window);

        if (command.Json)
        {
            var json = new
            {
                run = paths.Name,
                step = stored.Step,
                gradientStep = stored.Learner.GradientStep,
                rows = PlasticityProbe.Rows,
                adamSteps = PlasticityProbe.Steps,
                repeats = PlasticityProbe.Repeats,
                networks = results.Select(result => new { result.Network, result.Ratio, result.Error, result.Learned, result.LearnedFresh }),
            };
            host.Output.WriteLine(JsonSerializer.Serialize(json, Json.Options));
            return ExitCode.Ok;
        }

        Spectre.Console.Table table = Tables.Create("network", ">ratio", ">error", ">learned", ">fresh networks");

        foreach (ProbeResult result in results)
        {
            table.Add(result.Network, Format.Value(result.Ratio, "0.000"), Format.Value(result.Error, "0.000"), Format.Percent(result.Learned), Format.Percent(result.LearnedFresh));
        }

        host.Output.WriteLine($"{paths.Name} at step {Format.Count(stored.Step)}: the share of a fresh target that copies learn in {PlasticityProbe.Steps} Adam steps on {PlasticityProbe.Rows} transitions");
        Tables.Write(host, table);
        host.Output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"ratio 1: as fast as fresh networks of the same form; 0: not at all. error: the deviation of that 1, over {PlasticityProbe.Repeats} targets with fresh networks of their own"));
        return ExitCode.Ok;
    }
}
