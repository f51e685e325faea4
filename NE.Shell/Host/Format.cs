using System.Globalization;

namespace NE.Shell.Host;

/// <summary>Numbers as people read them; the same text in every culture.</summary>
public static class Format
{
    private static readonly CultureInfo Invariant = CultureInfo.InvariantCulture;

    /// <summary>12,345,678</summary>
    public static string Count(long value) => value.ToString("N0", Invariant);

    /// <summary>"1 action", "2 actions"</summary>
    /// <param name="noun">In the singular; its plural ends in s.</param>
    public static string Counted(long value, string noun) => $"{Count(value)} {noun}{(value == 1 ? "" : "s")}";

    /// <summary>Bytes in the largest binary unit that keeps the number above 1: "1.5 GiB".</summary>
    public static string Bytes(double bytes)
    {
        string[] units = ["B", "KiB", "MiB", "GiB", "TiB"];
        int unit = 0;

        while (bytes >= 1024 && unit < units.Length - 1)
        {
            bytes /= 1024;
            unit++;
        }

        return bytes.ToString(unit == 0 || bytes >= 100 ? "0" : "0.0", Invariant) + " " + units[unit];
    }

    /// <summary>A rate: three digits or whole numbers, "0" when nothing moves.</summary>
    public static string Rate(double perSecond) =>
        !double.IsFinite(perSecond) ? "-" : perSecond >= 100 ? Count((long)Math.Round(perSecond)) : perSecond.ToString("0.0", Invariant);

    /// <summary>A return or another value that may be missing.</summary>
    public static string Value(double value, string format = "0.0") => double.IsFinite(value) ? value.ToString(format, Invariant) : "-";

    /// <summary>0.253 as "25.3 %".</summary>
    public static string Percent(double fraction) => double.IsFinite(fraction) ? (100 * fraction).ToString("0.0", Invariant) + " %" : "-";

    /// <summary>"43 s", "12 min", "3 h 05 min", "2 d 4 h".</summary>
    public static string Duration(double seconds)
    {
        if (!double.IsFinite(seconds) || seconds < 0 || seconds > 1e9)
        {
            return "-";
        }

        var span = TimeSpan.FromSeconds(Math.Round(seconds));
        return span.TotalMinutes < 2 ? $"{span.TotalSeconds:0} s"
            : span.TotalHours < 1 ? $"{Math.Floor(span.TotalMinutes):0} min"
            : span.TotalDays < 1 ? $"{Math.Floor(span.TotalHours):0} h {span.Minutes:00} min"
            : $"{Math.Floor(span.TotalDays):0} d {span.Hours} h";
    }
}
