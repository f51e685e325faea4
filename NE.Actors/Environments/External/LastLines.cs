using System.Runtime.InteropServices;
using System.Text;

namespace NE.Actors.Environments.External;

/// <summary>Reads a child's standard error on a thread of its own: keeps the last lines, hands each line to a log, and never holds more than a few
/// kilobytes, whatever is written.</summary>
internal sealed class LastLines
{
    private const int MostLines = 20;
    private const int LongestLine = 500;
    private const int Chunk = 1024;

    /// <summary>The longest time until the reader notices that nobody wants to know more [ms].</summary>
    private const int Slice = 1000;

    private readonly Lock gate = new();
    private readonly Queue<string> lines = new();
    private readonly StringBuilder current = new();
    private readonly ManualResetEventSlim ended = new(false);
    private readonly Action<string>? log;
    private volatile bool isOver;
    private int leftOut;

    /// <param name="source">Text in UTF-8; disposed of at its end, or after <see cref="End"/>.</param>
    /// <param name="pipe">The pipe that it reads.</param>
    /// <param name="name">What the child is called.</param>
    /// <param name="log">Gets each line.</param>
    internal LastLines(Stream source, SafeHandle pipe, string name, Action<string>? log)
    {
        this.log = log;
        new Thread(() => this.Read(source, pipe)) { IsBackground = true, Name = $"standard error of {name}" }.Start();
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

    /// <summary>Lets go of the pipe, which a process that left the child's group may hold open for as long as it likes. Waits a moment for what is
    /// still in it.</summary>
    internal void End(TimeSpan patience)
    {
        this.ended.Wait(patience);
        this.isOver = true;
    }

    private void Read(Stream source, SafeHandle pipe)
    {
        var bytes = new byte[Chunk];
        var letters = new char[Encoding.UTF8.GetMaxCharCount(Chunk)];
        var decoder = Encoding.UTF8.GetDecoder();
        Func<bool> isOver = () => this.isOver;
        try
        {
            while (PipeWait.ForReading(pipe, long.MaxValue, isOver, Slice) == PipeWait.Outcome.Ready && source.Read(bytes) is > 0 and var count)
            {
                this.Take(letters.AsSpan(0, decoder.GetChars(bytes.AsSpan(0, count), letters, flush: false)));
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
