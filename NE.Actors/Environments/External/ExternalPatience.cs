using NE.Model;

namespace NE.Actors.Environments.External;

/// <summary>How long an external environment may take.</summary>
/// <param name="Start">From its start to its schema (key external.startTimeout).</param>
/// <param name="Answer">To any other answer: a reset, a step, a saved state (key external.stepTimeout).</param>
public sealed record ExternalPatience(TimeSpan Start, TimeSpan Answer)
{
    public static ExternalPatience Default { get; } = Of(SettingsModule.defaults);

    public static ExternalPatience Of(Settings settings) =>
        new(TimeSpan.FromSeconds(settings.External.StartTimeout), TimeSpan.FromSeconds(settings.External.StepTimeout));
}

/// <summary>An environment in another process failed: it did not answer in time, ended, or said something that is not the protocol. The message is one
/// sentence that names the command, what was expected and found, and the last line of the child's standard error.</summary>
/// <param name="standardError">The last lines of the child's standard error; may be empty.</param>
public sealed class ExternalEnvironmentException(string message, string standardError = "") : Exception(message)
{
    /// <summary>The last lines of the child's standard error, such as the whole traceback; empty when it wrote none.</summary>
    public string StandardError => standardError;
}
