using System.Globalization;
using NE.Actors.Environments;
using NE.Actors.Environments.Catalogue;
using NE.Actors.Evaluation;

namespace NE.Actors.Video;

/// <summary>Films the episodes of an environment: step, reward and return are written into every frame. Used on the environment's thread.</summary>
public sealed class EpisodeVideo : IDisposable
{
    private static readonly CultureInfo invariant = CultureInfo.InvariantCulture;

    private readonly IRenderable view;
    private readonly IVideoFile file;
    private readonly VideoTarget target;
    private readonly VideoTiming timing;
    private readonly IReadOnlyList<string> title;
    private readonly int? episodes;
    private readonly byte[] frame;

    /// <param name="view">What is filmed.</param>
    /// <param name="title">What stands at the top of frames that are large enough, with the episode.</param>
    /// <param name="episodes">How many there will be, null when that is not known; unless it is one, frames say which it is.</param>
    /// <exception cref="VideoException">The file cannot be written.</exception>
    public EpisodeVideo(IRenderable view, VideoTarget target, IReadOnlyList<string> title, int? episodes)
    {
        this.timing = VideoTiming.Of(view.SecondsPerStep);
        (this.view, this.target, this.title, this.episodes) = (view, target, title, episodes);
        this.frame = new byte[target.Size.Bytes];
        this.file = target.Create(this.timing.SecondsPerFrame);
    }

    public int Frames => this.file.Frames;

    /// <summary>Length of the video.</summary>
    public double Seconds => this.file.Frames * this.timing.SecondsPerFrame;

    /// <summary>The environment as something that can be looked at.</summary>
    /// <exception cref="VideoException">It does not render.</exception>
    public static IRenderable View(IEnvironment environment)
    {
        // Other bounds and widths do not change what is seen.
        IEnvironment own = environment is PaddedEnvironment padded ? padded.Inner : environment;
        IEnvironment seen = own is RescaledEnvironment rescaled ? rescaled.Inner : own;
        return seen is IRenderable { Renders: true } view ? view : throw new VideoException($"{environment.Spec.Id} cannot be recorded: it does not render.");
    }

    /// <summary>Takes a picture of the environment if the moment is one that is shown: the first, the last, and those in between at most 60
    /// times a second.</summary>
    /// <exception cref="Rendering.RendererUnavailableException">This machine cannot draw.</exception>
    public void Watch(EpisodeMoment moment)
    {
        if (moment.Step % this.timing.Stride != 0 && !moment.IsLast)
        {
            return;
        }

        this.view.Render(this.target.Size.Width, this.target.Size.Height, this.frame);
        Caption.Draw(this.frame, this.target.Size, this.Heading(moment), Items(moment));
        this.file.Add(this.frame);
    }

    /// <summary>Completes the file.</summary>
    public void Finish() => this.file.Finish();

    /// <summary>Without <see cref="Finish"/> there is no file.</summary>
    public void Dispose() => this.file.Dispose();

    private IReadOnlyList<string> Heading(EpisodeMoment moment) => this.episodes switch
    {
        1 => this.title,
        { } all => [.. this.title, $"episode {moment.Episode + 1}/{all}"],
        null => [.. this.title, $"episode {moment.Episode + 1}"],
    };

    /// <summary>With room for a sign and a few digits: text that comes and goes would move what stands behind it.</summary>
    private static string[] Items(EpisodeMoment moment) =>
    [
        string.Create(invariant, $"step {moment.Step,-4}"),
        string.Create(invariant, $"reward {moment.Reward,5:0.00}"),
        string.Create(invariant, $"return {moment.Return,6:0.0}"),
    ];
}
