using System.Text;

namespace NE.Actors.Environments.External;

/// <summary>Reads a child's standard error on a thread of its own: keeps the last lines, hands each line to a log, and never holds more than a few
/// kilobytes, whatever is written.</summary>
internal sealed class LastLines
{
    private const int MostLines = 20;
    private const int LongestLine = 500;

    private readonly Lock gate = new();
    private readonly Queue<string> lines = new();
    private readonly StringBuilder current = new();
    private readonly ManualResetEventSlim ended = new(false);
    private readonly Action<string>? log;
    private int leftOut;

    internal LastLines(StreamReader source, string name, Action<string>? log)
    {
        this.log = log;
        new Thread(() => this.Read(source)) { IsBackground = true, Name = $"standard error of {name}" }.Start();
    }

    /// <summary>The lines so far, for a message; empty when there are none. Waits a moment for what a child that has just ended left behind.</summary>
    internal string Text(TimeSpan patience)
    {
        this.ended.Wait(patience);
        lock (this.gate)
        {
            return string.Join('\n', this.current.Length > 0 ? this.lines.Append(this.current.ToString()) : this.lines);
        }
    }

    private void Read(StreamReader source)
    {
        var buffer = new char[1024];
        try
        {
            while (source.Read(buffer) is > 0 and var count)
            {
                this.Take(buffer.AsSpan(0, count));
            }
        }
        catch (Exception)
        {
            // The pipe was closed under the reader: there is nothing more to tell.
        }

        source.Dispose();
        this.EndLine();
        this.ended.Set();
    }

    private void Take(ReadOnlySpan<char> text)
    {
        foreach (var letter in text)
        {
            if (letter == '\n')
            {
                this.EndLine();
                continue;
            }

            lock (this.gate)
            {
                if (this.current.Length < LongestLine)
                {
                    this.current.Append(letter);
                }
                else
                {
                    this.leftOut++;
                }
            }
        }
    }

    private void EndLine()
    {
        string line;
        lock (this.gate)
        {
            line = this.leftOut == 0 ? this.current.ToString().TrimEnd('\r') : $"{this.current} ... ({this.leftOut} more characters)";
            this.current.Clear();
            this.leftOut = 0;
            if (line.Length == 0)
            {
                return;
            }

            this.lines.Enqueue(line);
            if (this.lines.Count > MostLines)
            {
                this.lines.Dequeue();
            }
        }

        this.log?.Invoke(line);
    }
}
