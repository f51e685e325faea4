using NE.Actors.Environments;
using NE.Actors.Hosting;
using NE.Actors.RunDirectory;
using NE.Actors.Runs;
using NE.Actors.Stores;
using NE.Actors.Video;
using NE.Model;
using NE.Shell.Commands;
using NE.Shell.Configuration;
using NE.Shell.Host;
using NE.Shell.Logging;
using NE.Shell.Running;
using NE.Shell.Serving;
using NE.Shell.Views;
using Spectre.Console;

namespace NE.Shell.Verbs;

/// <summary>`ne train`</summary>
internal static class TrainVerb
{
    /// <exception cref="UserError">A failure is asked of an environment that the run does not have.</exception>
    internal static void CheckDrills(IEnumerable<FaultDrill> drills, Settings settings)
    {
        if (FaultDrill.Problem(drills, settings.Schedule.Environments) is { } problem)
        {
            throw new UserError($"--drill: {problem}");
        }
    }

    public static async Task<ExitCode> Train(TrainCommand command, ShellHost host)
    {
        BuiltConfiguration configuration = ConfigurationBuilder.Build(command.Configuration, host.ReadFile, Environments.Problem, host.Machine);
        configuration = configuration with { Settings = Environments.WithAbsolutePaths(configuration.Settings) };
        Settings settings = configuration.Settings;

        if (command.Pixels && !settings.Run.Learner.SeesPixels)
        {
            throw new UserError($"{LearnerKindModule.nameOf(settings.Run.Learner)} learns from numbers; from pictures learn --learner drq and --learner drqv2");
        }

        CheckDrills(command.Drills, settings);
        // A wrong address is said before anything is touched.
        SeqAddress.Of(command.Presentation.Seq, host);
        TelemetryExport.Collector(host);
        JournalPlace? journal = JournalAddress.Of(command.Journal, host);
        RunPaths paths = RunPaths.Of(command.Runs, command.Name ?? RunNames.Default(settings));
        GivenActor? actor = GivenActor.Read(command.Actor);
        EnvironmentSpec environment = Environments.Try(settings);
        RunPlan plan = RunPlan.Create(settings, environment);
        Spectre.Console.Rendering.IRenderable takes = ConfigurationView.Plan(plan, EvaluationPlan.Create(settings, environment, plan.Seconds), configuration, environment, paths.Root);

        if (command.DryRun)
        {
            // Another engine and its device may be those of another machine.
            if (settings.Compute.Engine.Value.IsSimd)
            {
                AgentCheck.CheckThatItCanBeBuilt(settings, environment);
                actor?.RequireFit(settings, environment);
            }

            Tables.Write(host, [.. ConfigurationView.Resolved(configuration), new Text(""), takes, .. CycleView.Phases(settings)]);
            SayWhereJournalIs(journal, host);
            SayNotes(configuration, plan, paths, host);
            return ExitCode.Ok;
        }

        IReadOnlyDictionary<string, string> versions = host.Prepare(settings.Compute, draws: settings.Run.Learner.SeesPixels);
        AgentCheck.CheckThatItCanBeBuilt(settings, environment);
        actor?.RequireFit(settings, environment);

        if (journal is not null)
        {
            // A server that is down, or that does not let us in, is said before anything is created.
            JournalServer.Prepare(journal);
        }

        await using RunFleet? fleet = await RunFleet.Join(host, command.Fleet, settings, paths.Name, versions);
        RunInfo? overwritten = command.Overwrite ? Overwritten(paths) : null;
        RunDescription description = new()
        {
            Settings = settings,
            Difference = configuration.DifferenceYaml(),
            Command = CommandText.Of(host.Arguments),
            Environment = environment,
            Versions = versions,
            Journal = journal,
        };
        using ReadyRun ready = ReadyRun.Create(command.Runs, paths.Name, description, command.Overwrite);
        ready.Request = ready.Request with { Drills = command.Drills, Ffmpeg = Ffmpeg.Find(host.SearchPath) };
        DeleteJournal(overwritten, host);
        actor?.Keep(paths);
        Tables.Write(host, takes);
        SayWhereJournalIs(journal, host);
        host.Output.WriteLine(ConfigurationView.Scaling(settings));
        SayNotes(configuration, plan, paths, host);
        Environments.SayWhatIsSpecial(host, environment);
        actor?.Say(host, environment);
        await using PageServer? page = await ServeVerb.Beside(command.Presentation.Page, command.Runs, $"#/run/{paths.Name}", host);
        return await RunSession.Execute(host, ready, command.Presentation, fleet);
    }

