using NE.Actors.Checkpoints;
using NE.Actors.Environments;
using NE.Actors.Journal;
using NE.Actors.MuJoCo;
using NE.Actors.RunDirectory;
using NE.Actors.Runs;
using NE.Actors.Storage;
using NE.Actors.Stores;
using NE.Actors.Video;
using NE.Model;
using NE.Shell.Commands;
using NE.Shell.Configuration;
using NE.Shell.Host;
using NE.Shell.Logging;
using NE.Shell.RunFiles;
using NE.Shell.Running;
using NE.Shell.Serving;

namespace NE.Shell.Verbs;

/// <summary>`ne resume`</summary>
internal static class ResumeVerb
{
    public static async Task<ExitCode> Resume(ResumeCommand command, ShellHost host)
    {
        // A wrong address is said before anything is touched.
        SeqAddress.Of(command.Presentation.Seq, host);
        TelemetryExport.Collector(host);
        RunPaths paths = RunFolder.Find(command.Runs, command.Name);
        DroppedReplay.Refuse(paths, "resumed");
        using RunFolder folder = RunFolder.Open(command.Runs, command.Name);
        SqliteRecovery.Recover(paths);
        StoredRunInfo found = StoredRunInfo.Of(paths);
        RunInfo info = found.Info;
        JournalPlace? named = JournalAddress.Of(command.Journal, host);

        // NE_JOURNAL says where new runs go; of a run that is there it has the login alone.
        if (command.Journal is not null && named != info.Journal)
        {
            throw new UserError($"the journal of the run '{paths.Name}' is {(info.Journal is { } place ? $"at {place}" : "in its own folder")}; to move it: ne journal copy {paths.Name} --to ...");
        }

        var configuration = StoredConfiguration.Read(paths);
        Settings stored = configuration.Settings;
        Settings settings = ConfigurationBuilder.Change(stored, command.Changes, host.Machine);
        // config.yaml is ahead of the journal when a resume with changed keys ended before they were recorded: then this one has to record them.
        Settings recorded = StoredConfiguration.Recorded(paths) ?? stored;
        (string Key, string Old, string New)[] changes = [.. SettingsModule.difference(recorded, settings).Select(change => (change.Item1, change.Item2, change.Item3))];
        long committed = CommittedStep(paths, command);

        // A round may end past run.steps, and the last evaluation may still be to come: only a new length can be too short.
        if (settings.Run.Steps < committed && settings.Run.Steps != stored.Run.Steps)
        {
            throw new UserError(
                $"run.steps = {Format.Count(settings.Run.Steps)} is less than the {Format.Counted(committed, "step")} that the run '{paths.Name}' goes on from, and a run cannot be shortened. "
                + $"Give at least {committed}, or leave it out: its length is {Format.Count(stored.Run.Steps)}");
        }

        // Going back to the checkpoint before gives a complete run something to do.
        if (command.From is ResumeFrom.Latest && JournalReader.IsComplete(paths, settings.Run.Steps))
        {
            throw new UserError($"the run '{paths.Name}' has done all its {Format.Counted(committed, "step")}; to extend it: ne resume {paths.Name} {Longer(settings, committed)}");
        }

        IReadOnlyDictionary<string, string> versions = host.Prepare(settings.Compute);
        bool onOtherMuJoCo = MayHaveOtherMuJoCo(command, paths, settings, info, versions);
        // A missing file or a broken program is said before the run is touched.
        EnvironmentSpec environment = Environments.Describe(settings);
        using IDisposable journal = JournalServer.Hold(paths);
        string yaml = StoredConfiguration.Text(settings);

        foreach (string made in RepairVerb.MakeAnew(paths, found, configuration, writeInfo: false))
        {
            host.Error.WriteLine($"ne: {made}");
        }

        if (changes.Length > 0)
        {
            DurableFile.WriteText(paths.Configuration, yaml);
            Say(host, changes);
        }

        host.Output.WriteLine($"{paths.Name} goes on from step {Format.Count(committed)} of {Format.Count(settings.Run.Steps)}");
        SayWhatIsOther(host, info, versions);
        Environments.SayWhatIsSpecial(host, environment);
        RunRequest request = new()
        {
            Paths = paths,
            Settings = settings,
            ConfigurationText = yaml,
            Versions = versions,
            From = command.From,
            Changes = changes,
            OnOtherMuJoCo = onOtherMuJoCo,
            Drills = command.Drills,
            Ffmpeg = Ffmpeg.Find(host.SearchPath),
        };
        await using PageServer? page = await ServeVerb.Beside(command.Presentation.Page, command.Runs, $"#/run/{paths.Name}", host);
        return await RunSession.Execute(host, request, info, committed, command.Presentation);
    }

