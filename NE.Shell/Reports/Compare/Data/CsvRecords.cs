using NE.Shell.RunFiles;

namespace NE.Shell.Reports.Compare.Data;

/// <summary>A record of a CSV text.</summary>
/// <param name="Line">On which it begins, from 1.</param>
/// <param name="Fields">Without their quotes.</param>
public sealed record CsvRecord(int Line, IReadOnlyList<string> Fields);

/// <summary>
/// Reads CSV of any origin (RFC 4180): quoted fields hold commas, quotes and line ends, lines end as on Unix or Windows, empty ones count for nothing.
/// <see cref="CsvTable"/> reads what runs write, which has no quotes and may have half a row.
/// </summary>
public sealed class CsvRecords(string text)
{
    private int at;
    private int line = 1;

    /// <summary>The records in order, once.</summary>
    /// <exception cref="FormatException">The quotes are wrong; the message names the line.</exception>
    public IEnumerable<CsvRecord> Read()
    {
        while (this.at < text.Length)
        {
            int begin = this.line;
            var fields = new List<string> { this.Field() };

            while (this.at < text.Length && text[this.at] == ',')
            {
                this.at++;
                fields.Add(this.Field());
            }

            this.EndLine();

            if (fields.Count > 1 || !string.IsNullOrWhiteSpace(fields[0]))
            {
                yield return new(begin, fields);
            }
        }
    }

    private string Field() => this.at < text.Length && text[this.at] == '"' ? this.Quoted() : this.Plain();

    private string Plain()
    {
        int length = text.AsSpan(this.at).IndexOfAny(",\r\n");
        int begin = this.at;
        this.at = length < 0 ? text.Length : begin + length;
        return text[begin..this.at];
    }

    private string Quoted()
    {
        int begin = this.line;
        int from = ++this.at;

        for (; this.at < text.Length; this.at++)
        {
            if (text[this.at] == '\n')
            {
                this.line++;
            }
            else if (text[this.at] == '"')
            {
                this.at++;

                // Two quotes are one quote of the text.
                if (this.at == text.Length || text[this.at] != '"')
                {
                    return text[from..(this.at - 1)].Replace("\"\"", "\"", StringComparison.Ordinal);
                }
            }
        }

        throw new FormatException($"line {begin}: expected a closing quote, found the end of the file");
    }

    private void EndLine()
    {
        if (this.at == text.Length)
        {
            return;
        }

        if (text[this.at] is not ('\r' or '\n'))
        {
            throw new FormatException($"line {this.line}: expected a comma or the end of the line behind a closing quote, found '{text[this.at]}'");
        }

        this.at += text.AsSpan(this.at).StartsWith("\r\n") ? 2 : 1;
        this.line++;
    }
}
