using System.Runtime.InteropServices;
using NE.Actors.RunDirectory;
using NE.Actors.Storage;
using NE.Model;

namespace NE.Actors.Replay;

/// <summary>Reads transitions of a stored replay memory where they lie, without opening it for a run.</summary>
public static class StoredRows
{
    /// <summary>Rows drawn uniformly from the window that a checkpoint names.</summary>
    /// <param name="run">Whose replay folder.</param>
    /// <param name="manifest">Of the checkpoint.</param>
    /// <param name="count">Rows to draw, with replacement.</param>
    /// <param name="draws">The stream that says which.</param>
    /// <returns>The rows one after the other, count x RowFloats.</returns>
    /// <exception cref="DamagedCheckpointException">A segment is missing or too short; a run that goes on may have let it go meanwhile.</exception>
    public static float[] Sample(RunPaths run, ReplayManifest manifest, int count, Draws draws)
    {
        var rows = new float[count * manifest.RowFloats];
        for (var i = 0; i < count; i++)
        {
            var row = manifest.First + draws.NextInt(manifest.Head - manifest.First);
            var segment = manifest.Segments.First(named => named.Index == row / manifest.SegmentRows);
            var path = Path.Combine(run.Replay, segment.File);
            var target = MemoryMarshal.AsBytes(rows.AsSpan(i * manifest.RowFloats, manifest.RowFloats));
            if (!File.Exists(path))
            {
                throw new DamagedCheckpointException(path, $"{segment.Rows} rows", "no file");
            }
            using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            if (RandomAccess.Read(file, target, row % manifest.SegmentRows * manifest.RowFloats * sizeof(float)) != target.Length)
            {
                throw new DamagedCheckpointException(path, $"{segment.Rows} rows", "fewer");
            }
        }
        return rows;
    }
}
