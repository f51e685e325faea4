namespace NE.Actors.Fleet.Cells;

/// <summary>What the exit codes of a cell's process say to its node, or stand for where there was no process. The others are those of `ne --help`.</summary>
public static class CellExitCode
{
    /// <summary>It could not be begun anywhere, or how it ended is not known: what it said last is the reason.</summary>
    public const int Unusable = 1;

    /// <summary>It was stopped, or not begun, and can go on.</summary>
    public const int Interrupted = 3;

    /// <summary>It ended by itself, because nobody renewed its right to go on. The "temporary failure" of sysexits.h: no code of ours, of the dotnet host, a shell or a
    /// signal.</summary>
    public const int LeaseIsOver = 75;
}
