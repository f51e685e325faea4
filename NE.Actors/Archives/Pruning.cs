using NE.Actors.Checkpoints;
using NE.Actors.Journal;
using NE.Actors.Replay;
using NE.Actors.RunDirectory;
using NE.Actors.Storage;
using NE.Actors.Video;

namespace NE.Actors.Archives;

/// <summary>A file that can be deleted.</summary>
/// <param name="Path">Full path.</param>
/// <param name="Length">Bytes.</param>
public sealed record PrunableFile(string Path, long Length);

/// <summary>Files of a run that can be deleted, by what is lost with them.</summary>
/// <param name="Replay">The replay memory of its checkpoints: without it the run cannot go on. Empty for a run that is not complete.</param>
/// <param name="Videos">Films of policies.</param>
/// <param name="LeftOvers">What no checkpoint names, and what was never finished: nothing is lost.</param>
public sealed record Pruning(IReadOnlyList<PrunableFile> Replay, IReadOnlyList<PrunableFile> Videos, IReadOnlyList<PrunableFile> LeftOvers)
{
    /// <summary>`ne record` needs no lock: what it wrote to lately may be the video that it is at.</summary>
    private static readonly TimeSpan LongestPause = TimeSpan.FromHours(1);

    /// <summary>Why a run that was pruned has no replay memory.</summary>
    private const string Deleted = "was deleted by `ne prune --replay`";

    /// <summary>Bytes of all of it.</summary>
    public long Bytes => SizeOf(this.Replay) + SizeOf(this.Videos) + SizeOf(this.LeftOvers);

    /// <summary>Bytes of files.</summary>
    public static long SizeOf(IEnumerable<PrunableFile> files) => files.Sum(file => file.Length);

    /// <summary>What can be deleted, without deleting it.</summary>
    /// <param name="run">Nobody works on it.</param>
    /// <param name="isComplete">Its last checkpoint is its end. Otherwise nothing of that checkpoint is named here.</param>
    /// <exception cref="InvalidDataException">The journal cannot be read, so nobody knows what is needed.</exception>
    public static Pruning Of(RunPaths run, bool isComplete)
    {
        var videos = FilesIn(run.Video);
        var partial = videos.Where(file => file.Name.EndsWith(VideoTarget.PartialSuffix, StringComparison.Ordinal)).ToList();
        PrunableFile[] filmed = [.. videos.Except(partial).Select(Measure)];
        FileInfo[] unfinished =
        [
            .. FilesIn(run.Root).Where(file => file.Name.EndsWith(DurableFile.TemporarySuffix, StringComparison.Ordinal)),
            .. partial.Where(file => file.LastWriteTimeUtc < DateTime.UtcNow - LongestPause),
        ];
        var retained = Retained(run);
        if (retained.Count == 0)
        {
            // A journal that lost everything names nothing either, and then all that there is may be what somebody needs.
            return new([], filmed, [.. unfinished.Select(Measure)]);
        }
        var blobs = retained.SelectMany(manifest => manifest.Blobs).Select(blob => blob.Sha256).ToHashSet();
        // A run that gave its memory up needs none of it, even where deleting it was cut short.
        var segments = DroppedReplay.Of(run) is not null
            ? []
            : retained.Select(manifest => manifest.Replay).OfType<ReplayManifest>().SelectMany(replay => replay.Segments).Select(segment => segment.File).ToHashSet();
        var stored = FilesIn(run.Replay);
        return new(
            [.. stored.Where(file => isComplete && segments.Contains(file.Name)).Select(Measure)],
            filmed,
            [.. unfinished.Concat(FilesIn(run.Blobs).Where(file => !blobs.Contains(file.Name))).Concat(stored.Where(file => !segments.Contains(file.Name))).Select(Measure)]);
    }

    /// <summary>The part that is asked for; left-overs always are.</summary>
    public Pruning Choose(bool replay, bool videos) => this with { Replay = replay ? this.Replay : [], Videos = videos ? this.Videos : [] };

    /// <summary>Deletes all of it. That the replay memory is gone is on disk before it is.</summary>
    /// <param name="folder">Locked, its databases recovered; this was made of it since.</param>
    /// <exception cref="IOException">A file cannot be deleted; the rest of them is still there.</exception>
    public void Delete(RunFolder folder)
    {
        if (this.Replay.Count > 0)
        {
            new DroppedReplay(Deleted, DateTimeOffset.UtcNow).Write(folder.Paths);
        }
        foreach (var file in this.Replay.Concat(this.Videos).Concat(this.LeftOvers))
        {
            File.Delete(file.Path);
        }
    }

    private static IReadOnlyList<CheckpointManifest> Retained(RunPaths run)
    {
        using var journal = JournalReader.TryOpen(run);
        return journal?.Manifests() ?? [];
    }

    private static PrunableFile Measure(FileInfo file) => new(file.FullName, file.Length);

    private static FileInfo[] FilesIn(string folder) => Directory.Exists(folder) ? new DirectoryInfo(folder).GetFiles() : [];
}
