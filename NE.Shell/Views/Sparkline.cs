namespace NE.Shell.Views;

/// <summary>A curve in one line of text.</summary>
public static class Sparkline
{
    private const string Levels = "▁▂▃▄▅▆▇█";

    /// <summary>The newest <paramref name="width"/> values scaled between their least and greatest; equal values lie in the middle.</summary>
    public static string Render(IEnumerable<double> values, int width)
    {
        double[] shown = [.. values.Where(double.IsFinite).TakeLast(width)];

        if (shown.Length == 0)
        {
            return "";
        }

        double least = shown.Min();
        double range = shown.Max() - least;
        return string.Concat(shown.Select(value => Levels[range > 0 ? (int)Math.Round((value - least) / range * (Levels.Length - 1)) : 3]));
    }

    /// <summary>A bar of <paramref name="width"/> characters, filled to the fraction.</summary>
    public static string Bar(double fraction, int width)
    {
        int filled = (int)Math.Floor(Math.Clamp(double.IsFinite(fraction) ? fraction : 0, 0, 1) * width);
        return new string('━', filled) + new string('─', width - filled);
    }
}
