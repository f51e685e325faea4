using NE.Actors.Hosting;
using NE.Actors.RunDirectory;
using NE.Actors.Video;
using NE.Model;
using NE.Shell.Commands;
using NE.Shell.Configuration;
using NE.Shell.Host;
using NE.Shell.Logging;
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
        using var stopped = StoppedRun.Open(command.Runs, command.Name);
        (RunPaths paths, RunInfo info) = (stopped.Paths, stopped.Info);
        JournalPlace? named = JournalAddress.Of(command.Journal, host);

        // NE_JOURNAL says where new runs go; of a run that is there it has the login alone.
        if (command.Journal is not null && named != info.Journal)
        {
            throw new UserError($"the journal of the run '{paths.Name}' is {(info.Journal is { } place ? $"at {place}" : "in its own folder")}; to move it: ne journal copy {paths.Name} --to ...");
        }

        Settings settings = ConfigurationBuilder.Change(stopped.Settings, command.Changes, host.Machine);
        TrainVerb.CheckDrills(command.Drills, settings);
        using ReadyRun ready = stopped.GoOn(settings, new ResumeTerms(command.From, command.OnOtherMuJoCo), host.Prepare);
        await using RunFleet? fleet = await RunFleet.Join(host, command.Fleet, settings, paths.Name, ready.Request.Versions);
        ready.Request = ready.Request with { Drills = command.Drills, Ffmpeg = Ffmpeg.Find(host.SearchPath) };

        foreach (string made in ready.MadeAnew)
        {
            host.Error.WriteLine($"ne: {made}");
        }

        if (ready.Request.Changes.Count > 0)
        {
            Say(host, ready.Request.Changes);
        }

        host.Output.WriteLine($"{paths.Name} goes on from step {Format.Count(ready.FromStep)} of {Format.Count(settings.Run.Steps)}");
        SayWhatIsOther(host, info, ready.Request.Versions);
        Environments.SayWhatIsSpecial(host, ready.Environment);
        await using PageServer? page = await ServeVerb.Beside(command.Presentation.Page, command.Runs, $"#/run/{paths.Name}", host);
        return await RunSession.Execute(host, ready, command.Presentation, fleet);
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
}
