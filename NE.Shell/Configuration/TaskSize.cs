namespace NE.Shell.Configuration;

/// <summary>Sizes of a task that decide what a run takes.</summary>
/// <param name="Observations">Entries of an observation.</param>
/// <param name="Actions">Entries of an action.</param>
public sealed record TaskSize(int Observations, int Actions);
