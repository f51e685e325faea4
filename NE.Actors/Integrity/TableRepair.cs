using NE.Actors.Storage;
using NE.Actors.Telemetry;

namespace NE.Actors.Integrity;

/// <summary>A table that cannot be made anew loses the rows that are damaged, or may be, and goes on with the rest.</summary>
internal static class TableRepair
{
    private const byte LineEnd = (byte)'\n';

    /// <summary>
    /// Keeps the damaged file as it is beside it, writes the rows that are left, and notes for every retained commit what of it belongs to it.
    /// </summary>
    /// <param name="path">The table.</param>
    /// <param name="marks">What each commit of the run named of it, oldest first.</param>
    /// <param name="retained">What the retained commits name.</param>
    /// <returns>What became of it, as a sentence.</returns>
    internal static string Cut(string path, IReadOnlyList<FileMark> marks, IReadOnlyList<FileMark> retained)
    {
        var bytes = File.Exists(path) ? File.ReadAllBytes(path) : [];
        var (from, to) = Damaged(bytes, marks);
        var damaged = Keep(path, bytes);
        // A row that the damage cuts through is gone as a whole; without its first row the table has no columns.
        var head = bytes.AsSpan(0, from).LastIndexOf(LineEnd) + 1;
        var rest = head == 0 ? bytes.Length : Math.Min(to, bytes.Length);
        var columns = head == 0 ? 0 : Fields(bytes.AsSpan(0, head));
        using var kept = new MemoryStream();
        kept.Write(bytes.AsSpan(0, head));
        var notes = new Dictionary<FileMark, long>();
        var (lines, lost) = (0, 0);
        for (var start = rest; start < bytes.Length;)
        {
            Note(start);
            var end = bytes.AsSpan(start).IndexOf(LineEnd);
            var line = bytes.AsSpan(start, end < 0 ? bytes.Length - start : end + 1);
            if (end >= 0 && Fields(line) == columns && IsText(line))
            {
                kept.Write(line);
                lines++;
            }
            else
            {
                lost++;
            }
            start += line.Length;
        }
        Note(long.MaxValue);
        var left = kept.ToArray();
        // A note of a table that is not there yet says nothing: a repair that dies between the two is repeated and ends alike.
        RepairedTable.Write(path, [.. retained.Select(mark => new RepairedTable.Note(mark, MarkOf(left, notes[mark])))]);
        DurableFile.Write(path, left);
        DurableFile.SyncFolder(Path.GetDirectoryName(path)!);
        return $"kept {left.Length:N0} bytes of {bytes.Length:N0}: the rows before byte {head:N0} are what was written, {lines:N0} rows behind byte {rest:N0} are readable but cannot be proven, "
            + $"what lay between is lost{(lost > 0 ? $", and so are {lost:N0} rows behind" : "")}. The file as it was is {Path.GetFileName(damaged)}";

        void Note(long position)
        {
            foreach (var mark in retained.Where(mark => mark.Length <= position && !notes.ContainsKey(mark)).ToList())
            {
                notes[mark] = mark.Length <= head ? mark.Length : kept.Length;
            }
        }
    }

    /// <summary>
    /// The stretch behind the last commit up to which all bytes are what was written, up to the commit after it. Marks of commits before an earlier
    /// repair do not match any more and say nothing.
    /// </summary>
    internal static (int From, int To) Damaged(ReadOnlySpan<byte> bytes, IReadOnlyList<FileMark> marks)
    {
        var whole = 0;
        var next = 0;
        for (var i = marks.Count - 1; i >= 0; i--)
        {
            if (marks[i] is not { Sha256: { } sha256, Length: var length })
            {
                continue;
            }
            if (length <= bytes.Length && DurableFile.Sha256(bytes[..(int)length]) == sha256)
            {
                whole = (int)length;
                break;
            }
            next = (int)length;
        }
        return (whole, Math.Max(whole, next));
    }

    /// <summary>Keeps a file as it is under another name, beside those that earlier repairs have kept.</summary>
    private static string Keep(string path, byte[] bytes)
    {
        for (var number = 1; ; number++)
        {
            var kept = $"{path}.damaged{(number == 1 ? "" : $"-{number}")}";
            if (bytes.Length == 0 || (File.Exists(kept) && File.ReadAllBytes(kept).AsSpan().SequenceEqual(bytes)))
            {
                return kept;
            }
            if (!File.Exists(kept))
            {
                DurableFile.Write(kept, bytes);
                return kept;
            }
        }
    }

    private static FileMark MarkOf(byte[] left, long length) => new(length, DurableFile.Sha256(left.AsSpan(0, (int)length)));

    private static int Fields(ReadOnlySpan<byte> lines) => lines[..(lines.IndexOf(LineEnd) + 1)].Count((byte)',') + 1;

    private static bool IsText(ReadOnlySpan<byte> line) => line.IndexOfAnyExceptInRange((byte)' ', (byte)'~') == line.Length - 1;
}
