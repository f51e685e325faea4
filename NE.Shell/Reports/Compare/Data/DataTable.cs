using System.Globalization;
using System.Text;

namespace NE.Shell.Reports.Compare.Data;

/// <summary>Named columns of text: the data beside a figure, or a table of the report.</summary>
/// <param name="Name">File name without ending.</param>
/// <param name="Title">One line above the table.</param>
/// <param name="Columns">Headings.</param>
public sealed record DataTable(string Name, string Title, params string[] Columns)
{
    private readonly List<string[]> rows = [];

    public IReadOnlyList<string[]> Rows => this.rows;

    /// <summary>What is to be said below the table.</summary>
    public string? Note { get; init; }

    /// <summary>Adds a row; numbers are written so that reading them back gives the same number, NaN as nothing.</summary>
    public void Add(params object?[] values)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(values.Length, this.Columns.Length);
        this.rows.Add([.. values.Select(Text)]);
    }

    /// <summary>As CSV (RFC 4180, line ends of Unix).</summary>
    public string Csv() => string.Concat(this.rows.Prepend(this.Columns).Select(row => string.Join(',', row.Select(Quoted)) + "\n"));

    /// <summary>As a Markdown table.</summary>
    public string Markdown()
    {
        var text = new StringBuilder();
        text.Append(Line(this.Columns)).Append(Line(this.Columns.Select(_ => "---")));

        foreach (string[] row in this.rows)
        {
            text.Append(Line(row));
        }

        return text.ToString();
    }

    private static string Text(object? value) => value switch
    {
        null => "",
        double number => double.IsNaN(number) ? "" : number.ToString("R", CultureInfo.InvariantCulture),
        IFormattable other => other.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString() ?? "",
    };

    private static string Quoted(string field) =>
        field.AsSpan().IndexOfAny(",\"\r\n") < 0 ? field : $"\"{field.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    private static string Line(IEnumerable<string> cells) =>
        "| " + string.Join(" | ", cells.Select(cell => cell.Replace("|", "\\|", StringComparison.Ordinal).Replace("\n", " ", StringComparison.Ordinal))) + " |\n";
}
