namespace NE.Actors.Environments;

/// <summary>The environment that the user named cannot be used as it is: a file is missing or wrong, a plug-in does not fit, an external
/// program does not answer. The message says what was expected, what was found and what to do.</summary>
public sealed class EnvironmentUnusableException(string message, Exception? inner = null) : Exception(message, inner);