    /// <summary>What gives a complete run something to do: more steps, or one more cycle.</summary>
    private static string Longer(Settings settings, long committed)
    {
        if (!TaskCycle.isCycle(settings.Run.Environment))
        {
            return $"--steps {committed * 2}";
        }

        int cycles = settings.Cycle.Cycles + 1;
        return $"cycle.cycles={cycles} --steps {settings.Run.Steps / settings.Cycle.Cycles * cycles}";
    }

    private static void Say(ShellHost host, IReadOnlyList<(string Key, string Old, string New)> changes)
    {
        foreach ((string key, string old, string changed) in changes)
        {
            host.Output.WriteLine($"  {key}: {old} -> {changed}");
        }

        if (changes.Any(change => change.Key == "run.steps"))
        {
            host.Output.WriteLine("  Values derived from the old length (ne.endStep, ne.growInterval ...) stay as they were unless they are given; learner.bufferSize and learner.startSteps stay in any case.");
        }
    }

    /// <summary>Whether episodes of another version of MuJoCo may be given up: when that was asked for, or was in a stretch before whose first commit may
    /// not have come. Throws UserError when the version is another one than before and nobody asked for that.</summary>
    private static bool MayHaveOtherMuJoCo(ResumeCommand command, RunPaths paths, Settings settings, RunInfo info, IReadOnlyDictionary<string, string> versions)
    {
        const string name = "MuJoCo";
        string[] before = [.. info.Stretches.Select(stretch => stretch.Versions.GetValueOrDefault(name)).OfType<string>()];

        if (!command.OnOtherMuJoCo && before is [.., var last] && versions.GetValueOrDefault(name) is { } now && now != last && Environments.AreOnMuJoCo(settings))
        {
            throw new UserError(
                $"the run '{paths.Name}' is on MuJoCo {last}, and the library here is {now}, with which the same actions lead elsewhere. Let MUJOCO_PATH name {last} (unset, it is {MuJoCoLibrary.ReferenceVersion}), "
                + $"or go on with {now}: ne resume {paths.Name} --other-mujoco. Then the episodes under way begin anew, and the run is not the one that stayed on {last}");
        }

        return command.OnOtherMuJoCo || before.Distinct().Skip(1).Any();
    }

    /// <summary>The promise of the same bits is for the same programs and the same engine. The simd engine's bits are those of every width.</summary>
    private static void SayWhatIsOther(ShellHost host, RunInfo info, IReadOnlyDictionary<string, string> versions)
    {
        if (info.Stretches is not [.., { Versions: var before }])
        {
            return;
        }

        static bool IsSimd(string engine) => engine.StartsWith("simd", StringComparison.Ordinal);
        string[] other =
        [
            .. from version in versions
               let old = before.GetValueOrDefault(version.Key)
               where old is not null && old != version.Value && !(IsSimd(old) && IsSimd(version.Value))
               select $"{version.Key} {old} -> {version.Value}",
        ];

        if (other.Length > 0)
        {
            host.Output.WriteLine($"  other than before: {string.Join(", ", other)}. From here on it need not be, bit for bit, the run that never stopped.");
        }
    }

    /// <summary>Step of the checkpoint that the run goes on from; 0 when it was killed before its first.</summary>
    private static long CommittedStep(RunPaths paths, ResumeCommand command)
    {
        using JournalReader? journal = JournalReader.TryOpen(paths);
        IReadOnlyList<CheckpointManifest> checkpoints = journal?.Manifests() ?? [];

        if (command.From is ResumeFrom.Previous)
        {
            return checkpoints switch
            {
                [_, var previous, ..] => previous.Step,
                [var only] => throw new UserError(
                    $"the run '{paths.Name}' has one checkpoint alone, of step {Format.Count(only.Step)}, so there is no previous one; to go on from it: ne resume {paths.Name}"),
                _ => throw new UserError($"the run '{paths.Name}' has no checkpoint yet; to begin it: ne resume {paths.Name}"),
            };
        }

        return checkpoints.FirstOrDefault()?.Step ?? 0;
    }
}
