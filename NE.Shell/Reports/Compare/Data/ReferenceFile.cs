using System.Globalization;
using NE.Shell.Host;
using NE.Shell.RunFiles;

namespace NE.Shell.Reports.Compare.Data;

/// <summary>The seeds of one algorithm on one environment, as a reference file has them.</summary>
/// <param name="Algorithm">Its name there.</param>
/// <param name="Environment">Id of the environment.</param>
/// <param name="Seeds">Return over environment steps, one curve per seed, none of them empty.</param>
public sealed record ReferenceCurves(string Algorithm, string Environment, IReadOnlyList<Curve> Seeds);

/// <summary>Learning curves that others published, or that another report wrote: a row per algorithm, environment, seed and step.</summary>
/// <param name="Path">As it was given.</param>
/// <param name="Curves">In the order of the file.</param>
public sealed record ReferenceFile(string Path, IReadOnlyList<ReferenceCurves> Curves)
{
    /// <summary>What the file must have, in any order; other columns mean nothing.</summary>
    public static readonly string[] Columns = ["algorithm", "environment", "seed", "step", "return"];

    /// <summary>Longer texts of a file are cut in messages.</summary>
    private const int MostShown = 100;

    /// <summary>Ids of the environments.</summary>
    public IReadOnlyList<string> Environments => [.. this.Curves.Select(curves => curves.Environment).Distinct()];

    /// <summary>Reads a file as a whole, or not at all.</summary>
    /// <exception cref="UserError">It cannot be read, or is not such a table; the message names file and line.</exception>
    public static ReferenceFile Read(string path)
    {
        if (!File.Exists(path))
        {
            throw new UserError($"--reference {path}: expected a CSV file, found {(Directory.Exists(path) ? "a folder" : "nothing there")}; give the path of a file");
        }

        try
        {
            using FileStream stream = File.Open(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            using var reader = new StreamReader(stream);
            return Parse(reader.ReadToEnd(), path);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new UserError($"--reference {path} cannot be read: {problem.Message}");
        }
    }

    /// <summary>The same of a text.</summary>
    public static ReferenceFile Parse(string text, string path)
    {
        var seeds = new Dictionary<(string Algorithm, string Environment), Dictionary<double, SortedList<double, (double Return, int Line)>>>();

        try
        {
            Dictionary<string, int>? columns = null;
            int width = 0;

            foreach (CsvRecord record in new CsvRecords(text).Read())
            {
                if (columns is null)
                {
                    (columns, width) = (Heading(record, path), record.Fields.Count);
                    continue;
                }

                if (record.Fields.Count != width)
                {
                    throw Wrong(path, record, $"expected {width} fields as in the header, found {record.Fields.Count}; a text with a comma needs quotes");
                }

                Add(new Row(path, record, columns), seeds);
            }

            if (columns is null)
            {
                throw new UserError($"--reference {path}: expected a CSV file with the columns {string.Join(", ", Columns)}, found an empty file");
            }
        }
        catch (FormatException problem)
        {
            throw new UserError($"--reference {path}, {problem.Message}");
        }

        return seeds.Count > 0
            ? new(path, [.. seeds.Select(of => new ReferenceCurves(of.Key.Algorithm, of.Key.Environment, [.. of.Value.Values.Select(Curve)]))])
            : throw new UserError($"--reference {path}: expected a row below the header, found none");
    }

    private static Dictionary<string, int> Heading(CsvRecord record, string path)
    {
        string[] names = [.. record.Fields.Select(field => field.Trim())];

        if (Columns.Except(names).ToArray() is { Length: > 0 } missing)
        {
            throw Wrong(
                path, record, $"expected the columns {string.Join(", ", Columns)}, found {Shown(string.Join(", ", names))}; missing: {string.Join(", ", missing)}");
        }

        return Columns.FirstOrDefault(column => names.Count(name => name == column) > 1) is { } twice
            ? throw Wrong(path, record, $"expected the column {twice} once, found it {names.Count(name => name == twice)} times; rename the others")
            : Columns.ToDictionary(column => column, column => Array.IndexOf(names, column));
    }

    private static void Add(Row row, Dictionary<(string Algorithm, string Environment), Dictionary<double, SortedList<double, (double Return, int Line)>>> all)
    {
        (string algorithm, string environment) = (row.Name("algorithm"), row.Name("environment"));
        double seed = row.Number("seed", "a whole number", number => number == Math.Floor(number));
        double step = row.Number("step", "a number that is not negative", number => number >= 0);
        double height = row.Number("return", "a number", _ => true);

        if (!all.TryGetValue((algorithm, environment), out Dictionary<double, SortedList<double, (double Return, int Line)>>? seeds))
        {
            all.Add((algorithm, environment), seeds = []);
        }

        if (!seeds.TryGetValue(seed, out SortedList<double, (double Return, int Line)>? points))
        {
            seeds.Add(seed, points = []);
        }

        if (!points.TryAdd(step, (height, row.Record.Line)))
        {
            throw Wrong(
                row.Path,
                row.Record,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"expected one row for {Shown(algorithm)} on {Shown(environment)}, seed {seed}, step {step}, found a second one (the first is on line {points[step].Line}); remove one of them"));
        }
    }

    private static Curve Curve(SortedList<double, (double Return, int Line)> points) => new([.. points.Keys], [.. points.Values.Select(point => point.Return)]);

    private static UserError Wrong(string path, CsvRecord record, string what) => new($"--reference {path}, line {record.Line}: {what}");

    /// <summary>Text of a file that may be anything, for a line of a terminal.</summary>
    private static string Shown(string text) => string.Concat(ReportText.Shortened(text, MostShown).Select(letter => char.IsControl(letter) ? '?' : letter));

    /// <summary>A record below the header.</summary>
    private sealed record Row(string Path, CsvRecord Record, Dictionary<string, int> Columns)
    {
        public string Name(string column)
        {
            string name = this.Text(column);
            return name.Length == 0 ? throw this.Unexpected(column, "a name")
                : name.Any(char.IsControl) ? throw this.Unexpected(column, "a name without control characters")
                : name;
        }

        public double Number(string column, string expected, Func<double, bool> isValid) =>
            double.TryParse(this.Text(column), NumberStyles.Float, CultureInfo.InvariantCulture, out double number) && double.IsFinite(number) && isValid(number)
                ? number
                : throw this.Unexpected(column, expected);

        private string Text(string column) => this.Record.Fields[this.Columns[column]].Trim();

        private UserError Unexpected(string column, string expected) => Wrong(
            this.Path,
            this.Record,
            $"expected {expected} in the column {column}, found {(this.Text(column) is { Length: > 0 } found ? $"'{Shown(found)}'" : "nothing")}; correct the row or leave it out");
    }
}
