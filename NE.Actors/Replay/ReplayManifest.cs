namespace NE.Actors.Replay;

/// <summary>The rows [First, Head) that a replay memory holds; rows are numbered from 0 and a number is never used twice.</summary>
public readonly record struct ReplayCursor(long First, long Head)
{
    public long Count => this.Head - this.First;
}

/// <summary>One segment as a checkpoint needs it: rows [Index * SegmentRows, + Rows) are the file's first Rows rows.</summary>
/// <param name="Index">Row number divided by the rows per segment.</param>
/// <param name="Epoch">Counts the times the run was opened; two epochs never write to one file.</param>
/// <param name="File">Name within the replay folder.</param>
/// <param name="Rows">Rows in use from the file's start; the rest of the file means nothing.</param>
/// <param name="Sha256">Hash of exactly these rows.</param>
public sealed record SegmentRef(int Index, int Epoch, string File, long Rows, string Sha256);

/// <summary>Everything that names the contents of a replay memory. Segments are in index order and cover [First, Head).</summary>
public sealed record ReplayManifest(long First, long Head, int RowFloats, int SegmentRows, IReadOnlyList<SegmentRef> Segments)
{
    public ReplayCursor Cursor => new(this.First, this.Head);
}
