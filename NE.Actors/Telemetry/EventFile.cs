using Google.Protobuf;
using NE.Actors.Storage;
using Tensorboard;

namespace NE.Actors.Telemetry;

/// <summary>
/// A TensorBoard event file of scalars, cut back to its length at a checkpoint like the tables. The steps of a tag rise strictly: what comes
/// at a step that the tag has passed is left out. A copy of what the tables say, so it never stops a run: one that cannot be gone on with
/// begins anew.
/// </summary>
public sealed class EventFile : IDisposable
{
    private readonly GrowingFile file;

    /// <summary>Newest step by tag.</summary>
    private readonly Dictionary<string, long> newest = [];

    /// <param name="path">Its name must have "tfevents" in it for TensorBoard to find it.</param>
    /// <param name="length">Bytes that belong to the run so far; what lies behind is cut off. 0 begins the file.</param>
    public EventFile(string path, long length)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        if (length > 0 && this.ReadBack(path, length) is { } problem)
        {
            this.Problem = $"{path} {problem}, so it begins anew at this step. The tables have what it had.";
            this.newest.Clear();
            length = 0;
        }
        this.file = new GrowingFile(path, new FileMark(length));
        if (length == 0)
        {
            this.Append(new Event { WallTime = Now, FileVersion = "brain.Event:2" });
        }
    }

    /// <summary>Why it could not be gone on with; null when it could.</summary>
    public string? Problem { get; }

    /// <summary>Bytes so far, those not yet written included.</summary>
    public FileMark Mark => this.file.Mark;

    private static double Now => (DateTimeOffset.UtcNow - DateTimeOffset.UnixEpoch).TotalSeconds;

    /// <summary>Appends the values of a step; NaN means that there is none.</summary>
    public void Append(long step, IEnumerable<(string Tag, double Value)> values)
    {
        var summary = new Summary();
        foreach (var (tag, value) in values)
        {
            if (!double.IsNaN(value) && (!this.newest.TryGetValue(tag, out var before) || step > before))
            {
                this.newest[tag] = step;
                summary.Value.Add(new Summary.Types.Value { Tag = tag, SimpleValue = (float)value });
            }
        }
        if (summary.Value.Count > 0)
        {
            this.Append(new Event { WallTime = Now, Step = step, Summary = summary });
        }
    }

    /// <summary>Hands everything to the operating system, for other programs to read.</summary>
    /// <exception cref="IOException">The disk is full or failing; the events are kept, and the call can be repeated.</exception>
    public void Flush() => this.file.Flush();

    public void Dispose() => this.file.Dispose();

    private void Append(Event record) => this.file.Append(EventRecords.Frame(record));

    /// <summary>Learns the newest steps from the file; what is wrong with it, or null.</summary>
    private string? ReadBack(string path, long length)
    {
        if (!File.Exists(path))
        {
            return "is missing";
        }
        using var stream = File.Open(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        if (stream.Length < length)
        {
            return $"should have at least the {length:N0} bytes of the last checkpoint, but has {stream.Length:N0}";
        }
        var bytes = new byte[length];
        stream.ReadExactly(bytes);
        try
        {
            foreach (var record in EventRecords.Read(bytes))
            {
                foreach (var value in record.Summary?.Value ?? [])
                {
                    this.newest[value.Tag] = record.Step;
                }
            }
            return null;
        }
        catch (Exception error) when (error is InvalidDataException or InvalidProtocolBufferException)
        {
            return $"is damaged ({error.Message.TrimEnd('.')})";
        }
    }
}
