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

/// <summary>An environment in another process failed: it did not answer in time, ended, or said something that is not the protocol. The message names
/// the command, what was expected and found, and ends with the last lines of the child's standard error.</summary>
public sealed class ExternalEnvironmentException(string message, Exception? inner = null) : Exception(message, inner);
