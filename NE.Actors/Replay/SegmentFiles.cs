using System.Collections.Concurrent;
using NE.Actors.Storage;

namespace NE.Actors.Replay;

/// <summary>What is done with segment files without an open store: verifying, copying into a new epoch, sweeping.</summary>
public static class SegmentFiles
{
    /// <summary>Checks that a manifest's segments are contiguous, present, long enough and have the committed bytes.</summary>
    /// <param name="folder">Of the segments.</param>
    /// <param name="manifest">Names them.</param>
    /// <param name="bytes">Whether to read the committed bytes too.</param>
    /// <exception cref="DamagedCheckpointException">Names the first damaged file by row order.</exception>
    public static void Verify(string folder, ReplayManifest manifest, bool bytes = true)
    {
        CheckCover(folder, manifest);
        var damages = new ConcurrentBag<(int Index, DamagedCheckpointException Error)>();
        Parallel.ForEach(manifest.Segments, segment =>
        {
            if (Damage(folder, segment, manifest.RowFloats * (long)sizeof(float), bytes) is { } damage)
            {
                damages.Add((segment.Index, damage));
            }
        });
        if (!damages.IsEmpty)
        {
            throw damages.MinBy(d => d.Index).Error;
        }
    }

    /// <summary>Deletes segment files named neither by a retained manifest nor in <paramref name="alsoKept"/>.</summary>
    /// <returns>How many files were deleted.</returns>
    public static int Sweep(string folder, IEnumerable<ReplayManifest> retained, IEnumerable<string>? alsoKept = null)
    {
        if (!Directory.Exists(folder))
        {
            return 0;
        }
        var kept = retained.SelectMany(m => m.Segments).Select(s => s.File).Concat(alsoKept ?? []).ToHashSet();
        var gone = Directory.EnumerateFiles(folder, SegmentName.Pattern).Where(f => !kept.Contains(Path.GetFileName(f))).ToList();
        gone.ForEach(File.Delete);
        return gone.Count;
    }

    internal static int NextEpoch(string folder) =>
        Directory.EnumerateFiles(folder, SegmentName.Pattern).Select(f => SegmentName.EpochOf(Path.GetFileName(f)) ?? -1).DefaultIfEmpty(-1).Max() + 1;

    internal static Segment CopyToEpoch(string folder, SegmentRef named, int epoch, int segmentRows, long rowBytes)
    {
        var copy = Segment.Create(folder, named.Index, epoch, segmentRows, rowBytes);
        try
        {
            using var source = File.OpenHandle(Path.Combine(folder, named.File));
            var buffer = new byte[1 << 20];
            var (length, chunk) = (named.Rows * rowBytes, buffer.Length / rowBytes * rowBytes);
            chunk = chunk == 0 ? rowBytes : chunk;
            buffer = buffer.Length < chunk ? new byte[chunk] : buffer;
            for (long offset = 0; offset < length;)
            {
                var read = RandomAccess.Read(source, buffer.AsSpan(0, (int)Math.Min(chunk, length - offset)), offset);
                if (read == 0)
                {
                    throw new IOException($"Cannot copy {named.File} into epoch {epoch}: it ended at byte {offset:N0} of {length:N0} while it was read.");
                }
                copy.WriteBytes(buffer.AsSpan(0, read), offset);
                offset += read;
            }
            // The copy is what later checkpoints name: it must be what was verified.
            var sha = copy.Sha256(named.Rows);
            return sha == named.Sha256
                ? copy
                : throw new DamagedCheckpointException(Path.Combine(folder, named.File), $"SHA-256 {named.Sha256}", $"SHA-256 {sha} in its copy");
        }
        catch
        {
            copy.Close();
            File.Delete(copy.Path);
            throw;
        }
    }

    private static DamagedCheckpointException? Damage(string folder, SegmentRef segment, long rowBytes, bool bytes)
    {
        var path = Path.Combine(folder, segment.File);
        var length = segment.Rows * rowBytes;
        if (!File.Exists(path))
        {
            return new(path, $"{length:N0} bytes", "no such file");
        }
        using var handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var found = RandomAccess.GetLength(handle);
        if (found < length)
        {
            return new(path, $"at least {length:N0} bytes", $"{found:N0} bytes");
        }
        if (!bytes)
        {
            return null;
        }
        var sha = DurableFile.Sha256OfPrefix(handle, length);
        return sha == segment.Sha256 ? null : new(path, $"SHA-256 {segment.Sha256} over its first {segment.Rows:N0} rows", $"SHA-256 {sha}");
    }

    private static void CheckCover(string folder, ReplayManifest manifest)
    {
        var next = manifest.First / manifest.SegmentRows;
        foreach (var segment in manifest.Segments)
        {
            var rows = Math.Min(manifest.SegmentRows, manifest.Head - (long)segment.Index * manifest.SegmentRows);
            if (segment.Index != next++ || segment.Rows != rows || segment.File != SegmentName.Of(segment.Index, segment.Epoch))
            {
                throw new DamagedCheckpointException(Path.Combine(folder, segment.File), $"rows of segment {next - 1}", $"segment {segment.Index} with {segment.Rows} rows in the manifest");
            }
        }
        if (manifest.Head > manifest.First && next * manifest.SegmentRows < manifest.Head)
        {
            throw new DamagedCheckpointException(folder, $"segments up to row {manifest.Head:N0}", $"segments up to row {next * manifest.SegmentRows:N0} in the manifest");
        }
    }
}
