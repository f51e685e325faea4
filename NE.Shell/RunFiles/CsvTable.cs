using System.Globalization;

namespace NE.Shell.RunFiles;

/// <summary>A CSV table of a run as it is now; another process may be writing it. What follows the last line end is left out.</summary>
public sealed class CsvTable
{
    /// <summary>Letters that are read at a time.</summary>
    private const int Block = 64 * 1024;

    private readonly string[] names;
    private readonly Dictionary<string, double[]> numbers;
    private readonly Dictionary<string, string[]> texts;

    private CsvTable(string[] names, Dictionary<string, double[]> numbers, Dictionary<string, string[]> texts, int rows)
    {
        this.names = [.. names.Where(name => name.Length > 0).Distinct()];
        (this.numbers, this.texts, this.Rows) = (numbers, texts, rows);
    }

    /// <summary>What is kept of a column.</summary>
    private enum Kind
    {
        Nothing,
        Numbers,
        Texts,
    }

    /// <summary>A table without columns and rows.</summary>
    public static CsvTable Empty { get; } = new([], [], [], 0);

    /// <summary>Names in the order of the file, also of columns that were not asked for.</summary>
    public IEnumerable<string> Columns => this.names;

    /// <summary>Number of rows.</summary>
    public int Rows { get; }

    /// <summary>Reads all of a file as text; a file that is not there, or has no complete line yet, is <see cref="Empty"/>.</summary>
    public static CsvTable Read(string file) => Read(file, _ => Kind.Texts);

    /// <summary>The same of some columns alone, most of them as numbers: a long table takes eight bytes for each of their fields, and nothing for the others.</summary>
    /// <param name="file">It may not be there.</param>
    /// <param name="isNumber">Whether a column is wanted as numbers.</param>
    /// <param name="texts">Columns that are wanted as text.</param>
    public static CsvTable Read(string file, Func<string, bool> isNumber, params IReadOnlyList<string> texts) =>
        Read(file, name => texts.Contains(name) ? Kind.Texts : isNumber(name) ? Kind.Numbers : Kind.Nothing);

    /// <summary>All of a text.</summary>
    public static CsvTable Parse(string text) => Parse(new StringReader(text), _ => Kind.Texts);

    public bool Has(string column) => this.names.Contains(column);

    /// <summary>A field's text; empty where the row or the column lacks it.</summary>
    /// <exception cref="InvalidOperationException">The file has the column, but it was not asked for as text.</exception>
    public string Text(int row, string column) => this.texts.TryGetValue(column, out string[]? fields) ? fields[row] : this.Without(column, "");

    /// <summary>A field as a number; NaN where it is empty, missing or no number.</summary>
    /// <exception cref="InvalidOperationException">The file has the column, but it was not asked for.</exception>
    public double Number(int row, string column) =>
        this.numbers.TryGetValue(column, out double[]? values) ? values[row]
        : this.texts.TryGetValue(column, out string[]? fields) ? Number(fields[row])
        : this.Without(column, double.NaN);

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

    private static CsvTable Read(string file, Func<string, Kind> kindOf)
    {
        if (!File.Exists(file))
        {
            return Empty;
        }

        using FileStream stream = File.Open(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        using var reader = new StreamReader(stream);
        return Parse(reader, kindOf);
    }

    private static CsvTable Parse(TextReader text, Func<string, Kind> kindOf)
    {
        string? heading = null;
        string[] names = [];
        Column?[] columns = [];
        int rows = 0;

        foreach (string line in Lines(text))
        {
            // A table that was repaired has its heading once more.
            if (line == heading)
            {
                continue;
            }

            if (heading is null)
            {
                (heading, names) = (line, line.Split(','));
                columns = [.. names.Select((name, index) => name.Length > 0 && Array.IndexOf(names, name) == index ? Column.Of(kindOf(name)) : null)];
                continue;
            }

            Add(line, columns);
            rows++;
        }

        (string Name, Column? Kept)[] all = [.. names.Zip(columns)];
        return heading is null
            ? Empty
            : new(
                names,
                all.Where(column => column.Kept?.Numbers is not null).ToDictionary(column => column.Name, column => column.Kept!.Numbers!.ToArray()),
                all.Where(column => column.Kept?.Texts is not null).ToDictionary(column => column.Name, column => column.Kept!.Texts!.ToArray()),
                rows);
    }

    private static void Add(ReadOnlySpan<char> line, Column?[] columns)
    {
        foreach (Column? column in columns)
        {
            int comma = line.IndexOf(',');
            column?.Add(comma < 0 ? line : line[..comma]);
            line = comma < 0 ? [] : line[(comma + 1)..];
        }
    }

    /// <summary>The complete lines that are not empty, one at a time: a long table is never in the memory as a whole.</summary>
    private static IEnumerable<string> Lines(TextReader text)
    {
        char[] block = new char[Block];
        string begun = "";

        for (int length = text.ReadBlock(block, 0, Block); length > 0; length = text.ReadBlock(block, 0, Block))
        {
            string[] parts = (begun + new string(block, 0, length)).Split('\n');
            begun = parts[^1];

            foreach (string line in parts[..^1].Select(part => part.TrimEnd('\r')).Where(line => line.Length > 0))
            {
                yield return line;
            }
        }
    }

    private static double Number(ReadOnlySpan<char> field) =>
        double.TryParse(field, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) ? value : double.NaN;

    private T Without<T>(string column, T nothing) =>
        this.names.Contains(column) ? throw new InvalidOperationException($"the column {column} was not asked for when the table was read") : nothing;

    /// <summary>What is kept of a column so far.</summary>
    private sealed record Column(List<double>? Numbers, List<string>? Texts)
    {
        public static Column? Of(Kind kind) => kind switch
        {
            Kind.Numbers => new([], null),
            Kind.Texts => new(null, []),
            _ => null,
        };

        public void Add(ReadOnlySpan<char> field)
        {
            this.Numbers?.Add(Number(field));

            if (this.Texts is { } texts)
            {
                // Names come in stretches: those of a stretch are one text.
                texts.Add(texts.Count > 0 && field.SequenceEqual(texts[^1]) ? texts[^1] : field.ToString());
            }
        }
    }
}
