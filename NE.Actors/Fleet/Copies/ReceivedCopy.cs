using System.Security.Cryptography;
using NE.Actors.RunDirectory;
using NE.Actors.Storage;

namespace NE.Actors.Fleet.Copies;

/// <summary>A copy of a run that was received whole and waits beside the run's directory to take its place. What was there already did not cross.</summary>
internal sealed class ReceivedCopy
{
    private readonly RunPaths run;
    private readonly CopyManifest manifest;
    private readonly string folder;
    private readonly IReadOnlySet<string> same;

    /// <param name="same">Paths of files that are here as they should be.</param>
    private ReceivedCopy(RunPaths run, CopyManifest manifest, string folder, IReadOnlySet<string> same, long received) =>
        (this.run, this.manifest, this.folder, this.same, this.Received) = (run, manifest, folder, same, received);

    /// <summary>[bytes] That crossed.</summary>
    public long Received { get; }

    /// <param name="run">Where it is to be; it may be there in part.</param>
    /// <param name="manifest">What it is.</param>
    /// <param name="folder">On the same disk, for what is received; what an earlier attempt left there goes.</param>
    /// <param name="hashes">Of what is there; wrong ones are found out.</param>
    /// <param name="ask">Gives a piece of a file.</param>
    /// <exception cref="InvalidDataException">A piece is not what the manifest says, or the manifest is none.</exception>
    /// <exception cref="IOException">The disk is full or failing.</exception>
    public static async Task<ReceivedCopy> Receive(RunPaths run, CopyManifest manifest, string folder, PieceHashes hashes, Func<int, int, Task<byte[]>> ask)
    {
        manifest.Check();
        RunSnapshot.Delete(folder);
        var known = Known(run, manifest, hashes, out var same);
        var fetched = new Dictionary<string, (string File, long At)>();
        long received = 0;
        for (var i = 0; i < manifest.Files.Count; i++)
        {
            var file = manifest.Files[i];
            if (same.Contains(file.Path))
            {
                continue;
            }
            var path = Path.Combine(folder, file.Path);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            using var handle = File.OpenHandle(path, FileMode.Create, FileAccess.ReadWrite);
            for (var piece = 0; piece < file.Pieces.Count; piece++)
            {
                var (name, at) = (file.Pieces[piece], (long)piece * CopyManifest.PieceBytes);
                var bytes = new byte[CopyManifest.LengthOf(file, piece)];
                if (known.TryGetValue(name, out var place) || fetched.TryGetValue(name, out place))
                {
                    using var source = File.OpenHandle(place.File, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
                    PieceHashes.Read(source, place.File, bytes, place.At);
                }
                else
                {
                    bytes = await ask(i, piece);
                    received += bytes.Length;
                    fetched[name] = (path, at);
                }
                if (bytes.Length != CopyManifest.LengthOf(file, piece) || Convert.ToHexStringLower(SHA256.HashData(bytes)) != name)
                {
                    throw new InvalidDataException($"piece {piece} of {file.Path} is not what it should be");
                }
                RandomAccess.Write(handle, bytes, at);
            }
            RandomAccess.FlushToDisk(handle);
        }
        return new ReceivedCopy(run, manifest, folder, same, received);
    }

    /// <summary>Takes the run's place, file by file: at each moment it is the run at the last commit or at this one.</summary>
    /// <exception cref="RunFolderException">Somebody works on the run.</exception>
    /// <exception cref="IOException">The disk is full or failing.</exception>
    public void Apply()
    {
        Directory.CreateDirectory(this.run.Root);
        using var held = RunLock.Take(this.run);
        foreach (var needed in new[] { this.run.Blobs, this.run.Replay, this.run.Logs })
        {
            Directory.CreateDirectory(needed);
        }
        foreach (var file in this.manifest.Files)
        {
            var (from, to) = (Path.Combine(this.folder, file.Path), Path.Combine(this.run.Root, file.Path));
            // One that is missing was taken away, and with it this copy's right to the place: another coordinator has begun.
            if (this.same.Contains(file.Path))
            {
                continue;
            }
            Directory.CreateDirectory(Path.GetDirectoryName(to)!);
            if (to == this.run.Journal || to == this.run.Snapshots)
            {
                // What a reader left beside the database is not of this one.
                File.Delete(to + "-wal");
                File.Delete(to + "-shm");
                Sync(this.run);
            }
            File.Move(from, to, overwrite: true);
        }
        Sync(this.run);
        var names = this.manifest.Files.Select(file => file.Path).ToHashSet();
        foreach (var folder in new[] { this.run.Blobs, this.run.Replay })
        {
            foreach (var old in Directory.EnumerateFiles(folder).Where(file => !names.Contains(Relative(this.run, file))).ToArray())
            {
                File.Delete(old);
            }
        }
        RunSnapshot.Delete(this.folder);
    }

    private static void Sync(RunPaths run)
    {
        foreach (var folder in new[] { run.Blobs, run.Replay, run.Root })
        {
            DurableFile.SyncFolder(folder);
        }
    }

    /// <summary>Pieces that are here already, and files that are as they should be.</summary>
    private static Dictionary<string, (string File, long At)> Known(RunPaths run, CopyManifest manifest, PieceHashes hashes, out HashSet<string> same)
    {
        var known = new Dictionary<string, (string, long)>();
        same = [];
        var wanted = manifest.Files.ToDictionary(file => file.Path);
        foreach (var file in Directory.Exists(run.Root) ? Directory.EnumerateFiles(run.Root, "*", SearchOption.AllDirectories).Where(file => file != run.Lock) : [])
        {
            var path = Relative(run, file);
            var length = new FileInfo(file).Length;
            // A blob's name is that of its content; one that is there is whole.
            if (wanted.TryGetValue(path, out var named) && named.Length == length && Path.GetDirectoryName(file) == run.Blobs)
            {
                same.Add(path);
                continue;
            }
            var found = hashes.Of(path, file, length);
            if (named is not null && named.Pieces.SequenceEqual(found.Pieces) && named.Length == length)
            {
                same.Add(path);
            }
            for (var piece = 0; piece < found.Pieces.Count; piece++)
            {
                known[found.Pieces[piece]] = (file, (long)piece * CopyManifest.PieceBytes);
            }
        }
        return known;
    }

    private static string Relative(RunPaths run, string file) => Path.GetRelativePath(run.Root, file).Replace(Path.DirectorySeparatorChar, '/');
}
