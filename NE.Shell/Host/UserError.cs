namespace NE.Shell.Host;

/// <summary>
/// Input that cannot be used. The message is for the user, complete and readable; it is printed without a stack trace and the process
/// ends with <see cref="ExitCode.UserError"/>.
/// </summary>
public sealed class UserError(string message) : Exception(message);
