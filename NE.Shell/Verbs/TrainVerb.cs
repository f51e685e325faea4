using NE.Actors.Runs;
using NE.Actors.Storage;
using NE.Model.Agents;
using NE.Model.Networks;
using NE.Model;
using NE.Shell.Commands;
using NE.Shell.Configuration;
using NE.Shell.Running;
using NE.Shell.Views;
using Spectre.Console;

namespace NE.Shell.Verbs;

/// <summary>`ne train`</summary>
internal static class TrainVerb
{
    public static async Task<ExitCode> Train(TrainCommand command, ShellHost host)
    {
        BuiltConfiguration configuration = ConfigurationBuilder.Build(command.Configuration, host.ReadFile, Environments.Problem, host.HasCuda);
        Settings settings = configuration.Settings;
        RunPaths paths = RunPaths.Of(command.Runs, command.Name ?? RunNames.Default(settings));
        TaskSize task = Environments.Size(settings.Run.Environment);
        RunPlan plan = RunPlan.Create(settings, task);
        Spectre.Console.Rendering.IRenderable takes = ConfigurationView.Plan(plan, configuration, task, paths.Root);

        if (command.DryRun)
        {
            Tables.Write(host, [.. ConfigurationView.Resolved(configuration), new Text(""), takes]);
            return ExitCode.Ok;
        }

        IReadOnlyDictionary<string, string> versions = host.Prepare(settings.Compute);
        CheckThatItCanBeBuilt(settings);
        using RunFolder folder = RunFolder.Create(command.Runs, paths.Name, command.Overwrite);
        string yaml = ConfigurationWriter.Yaml(settings);
        DurableFile.WriteText(paths.Configuration, yaml);
        File.WriteAllText(paths.ConfigurationDifference, ConfigurationWriter.DifferenceYaml(configuration));
        File.WriteAllText(paths.Command, CommandText.Of(host.Arguments) + "\n");
        Tables.Write(host, takes);
        host.Output.WriteLine(ConfigurationView.Scaling(settings));
        RunRequest request = new() { Paths = paths, Settings = settings, ConfigurationText = yaml, Versions = versions, Drills = command.Drills };
        return await RunSession.Execute(host, request, Describe(paths, settings), 0, command.Presentation);
    }

    /// <summary>A device that is not there, or a topology that does not fit the task, is said before anything is created.</summary>
    private static void CheckThatItCanBeBuilt(Settings settings)
    {
        NE.Actors.Environments.EnvironmentSpec spec = NE.Actors.Environments.EnvironmentFactory.Describe(settings.Run.Environment);

        try
        {
            using Agent agent = Agent.Create(settings, spec.ObservationSize, spec.ActionSize, spec.ActionHigh[0]);
        }
        catch (Exception problem) when (problem is ArgumentException or LibTorch.LibTorchException)
        {
            throw new UserError(problem.Message);
        }
    }

    private static RunInfo Describe(RunPaths paths, Settings settings) => new(
        RunInfo.CurrentFormat,
        Guid.NewGuid().ToString("N"),
        paths.Name,
        RunState.Running,
        null,
        settings.Run.Environment,
        SettingsModule.tryFind("run.method")!.Get.Invoke(settings),
        settings.Run.Seed,
        settings.Run.Steps,
        settings.Compute.Threads,
        settings.Compute.Device,
        [],
        SettingsModule.tryFind("compute.engine")!.Get.Invoke(settings));
}
