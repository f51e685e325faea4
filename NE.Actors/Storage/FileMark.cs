namespace NE.Actors.Storage;

/// <summary>The first bytes of a file that only grows, as a commit names them.</summary>
/// <param name="Length">How many bytes.</param>
/// <param name="Sha256">Of these bytes; null in commits from before it was kept.</param>
public sealed record FileMark(long Length, string? Sha256 = null)
{
    /// <summary>Of a file that has not begun.</summary>
    public static FileMark Nothing { get; } = new(0);
}
