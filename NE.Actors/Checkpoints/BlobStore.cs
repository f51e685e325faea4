using NE.Actors.Storage;

namespace NE.Actors.Checkpoints;

/// <summary>Content-addressed files: a blob's name is the SHA-256 of its bytes, so it is never changed and never stored twice.</summary>
/// <param name="folder">Created with the first blob.</param>
public sealed class BlobStore(string folder)
{
    public string PathOf(string sha256) => Path.Combine(folder, sha256);

    /// <summary>Stores all blobs durably: when this returns, they survive a loss of power. Can be repeated after an exception.</summary>
    /// <returns>The references, by the given names.</returns>
    /// <exception cref="IOException">The disk is full or failing.</exception>
    public IReadOnlyDictionary<string, ComponentRef> PutAll(IReadOnlyDictionary<string, ReadOnlyMemory<byte>> blobs)
    {
        Directory.CreateDirectory(folder);
        var stored = new SortedDictionary<string, ComponentRef>(StringComparer.Ordinal);
        foreach (var (name, content) in blobs)
        {
            var sha = DurableFile.Sha256(content.Span);
            // A blob that is already there is read back: a damaged one is replaced instead of being named again.
            if (this.Damage(new(sha, content.Length)) is not null)
            {
                DurableFile.Write(this.PathOf(sha), content.Span);
            }
            stored[name] = new(sha, content.Length);
        }
        DurableFile.SyncFolder(folder);
        return stored;
    }

    public ComponentRef Put(ReadOnlyMemory<byte> content) => this.PutAll(new Dictionary<string, ReadOnlyMemory<byte>> { [""] = content })[""];

    /// <summary>The bytes of a blob, verified.</summary>
    /// <exception cref="DamagedCheckpointException">The file is missing, has another length, or other bytes.</exception>
    public byte[] Get(ComponentRef blob) => this.Read(blob) switch
    {
        (var content, null) => content,
        (_, var damage) => throw damage,
    };

    /// <summary>What is wrong with a blob; null when it is whole.</summary>
    public DamagedCheckpointException? Damage(ComponentRef blob) => this.Read(blob).Damage;

    /// <summary>Deletes blobs that nothing retained names, and left-overs of writes that were cut short.</summary>
    /// <returns>How many files were deleted.</returns>
    public int Sweep(IEnumerable<ComponentRef> kept)
    {
        if (!Directory.Exists(folder))
        {
            return 0;
        }
        var names = kept.Select(b => b.Sha256).ToHashSet();
        var gone = Directory.EnumerateFiles(folder).Where(f => !names.Contains(Path.GetFileName(f))).ToList();
        gone.ForEach(File.Delete);
        return gone.Count;
    }

    private (byte[] Content, DamagedCheckpointException? Damage) Read(ComponentRef blob)
    {
        var path = this.PathOf(blob.Sha256);
        if (!File.Exists(path))
        {
            return ([], new(path, $"{blob.Length:N0} bytes", "no such file"));
        }
        var content = File.ReadAllBytes(path);
        if (content.LongLength != blob.Length)
        {
            return ([], new(path, $"{blob.Length:N0} bytes", $"{content.LongLength:N0} bytes"));
        }
        var sha = DurableFile.Sha256(content);
        return (content, sha == blob.Sha256 ? null : new(path, $"SHA-256 {blob.Sha256}", $"SHA-256 {sha}"));
    }
}
