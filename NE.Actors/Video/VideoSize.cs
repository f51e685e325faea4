namespace NE.Actors.Video;

/// <summary>Pixels of a frame.</summary>
public readonly record struct VideoSize(int Width, int Height)
{
    /// <summary>Below this no caption can be read.</summary>
    public const int Least = 32;

    /// <summary>What OpenGL implementations draw into at least, and more than anybody watches.</summary>
    public const int Most = 4096;

    /// <summary>The size that Gymnasium renders.</summary>
    public static readonly VideoSize Default = new(480, 480);

    /// <summary>Of videos while a run trains, which needs its processor for other things.</summary>
    public static readonly VideoSize WhileTraining = new(320, 240);

    /// <summary>Bytes of a frame, three per pixel.</summary>
    public int Bytes => 3 * this.Width * this.Height;

    /// <summary>Reads "640x480"; null when it is no size between <see cref="Least"/> and <see cref="Most"/>.</summary>
    public static VideoSize? Parse(string text) =>
        text.Split('x') is [var left, var right] && Side(left) is { } width && Side(right) is { } height ? new VideoSize(width, height) : null;

    public override string ToString() => $"{this.Width}x{this.Height}";

    private static int? Side(string text) =>
        int.TryParse(text, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var side) && side is >= Least and <= Most
            ? side
            : null;
}
