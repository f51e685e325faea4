using System.Security.Cryptography;

namespace NE.Actors.Fleet.Copies;

/// <summary>SHA-256 of the pieces of files. Of files that only grow, whole pieces are read once.</summary>
internal sealed class PieceHashes
{
    private readonly Dictionary<string, List<string>> known = [];

    /// <param name="path">What it is called in the copy.</param>
    /// <param name="file">Where it is.</param>
    /// <param name="length">[bytes] So much of it.</param>
    /// <exception cref="IOException">It is shorter, or cannot be read.</exception>
    public CopiedFile Of(string path, string file, long length)
    {
        var grows = CopyManifest.OnlyGrows(path);
        var before = grows && this.known.TryGetValue(path, out var hashes) ? hashes : [];
        var whole = (int)(length / CopyManifest.PieceBytes);
        var pieces = before.Take(whole).ToList();
        if (pieces.Count < CopyManifest.PiecesOf(length))
        {
            using var handle = File.OpenHandle(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            var buffer = new byte[CopyManifest.PieceBytes];
            while (pieces.Count < CopyManifest.PiecesOf(length))
            {
                var at = (long)pieces.Count * CopyManifest.PieceBytes;
                var piece = buffer.AsSpan(0, (int)Math.Min(buffer.Length, length - at));
                Read(handle, file, piece, at);
                pieces.Add(Convert.ToHexStringLower(SHA256.HashData(piece)));
            }
        }
        if (grows)
        {
            this.known[path] = [.. pieces.Take(whole)];
        }
        return new CopiedFile(path, length, pieces);
    }

    /// <summary>Forgets files that are no part of the copy any more.</summary>
    public void Keep(CopyManifest copy)
    {
        var names = copy.Files.Select(file => file.Path).ToHashSet();
        foreach (var gone in this.known.Keys.Where(path => !names.Contains(path)).ToArray())
        {
            this.known.Remove(gone);
        }
    }

    /// <exception cref="IOException">The file ends before.</exception>
    public static void Read(Microsoft.Win32.SafeHandles.SafeFileHandle handle, string file, Span<byte> into, long at)
    {
        for (var done = 0; done < into.Length;)
        {
            var read = RandomAccess.Read(handle, into[done..], at + done);
            done += read > 0 ? read : throw new IOException($"{file} ends at byte {at + done:N0}");
        }
    }
}
