using System.Globalization;
using System.Text;

namespace NE.Actors.Telemetry;

/// <summary>A CSV table that only grows and can be cut back to its length at a checkpoint. The first row names the columns.</summary>
public sealed class CsvFile : IDisposable
{
    private readonly string path;
    private readonly GrowingFile file;

    /// <summary>Names the columns of the table as it was found; null for a new one.</summary>
    private readonly string[]? found;
    private string? header;

    /// <param name="length">Bytes that belong to the run so far; what lies behind is cut off. 0 begins the file.</param>
    /// <exception cref="InvalidDataException">The file is shorter than that.</exception>
    public CsvFile(string path, long length)
    {
        this.path = path;
        if (length > 0)
        {
            GrowingFile.Require(path, length);
            BlankPadding(path, length);
        }
        this.file = new GrowingFile(path, length);
        this.header = length > 0 ? File.ReadLines(path).FirstOrDefault(line => line.Length > 0) : null;
        this.found = this.header?.Split(',');
    }

    /// <summary>Bytes so far, those not yet written included.</summary>
    public long Length => this.file.Length;

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

    /// <summary>
    /// `truncate` gives a table that lost rows its length back in zero bytes, which readers of CSV files reject. They become empty lines, and so
    /// does the half row before them.
    /// </summary>
    private static void BlankPadding(string path, long length)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        stream.Position = length - 1;
        if (stream.ReadByte() != 0)
        {
            return;
        }
        var bytes = new byte[length];
        stream.Position = 0;
        stream.ReadExactly(bytes);
        var rows = bytes.AsSpan(0, bytes.AsSpan().IndexOf((byte)0)).LastIndexOf((byte)'\n') + 1;
        bytes.AsSpan(rows).Fill((byte)'\n');
        stream.Position = rows;
        stream.Write(bytes, rows, bytes.Length - rows);
    }

    private static string Format(object value) => value switch
    {
        double number => double.IsNaN(number) ? "" : number.ToString("R", CultureInfo.InvariantCulture),
        float number => float.IsNaN(number) ? "" : number.ToString("R", CultureInfo.InvariantCulture),
        bool flag => flag ? "1" : "0",
        IFormattable other => other.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString() ?? "",
    };
}
