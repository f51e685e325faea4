namespace NE.Actors.Video;

/// <summary>Which steps become frames, so that playback is in real time and no player is asked for too much.</summary>
/// <param name="Stride">Every so many steps there is a frame.</param>
/// <param name="SecondsPerFrame">Time that a frame is shown.</param>
public readonly record struct VideoTiming(int Stride, double SecondsPerFrame)
{
    /// <summary>Screens show 60 pictures a second; more would be dropped by the player.</summary>
    private const double MostFramesPerSecond = 60;

    /// <summary>Of steps whose time is not known.</summary>
    private const double StepsPerSecond = 30;

    /// <summary>For steps that are so many seconds apart; null takes 30 steps for a second.</summary>
    public static VideoTiming Of(double? known)
    {
        var secondsPerStep = known ?? 1 / StepsPerSecond;
        if (!(secondsPerStep > 0) || !double.IsFinite(secondsPerStep))
        {
            throw new VideoException($"Expected the seconds between two steps, found {secondsPerStep}; an environment that renders must say them.");
        }

        // A step of 1/60 s, written with a few digits, is one frame.
        var stride = Math.Max(1, (int)Math.Ceiling((1 / secondsPerStep / MostFramesPerSecond) - 1e-3));
        return new VideoTiming(stride, stride * secondsPerStep);
    }
}
