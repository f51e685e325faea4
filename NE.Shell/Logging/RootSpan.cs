using System.Diagnostics;
using Serilog.Core;
using Serilog.Events;

namespace NE.Shell.Logging;

/// <summary>Hands events on; those that belong to no span belong to the one of this process's work on the run.</summary>
/// <param name="next">Receives them; disposed with this.</param>
internal sealed class RootSpan(Logger next) : ILogEventSink, IDisposable
{
    private volatile object? context;

    /// <summary>The span; null before there is one.</summary>
    public ActivityContext? Context
    {
        get => (ActivityContext?)this.context;
        set => this.context = value;
    }

    public void Emit(LogEvent logEvent) => next.Write(logEvent.TraceId is null && this.Context is { } root ? In(root, logEvent) : logEvent);

    public void Dispose() => next.Dispose();

    private static LogEvent In(ActivityContext span, LogEvent logged) => new(
        logged.Timestamp,
        logged.Level,
        logged.Exception,
        logged.MessageTemplate,
        logged.Properties.Select(property => new LogEventProperty(property.Key, property.Value)),
        span.TraceId,
        span.SpanId);
}
