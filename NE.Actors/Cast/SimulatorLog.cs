using NE.Actors.Environments.External;
using NE.Actors.MuJoCo;
using Serilog;
using Serilog.Core;

namespace NE.Actors.Cast;

/// <summary>
/// Hands what simulators say of their own accord to Serilog's global logger, as <see cref="SerilogLogger"/> does with what actors say. MuJoCo and the programs of external
/// environments know no run, and a process may have several, one after the other or side by side: who listens to them outlives every run.
/// </summary>
internal static class SimulatorLog
{
    /// <summary>Listens from now on, unless somebody does already.</summary>
    public static void Open()
    {
        MuJoCoHandlers.WarningLog ??= warning => Of("NE.Actors.MuJoCo").Warning("MuJoCo warns: {Warning}", warning);
        ExternalEnvironment.Log ??= line => Of("NE.Actors.Environments.External").Information("An external environment says: {Line}", line);
    }

    /// <summary>The logger of this moment: whoever begins a run may set another one.</summary>
    private static ILogger Of(string source) => Log.Logger.ForContext(Constants.SourceContextPropertyName, source);
}
