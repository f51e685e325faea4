using System.Globalization;
using System.Text;

namespace NE.Actors.Telemetry;

/// <summary>A CSV file that only grows and whose length at a checkpoint is known, so that a resume can cut it back to exactly there.</summary>
public sealed class CsvFile : IDisposable
{
    private readonly FileStream stream;
    private readonly string[] columns;

    /// <param name="length">Bytes that belong to the run so far; what lies behind is cut off. 0 begins the file.</param>
    public CsvFile(string path, IReadOnlyList<string> columns, long length)
    {
        this.columns = [.. columns];
        this.stream = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite);
        if (this.stream.Length < length)
        {
            this.stream.Dispose();
            throw new InvalidDataException(
                $"{path} should have at least {length} bytes at the last checkpoint, but has {new FileInfo(path).Length}. "
                + "Restore the file from a copy, or append empty lines up to that length to go on without its rows.");
        }
        this.stream.SetLength(length);
        this.stream.Position = length;
        if (length == 0)
        {
            this.Write(string.Join(',', this.columns));
        }
    }

    /// <summary>Bytes so far.</summary>
    public long Length => this.stream.Position;

    /// <summary>Appends a row; values in the order of the columns, NaN as an empty field.</summary>
    public void Append(params ReadOnlySpan<object> values)
    {
        if (values.Length != this.columns.Length)
        {
            throw new ArgumentException($"Expected {this.columns.Length} values, found {values.Length}.", nameof(values));
        }
        var line = new StringBuilder();
        foreach (var value in values)
        {
            line.Append(Format(value)).Append(',');
        }
        line.Length--;
        this.Write(line.ToString());
    }

    /// <summary>Appends a row given by names; a column without a value stays empty.</summary>
    public void Append(IReadOnlyDictionary<string, object> values) =>
        this.Write(string.Join(',', this.columns.Select(column => values.TryGetValue(column, out var value) ? Format(value) : "")));

    /// <summary>Hands everything to the disk.</summary>
    public void Sync() => this.stream.Flush(flushToDisk: true);

    /// <summary>Hands everything to the operating system, for other programs to read.</summary>
    public void Flush() => this.stream.Flush();

    public void Dispose() => this.stream.Dispose();

    private static string Format(object value) => value switch
    {
        double number => double.IsNaN(number) ? "" : number.ToString("R", CultureInfo.InvariantCulture),
        float number => float.IsNaN(number) ? "" : number.ToString("R", CultureInfo.InvariantCulture),
        IFormattable other => other.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString() ?? "",
    };

    private void Write(string line)
    {
        this.stream.Write(Encoding.UTF8.GetBytes(line));
        this.stream.WriteByte((byte)'\n');
    }
}
