using System.Text.Json;
using NE.Actors.Environments;
using NE.Actors.Environments.Catalogue;
using NE.Actors.Evaluation;
using NE.Actors.Video;
using NE.Shell.Commands;
using NE.Shell.Configuration;
using NE.Shell.Host;

namespace NE.Shell.Verbs;

/// <summary>`ne env run`</summary>
internal static class EnvironmentRunVerb
{
    public static ExitCode Run(EnvironmentRunCommand command, ShellHost host)
    {
        if (Environments.Problem(command.Id) is { } problem)
        {
            throw new UserError(problem);
        }

        VideoTarget? target = command.Video is { } file ? VideoFiles.Named(file, command.Size, command.Overwrite, host) : null;
        using IEnvironment environment = command.Pixels ? EnvironmentFactory.CreatePixels(command.Id) : EnvironmentFactory.Create(command.Id);
        using EpisodeVideo? video = target is null ? null : Video(EpisodeVideo.View(environment), target, command);
        RandomPlayResults results = RandomPlay.Run(environment, command.Seed, command.Steps, Watch(video));
        bool unfinished = results.Steps > results.Lengths.Sum(length => (long)length);
        long? frames = command.Pixels ? results.Steps + results.Lengths.Count + (unfinished ? 1 : 0) : null;
        // The last step of an episode may have fewer repeats; for a speed it is as good as whole.
        Say(command, host, results, results.Steps * environment.Spec.ActionRepeat, frames, video, target);
        return ExitCode.Ok;
    }

    private static EpisodeVideo Video(IRenderable view, VideoTarget target, EnvironmentRunCommand command) =>
        new(view, target, [command.Id, "random actions"], episodes: null);

    private static Action<EpisodeMoment>? Watch(EpisodeVideo? video) => video is null ? null : video.Watch;

    private static void Say(
        EnvironmentRunCommand command, ShellHost host, RandomPlayResults results, long controlSteps, long? frames, EpisodeVideo? video, VideoTarget? target)
    {
        video?.Finish();
        double seconds = results.Took.TotalSeconds;
        double mean = results.Returns.Count == 0 ? double.NaN : results.Returns.Average();
        string? file = target is null ? null : Path.GetFullPath(target.Path);

        if (command.Json)
        {
            var json = new
            {
                environment = command.Id,
                pixels = command.Pixels,
                seed = command.Seed,
                steps = results.Steps,
                episodes = results.Returns.Count,
                meanReturn = mean,
                returns = results.Returns,
                lengths = results.Lengths,
                terminations = results.Terminations,
                divergences = results.Divergences,
                controlStepsPerSecond = controlSteps / seconds,
                framesPerSecond = frames / seconds,
                video = file,
                videoFrames = video?.Frames,
                videoSeconds = video?.Seconds,
            };
            host.Output.WriteLine(JsonSerializer.Serialize(json, Json.Options));
            return;
        }

        Spectre.Console.Table table = Tables.Create("", "");
        table.Add("environment", $"{command.Id}{(command.Pixels ? " in pixels" : "")}, random actions, seed {command.Seed}");
        table.Add("steps", Format.Count(results.Steps));
        table.Add("episodes", results.Returns.Count == 0
            ? "none complete; more --steps reach the end of one"
            : $"{Format.Count(results.Returns.Count)} complete, {Format.Value(results.Lengths.Average())} steps each, {Format.Count(results.Terminations)} ended by the task");

        if (results.Divergences > 0)
        {
            table.Add("diverged", $"{Format.Counted(results.Divergences, "episode")} ended because the simulation left the numbers");
        }

        table.Add("mean return", Format.Value(mean));
        table.Add("speed", $"{Format.Rate(controlSteps / seconds)} control steps/s{(frames is { } count ? $"   {Format.Rate(count / seconds)} frames/s" : "")}"
            + (video is null ? "" : "   (the video included)"));

        if (video is not null)
        {
            table.Add("video", $"{file}: {Format.Count(video.Frames)} frames, {Format.Value(video.Seconds)} s");
        }

        Tables.Write(host, table);
    }
}
