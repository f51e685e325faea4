using System.Globalization;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace NE.Actors.Telemetry;

/// <summary>
/// A CSV file that only grows and whose length at a checkpoint is known, so that a resume can cut it back to exactly there. The first row
/// names the columns.
/// </summary>
public sealed class CsvFile : IDisposable
{
    private readonly string path;
    private readonly SafeFileHandle file;
    private readonly MemoryStream waiting = new();
    private long written;
    private string? header;

    /// <param name="length">Bytes that belong to the run so far; what lies behind is cut off. 0 begins the file.</param>
    /// <exception cref="InvalidDataException">The file is shorter than that.</exception>
    public CsvFile(string path, long length)
    {
        this.path = path;
        if (length > 0)
        {
            this.header = File.Exists(path) ? File.ReadLines(path).FirstOrDefault() : null;
        }
        this.file = File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite);
        var found = RandomAccess.GetLength(this.file);
        if (found < length)
        {
            this.file.Dispose();
            throw new InvalidDataException(
                $"{path} should have at least the {length:N0} bytes of the last checkpoint, but has {found:N0}. Restore the file from a copy, "
                + $"or go on without its rows: `truncate -s {length} {path}`.");
        }
        RandomAccess.SetLength(this.file, length);
        this.written = length;
    }

    /// <summary>Bytes so far, those not yet written included.</summary>
    public long Length => this.written + this.waiting.Length;

    /// <summary>Whether a row may have this column: the file has it, or has no row yet.</summary>
    public bool Accepts(string column) => this.header is null || this.header.Split(',').Contains(column);

    /// <summary>Appends a row of named values; NaN becomes an empty field.</summary>
    /// <exception cref="InvalidOperationException">The names are not those of the rows before.</exception>
    public void Append(params ReadOnlySpan<(string Name, object Value)> row)
    {
        var (names, values) = (new StringBuilder(), new StringBuilder());
        foreach (var (name, value) in row)
        {
            names.Append(name).Append(',');
            values.Append(Format(value)).Append(',');
        }
        var found = names.ToString(0, names.Length - 1);
        if (this.header is null)
        {
            this.header = found;
            this.Write(found);
        }
        else if (this.header != found)
        {
            throw new InvalidOperationException($"{this.path} has the columns {this.header}, but a row has {found}");
        }
        this.Write(values.ToString(0, values.Length - 1));
    }

    /// <summary>Hands everything to the operating system, for other programs to read.</summary>
    /// <exception cref="IOException">The disk is full or failing; the rows are kept, and the call can be repeated.</exception>
    public void Flush()
    {
        if (this.waiting.Length > 0)
        {
            RandomAccess.Write(this.file, this.waiting.GetBuffer().AsSpan(0, (int)this.waiting.Length), this.written);
            this.written += this.waiting.Length;
            this.waiting.SetLength(0);
        }
    }

    public void Dispose() => this.file.Dispose();

    private static string Format(object value) => value switch
    {
        double number => double.IsNaN(number) ? "" : number.ToString("R", CultureInfo.InvariantCulture),
        float number => float.IsNaN(number) ? "" : number.ToString("R", CultureInfo.InvariantCulture),
        bool flag => flag ? "1" : "0",
        IFormattable other => other.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString() ?? "",
    };

    private void Write(string line)
    {
        this.waiting.Write(Encoding.UTF8.GetBytes(line));
        this.waiting.WriteByte((byte)'\n');
    }
}
