namespace NE.Shell.Host;

/// <summary>
/// What was asked for is right but could not be done: a library is missing, a file is damaged. The message is complete and readable; the
/// process ends with <see cref="ExitCode.Failed"/>.
/// </summary>
public sealed class ShellFailure(string message) : Exception(message);
