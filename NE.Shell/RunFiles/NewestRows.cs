using System.Globalization;
using System.Text;

namespace NE.Shell.RunFiles;

/// <summary>The newest complete rows of a CSV file that another process may be writing.</summary>
public static class NewestRows
{
    /// <summary>More than ten minutes' rows of any of our files.</summary>
    private const int Tail = 64 * 1024;

    /// <summary>The numbers of the newest row by column; empty when there is no row yet.</summary>
    public static IReadOnlyDictionary<string, double> Last(string file) => Read(file, 1).FirstOrDefault(new Dictionary<string, double>());

    /// <summary>Numbers by column, of so many rows at most, the newest last. Only the head and the tail of the file are read.</summary>
    public static IReadOnlyList<IReadOnlyDictionary<string, double>> Read(string file, int most)
    {
        if (!File.Exists(file))
        {
            return [];
        }

        using FileStream stream = File.Open(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var reader = new StreamReader(stream, Encoding.UTF8);
        string? heading = "";

        // A table that lost its beginning has empty lines there.
        while (heading is "")
        {
            heading = reader.ReadLine();
        }

        heading ??= "";
        // Of a short file, from the heading's line end.
        long from = Math.Max(Encoding.UTF8.GetByteCount(heading), stream.Length - Tail);
        stream.Seek(from, SeekOrigin.Begin);
        reader.DiscardBufferedData();
        string text = reader.ReadToEnd();
        // What is before the first line end is part of a row, and what follows the last one is still being written.
        string[] complete = text.IndexOf('\n', StringComparison.Ordinal) is var first && first >= 0
            ? text[(first + 1)..(text.LastIndexOf('\n') + 1)].Split('\n', StringSplitOptions.RemoveEmptyEntries)
            : [];
        string[] names = heading.Split(',');
        // A short table that lost its beginning has its heading behind empty lines.
        return [.. complete.Where(line => line != heading).TakeLast(most).Select(line => Numbers(names, line.TrimEnd('\r').Split(',')))];
    }

    private static Dictionary<string, double> Numbers(string[] names, string[] values)
    {
        var row = new Dictionary<string, double>();

        for (int column = 0; column < Math.Min(names.Length, values.Length); column++)
        {
            if (double.TryParse(values[column], NumberStyles.Float, CultureInfo.InvariantCulture, out double value))
            {
                row[names[column]] = value;
            }
        }

        return row;
    }
}
