using System.Text.Json;
using NE.Actors.Cast;
using NE.Actors.Configuration;
using NE.Actors.Environments;
using NE.Actors.Evaluation;
using NE.Actors.Hosting;
using NE.Actors.RunDirectory;
using NE.Actors.Video;
using NE.Model.Networks;
using NE.Shell.Commands;
using NE.Shell.Host;
using NE.Shell.Views;

namespace NE.Shell.Verbs;

/// <summary>`ne record`</summary>
internal static class RecordVerb
{
    private static readonly TimeSpan ProgressInterval = TimeSpan.FromSeconds(2);

    public static ExitCode Record(RecordCommand command, ShellHost host)
    {
        RunPaths paths = RunFolder.Find(command.Runs, command.Name);
        RunInfo info = StoredRunInfo.Of(paths).Info;
        (long step, Policy policy, _) = StoredPolicy.Load(paths, command.Checkpoint);
        VideoTarget target = Target(command, paths, step, host);
        host.Prepare(null, draws: false);
        using IEnvironment environment = StoredPolicy.Environment(paths, info, step);
        StoredPolicy.RequireFit(policy, paths, environment.Spec);
        VerbNotes.SayIfChanged(paths, info, environment.Spec, host);
        using var video = new EpisodeVideo(EpisodeVideo.View(environment), target, VideoActor.Title(paths.Name, step), command.Episodes);
        long shown = host.Clock.GetTimestamp();
        host.Error.WriteLine($"recording {command.Episodes} {(command.Episodes == 1 ? "episode" : "episodes")} of {environment.Spec.Id}, the policy of step {Format.Count(step)}");
        EpisodeResults results = EpisodeRunner.Run(environment, policy, info.Seed, command.Episodes, moment =>
        {
            video.Watch(moment);

            if (host.Clock.GetElapsedTime(shown) >= ProgressInterval)
            {
                host.Error.WriteLine($"episode {moment.Episode + 1} of {command.Episodes}, step {Format.Count(moment.Step)}");
                shown = host.Clock.GetTimestamp();
            }
        }, StoredPolicy.LongestEpisode(paths, environment.Spec));
        video.Finish();
        Say(command, host, new Recording(paths.Name, environment.Spec.Id, step, Path.GetFullPath(target.Path), target.Size, video), results);
        return ExitCode.Ok;
    }

    private static VideoTarget Target(RecordCommand command, RunPaths paths, long step, ShellHost host)
    {
        if (command.File is { } file)
        {
            return VideoFiles.Named(file, command.Size, command.Overwrite, host);
        }

        // A video of the same policy may be made again.
        string? ffmpeg = Ffmpeg.Find(host.SearchPath);
        return new VideoTarget(paths.VideoOf(step, VideoTarget.Ending(ffmpeg)), command.Size, ffmpeg);
    }

    private static void Say(RecordCommand command, ShellHost host, Recording made, EpisodeResults results)
    {
        double mean = results.Returns.Average();

        if (command.Json)
        {
            var json = new
            {
                run = made.Run,
                environment = made.Environment,
                step = made.Step,
                episodes = command.Episodes,
                mean,
                returns = results.Returns,
                lengths = results.Lengths,
                file = made.File,
                width = made.Size.Width,
                height = made.Size.Height,
                frames = made.Video.Frames,
                seconds = made.Video.Seconds,
            };
            host.Output.WriteLine(JsonSerializer.Serialize(json, Json.Options));
            return;
        }

        Tables.Write(host, EpisodeTable.Of(results));
        host.Output.WriteLine($"{made.File}: {Format.Count(made.Video.Frames)} frames, {Format.Value(made.Video.Seconds)} s, mean return {Format.Value(mean)}");
    }

    private sealed record Recording(string Run, string Environment, long Step, string File, VideoSize Size, EpisodeVideo Video);
}
