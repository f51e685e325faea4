namespace NE.Actors.Integrity;

/// <summary>What can be done about damage.</summary>
public enum Remedy
{
    /// <summary>Something else has the same content: a resume and `ne repair` make it anew.</summary>
    MadeAnew,

    /// <summary>`ne repair` goes on without what is lost; the state of the run has none of it.</summary>
    Repair,

    /// <summary>The checkpoint before does not need it.</summary>
    PreviousCheckpoint,

    /// <summary>Only a copy of the file helps.</summary>
    Copy,
}

/// <summary>One thing that is not what was written.</summary>
/// <param name="File">Within the run directory.</param>
/// <param name="Place">Where in it, for example "record 17"; empty for the whole file.</param>
/// <param name="Problem">A sentence.</param>
/// <param name="Remedy">What can be done.</param>
public sealed record Finding(string File, string Place, string Problem, Remedy Remedy);

/// <summary>A retained checkpoint and whether the run can go on from it.</summary>
/// <param name="Step">Environment steps.</param>
/// <param name="IsResumable">All its files are what they were, or can be made anew.</param>
public sealed record ExaminedCheckpoint(long Step, bool IsResumable);

/// <summary>What an examination of a run found.</summary>
/// <param name="Checkpoints">The retained ones, newest first.</param>
/// <param name="Findings">Everything that is damaged; none when the run is whole.</param>
public sealed record Examination(IReadOnlyList<ExaminedCheckpoint> Checkpoints, IReadOnlyList<Finding> Findings);
