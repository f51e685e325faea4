namespace NE.Actors.Fleet.Copies;

/// <summary>A run directory as it was at a commit, by content.</summary>
/// <param name="Step">Environment steps of the run at that commit.</param>
/// <param name="Files">In the order in which they may take their places: a resume reads the later ones first.</param>
public sealed record CopyManifest(long Step, IReadOnlyList<CopiedFile> Files)
{
    /// <summary>[bytes] Files are compared piece by piece, and a piece crosses as a whole.</summary>
    public const int PieceBytes = 256 << 10;

    /// <summary>Bytes of all files.</summary>
    public long Bytes => this.Files.Sum(file => file.Length);

    /// <exception cref="InvalidDataException">A path leaves the directory, is there twice, or a length does not fit.</exception>
    public void Check()
    {
        var seen = new HashSet<string>();
        foreach (var file in this.Files)
        {
            if (!IsInside(file.Path) || !seen.Add(file.Path))
            {
                throw new InvalidDataException($"'{file.Path}' is no file of a run directory, or is named twice");
            }
            if (file.Length < 0 || file.Pieces.Count != PiecesOf(file.Length))
            {
                throw new InvalidDataException($"{file.Path} has {file.Length:N0} bytes in {file.Pieces.Count} pieces");
            }
        }
    }

    /// <summary>Whether the bytes that such a file has never change: blobs, replay rows, tables, logs. The others are written anew as a whole, or anywhere.</summary>
    public static bool OnlyGrows(string path) => path.Contains('/') || Path.GetExtension(path) == ".csv";

    /// <summary>How many pieces so many bytes are.</summary>
    public static long PiecesOf(long length) => (length + PieceBytes - 1) / PieceBytes;

    /// <summary>Bytes of one of the pieces.</summary>
    public static int LengthOf(CopiedFile file, int piece) => (int)Math.Min(PieceBytes, file.Length - (long)piece * PieceBytes);

    private static bool IsInside(string path) =>
        path.Split('/').All(part => part is not ("" or "." or "..") && !part.Any(letter => char.IsControl(letter) || letter == '\\'));
}

/// <summary>A file of a run directory.</summary>
/// <param name="Path">From the run's directory, with '/'.</param>
/// <param name="Length">[bytes]</param>
/// <param name="Pieces">SHA-256 of each piece, in hex.</param>
public sealed record CopiedFile(string Path, long Length, IReadOnlyList<string> Pieces);
