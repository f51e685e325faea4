using System.Globalization;
using System.Text;

namespace NE.Shell.Reports;

/// <summary>The newest complete row of a CSV file that another process may be writing.</summary>
public static class LastRow
{
    /// <summary>Far more than two rows of any of our files.</summary>
    private const int Tail = 64 * 1024;

    /// <summary>Numbers by column; empty when there is no row yet. Only the head and the tail of the file are read.</summary>
    public static IReadOnlyDictionary<string, double> Read(string file)
    {
        if (!File.Exists(file))
        {
            return new Dictionary<string, double>();
        }

        using FileStream stream = File.Open(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var reader = new StreamReader(stream, Encoding.UTF8);
        string[] names = (reader.ReadLine() ?? "").Split(',');
        stream.Seek(Math.Max(0, stream.Length - Tail), SeekOrigin.Begin);
        reader.DiscardBufferedData();
        string text = reader.ReadToEnd();
        // What follows the last line end is still being written.
        string[] complete = text[..(text.LastIndexOf('\n') + 1)].Split('\n', StringSplitOptions.RemoveEmptyEntries);
        string[] values = complete.Length == 0 ? [] : complete[^1].TrimEnd('\r').Split(',');
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
