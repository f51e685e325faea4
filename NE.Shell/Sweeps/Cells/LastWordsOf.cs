namespace NE.Shell.Sweeps.Cells;

/// <summary>The error that a process ended with, as its log shows it.</summary>
internal static class LastWordsOf
{
    /// <summary>Far more than any message of ours.</summary>
    private const int Tail = 16 * 1024;

    private const int Longest = 400;

    /// <summary>The last message of `ne:` with the lines that belong to it, else the last line; empty when nothing was said.</summary>
    /// <param name="log">The log.</param>
    /// <param name="from">Bytes of it that older processes wrote.</param>
    public static string Log(string log, long from)
    {
        if (!File.Exists(log))
        {
            return "";
        }

        using FileStream stream = File.Open(log, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        stream.Seek(Math.Max(from, stream.Length - Tail), SeekOrigin.Begin);
        using var reader = new StreamReader(stream);
        string[] lines = [.. reader.ReadToEnd().Split('\n').Select(line => line.TrimEnd()).Where(line => line.Length > 0)];
        int message = Array.FindLastIndex(lines, line => line.StartsWith("ne: ", StringComparison.Ordinal));
        string text = message >= 0 ? string.Join(' ', lines[message..].Select(line => line.Trim()))["ne: ".Length..] : lines.LastOrDefault("").Trim();
        return text.Length <= Longest ? text : text[..Longest] + " ...";
    }
}
