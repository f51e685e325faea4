using System.Runtime.InteropServices;

namespace NE.Shell.Running;

/// <summary>
/// Turns SIGTERM and Ctrl-C into one request to stop. A second Ctrl-C ends the process at once: what was committed stays resumable.
/// </summary>
public sealed partial class StopSignals : IDisposable
{
    private readonly Action<string> requestStop;
    private readonly Action endAtOnce;
    private readonly List<PosixSignalRegistration> registrations = [];
    private int requested;

    /// <param name="requestStop">Gets the reason; called once, from any thread.</param>
    /// <param name="endAtOnce">Ends the process without further ado.</param>
    public StopSignals(Action<string> requestStop, Action endAtOnce)
    {
        this.requestStop = requestStop;
        this.endAtOnce = endAtOnce;
    }

    /// <summary>Begins to listen to the process's signals.</summary>
    public StopSignals Listen()
    {
        foreach (PosixSignal signal in (PosixSignal[])[PosixSignal.SIGTERM, PosixSignal.SIGINT])
        {
            this.registrations.Add(PosixSignalRegistration.Create(signal, context =>
            {
                context.Cancel = true;
                this.On(context.Signal);
            }));
        }

        return this;
    }

    /// <summary>A signal arrived.</summary>
    public void On(PosixSignal signal)
    {
        if (Interlocked.Exchange(ref this.requested, 1) == 0)
        {
            this.requestStop(signal == PosixSignal.SIGINT ? "Ctrl-C" : "SIGTERM");
        }
        else if (signal == PosixSignal.SIGINT)
        {
            this.endAtOnce();
        }
    }

    public void Dispose() => this.registrations.ForEach(registration => registration.Dispose());

    /// <summary>Leaves without running anything that could wait: exit handlers, finalizers, native destructors.</summary>
    [LibraryImport("libc", EntryPoint = "_exit")]
    internal static partial void LeaveNow(int exitCode);
}
