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
    /// <param name="draws">Say which.</param>
    /// <returns>The rows one after the other, count x RowFloats.</returns>
    /// <exception cref="DamagedCheckpointException">A segment is missing or too short; a run that goes on may have let it go meanwhile.</exception>
    public static float[] Sample(RunPaths run, ReplayManifest manifest, int count, Draws draws) =>
        Read(run, manifest, Enumerable.Range(0, count).Select(_ => manifest.First + draws.NextInt(manifest.Head - manifest.First)));

    /// <summary>Neighbouring rows from a place drawn uniformly, for rows that only make sense beside others.</summary>
    /// <param name="run">Whose replay folder.</param>
    /// <param name="manifest">Of the checkpoint.</param>
    /// <param name="count">Rows to read; fewer where there are not so many.</param>
    /// <param name="draws">Say where.</param>
    /// <returns>The rows one after the other.</returns>
    /// <exception cref="DamagedCheckpointException">As for Sample.</exception>
    public static float[] Stretch(RunPaths run, ReplayManifest manifest, int count, Draws draws)
    {
        var length = Math.Min(count, manifest.Head - manifest.First);
        var first = manifest.First + draws.NextInt(manifest.Head - manifest.First - length + 1);
        return Read(run, manifest, Enumerable.Range(0, (int)length).Select(i => first + i));
    }

    private static float[] Read(RunPaths run, ReplayManifest manifest, IEnumerable<long> numbers)
    {
        var wanted = numbers.ToArray();
        var rows = new float[wanted.Length * manifest.RowFloats];
        for (var i = 0; i < wanted.Length; i++)
        {
            var row = wanted[i];
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
