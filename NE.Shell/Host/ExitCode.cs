namespace NE.Shell.Host;

/// <summary>What the process returns; documented in `ne --help`.</summary>
public enum ExitCode
{
    /// <summary>The command did what was asked.</summary>
    Ok = 0,

    /// <summary>The user's input cannot be used; nothing was created.</summary>
    UserError = 1,

    /// <summary>The run (or the check) failed.</summary>
    Failed = 2,

    /// <summary>The run was stopped on request and can be resumed.</summary>
    Interrupted = 3,
}
