namespace NE.Actors.Environments;

/// <summary>Counts in messages: "1 number", "2 numbers".</summary>
internal static class Counted
{
    /// <param name="noun">In the singular; its plural ends in s.</param>
    internal static string Of(long count, string noun) => $"{count} {noun}{(count == 1 ? "" : "s")}";
}