    private static void SayWhereJournalIs(JournalPlace? journal, ShellHost host)
    {
        if (journal is not null)
        {
            host.Output.WriteLine($"journal      {journal}");
        }
    }

    /// <summary>The run that --overwrite replaces, if its journal is on a server; null otherwise. The folder of a run that was copied names the other's journal.</summary>
    private static RunInfo? Overwritten(RunPaths paths)
    {
        try
        {
            return File.Exists(paths.RunInfo) && RunInfo.Read(paths.RunInfo) is { Journal: not null } old && old.Name == paths.Name ? old : null;
        }
        catch (Exception unreadable) when (unreadable is InvalidDataException or RunFolderException)
        {
            return null;
        }
    }

    private static void DeleteJournal(RunInfo? old, ShellHost host)
    {
        try
        {
            if (old?.Journal is { } place)
            {
                JournalServer.Delete(place, old.Id);
            }
        }
        catch (Exception kept) when (kept is JournalUnavailableException or RunFolderException)
        {
            host.Error.WriteLine($"ne: warning: the journal of the run that was overwritten stays at {old!.Journal}, as {old.Id}: {kept.Message}");
        }
    }

    private static void SayNotes(BuiltConfiguration configuration, RunPlan plan, RunPaths paths, ShellHost host)
    {
        SayWhatHasNoEffect(configuration, host);
        SayWhatHasOldNames(configuration, host);

        foreach (string warning in plan.Warnings(Hardware.MemoryBytes, Hardware.FreeDiskBytes(paths.Root)))
        {
            host.Error.WriteLine($"ne: warning: {warning}");
        }
    }

    private static void SayWhatHasOldNames(BuiltConfiguration configuration, ShellHost host)
    {
        static string Last(string key) => key[(key.LastIndexOf('.') + 1)..];
        // A key that only moved to another section has kept the rest of its name.
        ILookup<bool, (string Old, string Key)> names = configuration.OldNames.ToLookup(name => Last(name.Old) == Last(name.Key));
        (string Old, string Key)[] moved = [.. names[true].OrderBy(name => name.Old, StringComparer.Ordinal)];

        if (moved.Length > 0)
        {
            host.Output.WriteLine(
                $"note: {string.Join(", ", moved.Select(name => name.Old))} {(moved.Length == 1 ? "is" : "are")} called {string.Join(", ", moved.Select(name => name.Key))} now");
        }

        foreach (IGrouping<string, string> now in names[false].GroupBy(name => name.Key, name => name.Old))
        {
            string value = SettingsModule.tryFind(now.Key)!.Get.Invoke(configuration.Settings);
            host.Output.WriteLine($"note: {string.Join(", ", now)} {(now.Count() == 1 ? "is" : "are")} part of {now.Key} now: {now.Key}={value} says the same");
        }
    }

    /// <summary>Keys of a technique that the method lacks are allowed, since files and scripts serve several methods; who types one may have meant another method.</summary>
    private static void SayWhatHasNoEffect(BuiltConfiguration configuration, ShellHost host)
    {
        string[] idle =
        [
            .. configuration.Origins
                .Where(origin => (origin.Value == "key=value" || origin.Value.StartsWith('-')) && !SettingsModule.concerns(configuration.Settings, origin.Key))
                .Select(origin => origin.Key)
                .Order(StringComparer.Ordinal),
        ];

        if (idle.Length > 0)
        {
            host.Output.WriteLine($"note: {string.Join(", ", idle)} {(idle.Length == 1 ? "has" : "have")} no effect: the agent is {SettingsModule.agent(configuration.Settings)}");
        }
    }
}
