using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;

namespace NE.Shell.Serving.Data;

/// <summary>
/// The numbers of a CSV file that another process appends to, column by column. Only columns that were asked for are read, and of a file that grew only
/// what is new; one that a resume cut back is read again. Safe for use by several threads.
/// </summary>
/// <param name="file">It may not be there yet.</param>
internal sealed class GrowingTable(string file)
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, List<double>> columns = [];
    private string[] names = [];
    private byte[] lastLine = [];
    private long read;
    private (long Length, DateTime Written) looked = (-1, default);

    /// <summary>Names in the order of the file; empty while it has none.</summary>
    public IReadOnlyList<string> Names
    {
        get
        {
            lock (this.gate)
            {
                this.Refresh([]);
                return this.names;
            }
        }
    }

    /// <summary>Copies of columns as they are now, all of one length; NaN where a field is empty, and in a column that the file lacks.</summary>
    public IReadOnlyList<double[]> Read(params IReadOnlyList<string> wanted)
    {
        lock (this.gate)
        {
            this.Refresh(wanted);
            int rows = this.columns.Count == 0 ? 0 : this.columns.Values.First().Count;
            return [.. wanted.Select(name => this.columns.TryGetValue(name, out List<double>? column) ? column.ToArray() : [.. Enumerable.Repeat(double.NaN, rows)])];
        }
    }

    private void Refresh(IReadOnlyList<string> wanted)
    {
        var now = new FileInfo(file);
        (long, DateTime) look = now.Exists ? (now.Length, now.LastWriteTimeUtc) : (-1, default);

        // Of many runs few grow: the others need not be opened.
        if (look == this.looked && now.Exists && this.names.Length > 0 && wanted.All(name => this.columns.ContainsKey(name) || !this.names.Contains(name)))
        {
            return;
        }

        this.looked = look;
        using FileStream? stream = Open(file);

        if (stream is null || !this.Continues(stream))
        {
            (this.names, this.lastLine, this.read) = ([], [], 0);
            List<string> asked = [.. this.columns.Keys];
            this.columns.Clear();

            if (stream is null)
            {
                return;
            }

            this.Refresh(stream, [.. asked, .. wanted]);
            return;
        }

        this.Refresh(stream, wanted);
    }

    private void Refresh(FileStream stream, IReadOnlyList<string> wanted)
    {
        if (this.names.Length == 0 && !this.ReadHeading(stream))
        {
            return;
        }

        string[] added = [.. wanted.Where(name => !this.columns.ContainsKey(name) && this.names.Contains(name)).Distinct()];

        if (added.Length > 0)
        {
            // The new columns from the beginning, up to where the others are.
            List<double>[] fresh = [.. added.Select(_ => new List<double>())];
            this.Parse(Bytes(stream, 0, this.read), this.Targets(added.Zip(fresh)));

            foreach ((string name, List<double> column) in added.Zip(fresh))
            {
                this.columns[name] = column;
            }
        }

        byte[] grown = Bytes(stream, this.read, stream.Length);
        int complete = Array.LastIndexOf(grown, (byte)'\n') + 1;

        if (complete == 0)
        {
            return;
        }

        this.Parse(grown.AsSpan(0, complete), this.Targets(this.columns.Select(column => (column.Key, column.Value))));
        this.read += complete;
        int before = complete < 2 ? 0 : Array.LastIndexOf(grown, (byte)'\n', complete - 2) + 1;
        this.lastLine = grown[before..complete];
    }

    /// <summary>Whether what was read is still where it was.</summary>
    private bool Continues(FileStream stream) =>
        stream.Length >= this.read && this.lastLine.AsSpan().SequenceEqual(Bytes(stream, this.read - this.lastLine.Length, this.read));

    private bool ReadHeading(FileStream stream)
    {
        byte[] head = Bytes(stream, 0, Math.Min(stream.Length, 64 * 1024));
        // A table that lost its beginning has empty lines there.
        int first = Array.FindIndex(head, letter => letter is not ((byte)'\n' or (byte)'\r'));
        int end = first < 0 ? -1 : Array.IndexOf(head, (byte)'\n', first);

        if (end < 0)
        {
            return false;
        }

        this.names = Encoding.UTF8.GetString(head, first, end - first).TrimEnd('\r').Split(',');
        this.lastLine = head[first..(end + 1)];
        this.read = end + 1;
        return true;
    }

    private List<double>?[] Targets(IEnumerable<(string Name, List<double> Column)> wanted)
    {
        var targets = new List<double>?[this.names.Length];

        foreach ((string name, List<double> column) in wanted)
        {
            targets[Array.IndexOf(this.names, name)] = column;
        }

        return targets;
    }

    private void Parse(ReadOnlySpan<byte> lines, List<double>?[] targets)
    {
        int last = Array.FindLastIndex(targets, target => target is not null);

        while (last >= 0 && !lines.IsEmpty)
        {
            int end = lines.IndexOf((byte)'\n');
            ReadOnlySpan<byte> line = end < 0 ? lines : lines[..end];
            lines = end < 0 ? [] : lines[(end + 1)..];

            // A table that was repaired has its heading once more.
            if (line.Length > 0 && line[0] != (byte)this.names[0][0])
            {
                ParseLine(line, targets.AsSpan(0, last + 1));
            }
        }
    }

    /// <summary>Compiled in full at once: a folder of long runs is read the first time that this runs.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void ParseLine(ReadOnlySpan<byte> line, ReadOnlySpan<List<double>?> targets)
    {
        foreach (List<double>? target in targets)
        {
            int comma = line.IndexOf((byte)',');
            ReadOnlySpan<byte> field = comma < 0 ? line : line[..comma];
            target?.Add(double.TryParse(field, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) ? value : double.NaN);
            line = comma < 0 ? [] : line[(comma + 1)..];
        }
    }

    private static byte[] Bytes(FileStream stream, long from, long to)
    {
        byte[] bytes = new byte[to - from];
        stream.Seek(from, SeekOrigin.Begin);
        int length = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        return length == bytes.Length ? bytes : bytes[..length];
    }

    private static FileStream? Open(string file)
    {
        try
        {
            return new(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        }
        catch (IOException missing) when (missing is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }
}
