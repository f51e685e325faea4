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
    public void Append(params ReadOnlySpan<(string Name, object Value)> row)
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
        if (this.header is null)
        {
            this.header = kept;
            this.Write(kept);
        }
        else if (this.header != kept)
        {
            throw new InvalidOperationException($"{this.path} has the columns {this.header}, but a row has {kept}");
        }
        this.Write(values.ToString(0, values.Length - 1));
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

    private void Write(string line) => this.file.Append(Encoding.UTF8.GetBytes(line + '\n'));
}
