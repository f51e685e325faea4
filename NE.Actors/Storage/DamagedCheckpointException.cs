namespace NE.Actors.Storage;

/// <summary>A file that a checkpoint needs is missing, too short, or holds other bytes than were committed.</summary>
/// <param name="file">Full path of the file.</param>
/// <param name="expected">What the manifest names, for example a length or a hash.</param>
/// <param name="found">What is there.</param>
/// <param name="previousStep">Environment step of the checkpoint before, where there is one to fall back on.</param>
/// <param name="newestStep">Environment step of the newest checkpoint, where the one before was asked for.</param>
/// <param name="isNewestWhole">The newest one is not damaged.</param>
public sealed class DamagedCheckpointException(string file, string expected, string found, long? previousStep = null, long? newestStep = null, bool isNewestWhole = false)
    : Exception(Describe(file, expected, found, previousStep, newestStep, isNewestWhole))
{
    public string File { get; } = file;

    public string Expected { get; } = expected;

    public string Found { get; } = found;

    public long? PreviousStep { get; } = previousStep;

    internal DamagedCheckpointException Offering(long? step) => new(this.File, this.Expected, this.Found, step);

    internal DamagedCheckpointException KeepingNewest(long step, bool isWhole) =>
        new(this.File, this.Expected, this.Found, newestStep: step, isNewestWhole: isWhole);

    private static string Describe(string file, string expected, string found, long? previousStep, long? newestStep, bool isNewestWhole)
    {
        var isTable = Path.GetExtension(file) == ".csv";
        var run = Path.GetFileName(Path.GetDirectoryName(file));
        return $"{(isTable ? $"A table of the {(newestStep is null ? "" : "previous ")}checkpoint" : $"The {(newestStep is null ? "" : "previous ")}checkpoint")} is damaged: {file} should have {expected}, but has {found}. "
            + (isTable ? $"Restore the file from a copy, or `ne repair {run}`: it makes the table anew from the journal, or keeps the rows that are whole."
            : newestStep is { } newest && isNewestWhole ? $"The newest one, of step {newest:N0}, was not touched: resume without --checkpoint, or restore the file from a copy."
            : newestStep is { } damaged ? $"The newest one, of step {damaged:N0}, is damaged, too, and neither was touched: restore the files from a copy or start a new run."
            : previousStep is { } previous ? $"The previous checkpoint, of step {previous:N0}, can be used instead (--checkpoint previous; with eval and record --checkpoint {previous})."
            : "There is no other checkpoint to fall back on; restore the file from a copy or start a new run.");
    }
}
