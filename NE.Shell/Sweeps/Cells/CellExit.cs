namespace NE.Shell.Sweeps.Cells;

/// <summary>What the exit code of a cell's process means. 128 and more is the number of the signal that ended it.</summary>
internal static class CellExit
{
    /// <summary>
    /// By SIGHUP, SIGINT, SIGKILL or SIGTERM: from outside, by whoever is short of memory or of patience. That is no mistake of the cell, and
    /// trying again helps.
    /// </summary>
    public static bool IsKill(int exitCode) => exitCode is 129 or 130 or 137 or 143;

    /// <summary>Why it failed.</summary>
    /// <param name="exitCode">Neither 0 nor one of <see cref="IsKill"/>.</param>
    /// <param name="lastWords">What it said last; empty when it said nothing.</param>
    public static string Error(int exitCode, string lastWords)
    {
        // 131, 140 and 150 are exit codes of the `dotnet` host itself, which did not find what it needs.
        string how = exitCode is > 128 and not (131 or 140 or 150) ? $"ended by signal {exitCode - 128}" : $"ended with exit code {exitCode}";
        return lastWords.Length == 0 ? $"{how} and said nothing"
            // Whoever crashes says no reason: the last words are only where it was.
            : exitCode > 128 ? $"{how}; its last words: {lastWords}"
            : lastWords;
    }
}
