using System.Globalization;

namespace NE.Shell.RunFiles;

/// <summary>A CSV table of a run as it is now; another process may be writing it. What follows the last line end is left out.</summary>
public sealed class CsvTable
{
    private readonly Dictionary<string, int> columns;
    private readonly List<string[]> rows;

    private CsvTable(string[] names, List<string[]> rows)
    {
        this.columns = names.Select((name, index) => (name, index)).Where(pair => pair.name.Length > 0).DistinctBy(pair => pair.name).ToDictionary(pair => pair.name, pair => pair.index);
        this.rows = rows;
    }

    /// <summary>A table without columns and rows.</summary>
    public static CsvTable Empty { get; } = new([], []);

    /// <summary>Names in the order of the file.</summary>
    public IEnumerable<string> Columns => this.columns.OrderBy(pair => pair.Value).Select(pair => pair.Key);

    /// <summary>Number of rows.</summary>
    public int Rows => this.rows.Count;

    /// <summary>Reads a file; a file that is not there, or has no complete line yet, is <see cref="Empty"/>.</summary>
    public static CsvTable Read(string file)
    {
        if (!File.Exists(file))
        {
            return Empty;
        }

        using FileStream stream = File.Open(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        using var reader = new StreamReader(stream);
        return Parse(reader.ReadToEnd());
    }

    /// <summary>The same of a text.</summary>
    public static CsvTable Parse(string text)
    {
        string[] lines = text[..(text.LastIndexOf('\n') + 1)].Split('\n', StringSplitOptions.RemoveEmptyEntries);
        return lines.Length == 0
            ? Empty
            : new CsvTable(lines[0].TrimEnd('\r').Split(','), [.. lines.Skip(1).Select(line => line.TrimEnd('\r').Split(','))]);
    }

    public bool Has(string column) => this.columns.ContainsKey(column);

    /// <summary>A field's text; empty where the row or the column lacks it.</summary>
    public string Text(int row, string column) =>
        this.columns.TryGetValue(column, out int index) && index < this.rows[row].Length ? this.rows[row][index] : "";

    /// <summary>A field as a number; NaN where it is empty, missing or no number.</summary>
    public double Number(int row, string column) =>
        double.TryParse(this.Text(row, column), NumberStyles.Float, CultureInfo.InvariantCulture, out double value) ? value : double.NaN;

    /// <summary>A curve: the finite values of a column over the finite values of another, where these rise. Of two rows at the same step the later counts.</summary>
    public Curve Curve(string step, string value)
    {
        var points = new List<(double Step, double Value)>();

        for (int row = 0; row < this.Rows; row++)
        {
            (double at, double height) = (this.Number(row, step), this.Number(row, value));

            if (!double.IsFinite(at) || !double.IsFinite(height))
            {
                continue;
            }

            if (points.Count > 0 && points[^1].Step == at)
            {
                points[^1] = (at, height);
            }
            else if (points.Count == 0 || points[^1].Step < at)
            {
                points.Add((at, height));
            }
        }

        return new Curve([.. points.Select(point => point.Step)], [.. points.Select(point => point.Value)]);
    }
}
