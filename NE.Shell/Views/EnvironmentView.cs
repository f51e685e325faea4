using System.Globalization;
using NE.Actors.Environments;
using NE.Actors.Environments.Catalogue;
using NE.Model.Replay;
using NE.Model.Tasks;
using NE.Shell.Host;

namespace NE.Shell.Views;

/// <summary>An environment as `ne env list` and `ne env show` print it, as a state or as pictures.</summary>
/// <param name="Id">The task's id.</param>
/// <param name="Description">What the agent has to do; like everything else that can be null, not known of plug-ins and programs.</param>
/// <param name="Source">Where the definition comes from.</param>
/// <param name="Robot">The model.</param>
/// <param name="ObservationSize">Numbers in an observation; null in the form of pictures.</param>
/// <param name="Pixels">The form of pictures; null in that of a state.</param>
/// <param name="ActionSize">Numbers in an action.</param>
/// <param name="ActionLow">Lower bounds of the action.</param>
/// <param name="ActionHigh">Upper bounds of the action.</param>
/// <param name="RewardTerms">What the reward is the sum of.</param>
/// <param name="Reward">The reward as a formula in words.</param>
/// <param name="Termination">When the task terminates, in words.</param>
/// <param name="TimeLimit">Steps of the agent after which an episode is truncated; null for none.</param>
/// <param name="SecondsPerStep">Simulated time of a step of the agent.</param>
/// <param name="Physics">How a step is made.</param>
/// <param name="Camera">From where it is looked at.</param>
internal sealed record EnvironmentView(
    string Id,
    string? Description,
    string? Source,
    string? Robot,
    int? ObservationSize,
    PixelForm? Pixels,
    int ActionSize,
    float[] ActionLow,
    float[] ActionHigh,
    string[]? RewardTerms,
    string? Reward,
    string? Termination,
    int? TimeLimit,
    double? SecondsPerStep,
    string? Physics,
    string? Camera)
{
    private static readonly CultureInfo Invariant = CultureInfo.InvariantCulture;

    /// <summary>Of any id. Throws what <see cref="Failures"/> expects; unknown ids are the caller's matter.</summary>
    public static EnvironmentView Of(string id, bool pixels)
    {
        if (pixels)
        {
            // Refuses what cannot be observed as pictures.
            _ = EnvironmentFactory.DescribePixels(id, PixelDefaults.Shape, PixelDefaults.ActionRepeat);
        }

        return EnvironmentFactory.TaskOf(id) is { } info ? Of(info, pixels) : Of(EnvironmentFactory.Describe(id));
    }

    public static EnvironmentView Of(TaskInfo info, bool pixels)
    {
        int repeat = pixels ? PixelDefaults.ActionRepeat : 1;
        return new EnvironmentView(
            info.Id,
            info.Description,
            info.Source,
            info.Robot,
            pixels ? null : info.ObservationSize,
            pixels ? PixelForm.Default : null,
            info.ActionSize,
            info.ActionLow,
            info.ActionHigh,
            info.RewardTerms,
            info.Reward,
            info.Termination,
            Limit(info.TimeLimit, repeat),
            Rounded(repeat * info.ControlTimestep),
            Text($"{info.FrameSkip} physics steps of {info.Timestep} s, stepped as {(info.Stepping.IsControlSuite ? "dm_control does" : "Gymnasium does")}"),
            Describe(info.Camera));
    }

    private static EnvironmentView Of(EnvironmentSpec spec)
    {
        EnvironmentSpec own = spec.Native ?? spec;
        return new EnvironmentView(
            spec.Id, null, null, null, own.ObservationSize, null, own.ActionSize, own.ActionLow, own.ActionHigh, null, null, null, Limit(own.TimeLimit, 1), null, null, null);
    }

    private static int? Limit(int steps, int repeat) => steps == EnvironmentSpec.NoTimeLimit ? null : (steps + repeat - 1) / repeat;

    /// <summary>Simulated time of the longest episode; null where it is not known.</summary>
    public double? LongestSeconds => this.TimeLimit * this.SecondsPerStep;

    /// <summary>"17 numbers", "3 frames of 84x84x3".</summary>
    public string Observation => this.Pixels is { } form
        ? $"{Format.Counted(form.Frames, "frame")} of {form.Width}x{form.Height}x3"
        : Numbers(this.ObservationSize ?? 0);

    /// <summary>"1 number", "17 numbers".</summary>
    public static string Numbers(int count) => Format.Counted(count, "number");

    /// <summary>"[-1, 1]", or one range per number where they differ.</summary>
    public string ActionRange
    {
        get
        {
            string[] ranges = [.. this.ActionLow.Zip(this.ActionHigh, (low, high) => Text($"[{low}, {high}]"))];
            return ranges.Distinct().Count() == 1 ? ranges[0] : string.Join(" ", ranges);
        }
    }

    /// <summary>A product such as 4 x 0.002 without the digits that binary numbers add.</summary>
    private static double Rounded(double seconds) => Math.Round(seconds, 9);

    private static string Describe(Camera camera) => camera switch
    {
        Camera.Fixed model => Text($"number {model.index} of the model"),
        Camera.Tracking follows => Text(
            $"follows body {follows.body} from {follows.distance} m, azimuth {follows.azimuth}, elevation {follows.elevation} degrees"),
        Camera.Free free => Text(
            $"looks at ({free.x}, {free.y}, {free.z}) from {free.distance} m, azimuth {free.azimuth}, elevation {free.elevation} degrees"),
        _ => camera.ToString(),
    };

    private static string Text(FormattableString text) => text.ToString(Invariant);
}

/// <summary>An observation of pictures.</summary>
/// <param name="Width">Pixels in a row.</param>
/// <param name="Height">Rows.</param>
/// <param name="Frames">Frames in an observation, three bytes per pixel each.</param>
/// <param name="ActionRepeat">Control steps per step of the agent.</param>
internal sealed record PixelForm(int Width, int Height, int Frames, int ActionRepeat)
{
    public static PixelForm Default
    {
        get
        {
            PixelShape shape = PixelDefaults.Shape;
            return new PixelForm(shape.Width, shape.Height, shape.Stack, PixelDefaults.ActionRepeat);
        }
    }
}
