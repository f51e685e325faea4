using System.Globalization;
using Serilog.Core;
using Serilog.Events;
using Serilog.Formatting.Display;

namespace NE.Shell.Logging;

/// <summary>Turns log events into lines for a person and hands them on; called from any thread, one line at a time.</summary>
/// <param name="write">Takes a line without its end.</param>
public sealed class ConsoleSink(Action<string> write) : ILogEventSink
{
    /// <summary>l: texts without quotes, j: objects as JSON.</summary>
    private static readonly MessageTemplateTextFormatter Message = new("{Message:lj}", CultureInfo.InvariantCulture);
    private readonly Lock gate = new();

    public void Emit(LogEvent logEvent)
    {
        string time = logEvent.Timestamp.ToString("HH:mm:ss", CultureInfo.InvariantCulture);
        var text = new StringWriter();
        Message.Format(logEvent, text);
        string line = $"{time} {Level(logEvent.Level)} {text}{Cause(logEvent.Exception?.GetBaseException().Message, text.ToString())}";

        lock (this.gate)
        {
            write(line);
        }
    }

    /// <summary>What a text does not say itself of the exception that it tells of.</summary>
    private static string Cause(string? message, string text) => message is null || text.Contains(message, StringComparison.Ordinal) ? "" : $" ({message})";

    private static string Level(LogEventLevel level) => level switch
    {
        LogEventLevel.Fatal or LogEventLevel.Error => "error",
        LogEventLevel.Warning => "warning",
        LogEventLevel.Information => "info",
        _ => "debug",
    };
}
