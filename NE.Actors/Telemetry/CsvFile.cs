using System.Globalization;
using System.Text;
using NE.Actors.Storage;

namespace NE.Actors.Telemetry;

/// <summary>A CSV table that only grows and can be cut back to its length at a checkpoint. The first row names the columns.</summary>
public sealed class CsvFile : IDisposable
{
    private readonly string path;
    private readonly GrowingFile file;

    /// <summary>Names the columns of the table as it was found; null for a new one.</summary>
    private readonly string[]? found;
    private string? header;

    /// <param name="path">Where it is.</param>
    /// <param name="mark">What belongs to the run so far; what lies behind is cut off. <see cref="FileMark.Nothing"/> begins the file.</param>
    /// <exception cref="DamagedCheckpointException">The file does not begin with these bytes.</exception>
    public CsvFile(string path, FileMark mark)
    {
        this.path = path;
        this.file = new GrowingFile(path, mark);
        this.header = mark.Length > 0 ? File.ReadLines(path).FirstOrDefault(line => line.Length > 0) : null;
        this.found = this.header?.Split(',');
    }

    /// <summary>Bytes so far, those not yet written included.</summary>
    public FileMark Mark => this.file.Mark;

    /// <summary>
    /// Appends a row of named values; NaN becomes an empty field. A table that an older version began keeps its columns: values that have
    /// none in it are left out.
    /// </summary>
    /// <exception cref="InvalidOperationException">The names are not those of the rows before.</exception>
    public void Append(params ReadOnlySpan<(string Name, object Value)> row) => this.file.Append(this.Lines(row, ref this.header));

    /// <summary>Shows the rows that will be appended next to those who read the table now, in the place of those shown before. They do not
    /// belong to it, and a resume makes them anew.</summary>
    /// <exception cref="InvalidOperationException">The names are not those of the rows before.</exception>
    public void Show(IEnumerable<(string Name, object Value)[]> rows)
    {
        var (heading, bytes) = (this.header, new List<byte>());
        foreach (var row in rows)
        {
            bytes.AddRange(this.Lines(row, ref heading));
        }
        this.file.Show([.. bytes]);
    }

    /// <summary>The row's line, with the line of names before it where there is none yet.</summary>
    private byte[] Lines(ReadOnlySpan<(string Name, object Value)> row, ref string? heading)
    {
        var (names, values) = (new StringBuilder(), new StringBuilder());
        foreach (var (name, value) in row)
        {
            if (this.found is null || this.found.Contains(name))
            {
                names.Append(name).Append(',');
                values.Append(Format(value)).Append(',');
            }
        }
        var kept = names.ToString().TrimEnd(',');
        var isFirst = heading is null;
        heading ??= kept;
        if (heading != kept)
        {
            throw new InvalidOperationException($"{this.path} has the columns {heading}, but a row has {kept}");
        }
        return Encoding.UTF8.GetBytes($"{(isFirst ? kept + '\n' : "")}{values.ToString(0, values.Length - 1)}\n");
    }

    /// <summary>Hands everything to the operating system, for other programs to read.</summary>
    /// <exception cref="IOException">The disk is full or failing; the rows are kept, and the call can be repeated.</exception>
    public void Flush() => this.file.Flush();

    public void Dispose() => this.file.Dispose();

    private static string Format(object value) => value switch
    {
        double number => double.IsNaN(number) ? "" : number.ToString("R", CultureInfo.InvariantCulture),
        float number => float.IsNaN(number) ? "" : number.ToString("R", CultureInfo.InvariantCulture),
        bool flag => flag ? "1" : "0",
        IFormattable other => other.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString() ?? "",
    };
}
