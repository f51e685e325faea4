namespace NE.Shell.Doctor;

/// <summary>One thing that a run needs, or that helps it.</summary>
/// <param name="Name">What was looked for.</param>
/// <param name="Ok">Found and usable.</param>
/// <param name="Required">A run cannot do without it.</param>
/// <param name="Found">What was found, or why it cannot be used.</param>
/// <param name="Fix">What to do; null when nothing has to be done.</param>
public sealed record Finding(string Name, bool Ok, bool Required, string Found, string? Fix = null);
