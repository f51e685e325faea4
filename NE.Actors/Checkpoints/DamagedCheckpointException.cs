namespace NE.Actors.Checkpoints;

/// <summary>A file that a checkpoint needs is missing, too short, or holds other bytes than were committed.</summary>
/// <param name="file">Full path of the file.</param>
/// <param name="expected">What the manifest names, for example a length or a hash.</param>
/// <param name="found">What is there.</param>
/// <param name="previousStep">Environment step of the checkpoint before, where there is one to fall back on.</param>
public sealed class DamagedCheckpointException(string file, string expected, string found, long? previousStep = null)
    : Exception(Describe(file, expected, found, previousStep))
{
    public string File { get; } = file;

    public string Expected { get; } = expected;

    public string Found { get; } = found;

    public long? PreviousStep { get; } = previousStep;

    internal DamagedCheckpointException Offering(long? step) => new(this.File, this.Expected, this.Found, step);

    private static string Describe(string file, string expected, string found, long? previousStep) =>
        $"The checkpoint is damaged: {file} should have {expected}, but has {found}. "
        + (previousStep is { } step
            ? $"The previous checkpoint, of step {step:N0}, can be used instead (--checkpoint previous)."
            : "There is no other checkpoint to fall back on; restore the file from a copy or start a new run.");
}
