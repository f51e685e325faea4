using Akka.Actor;
using Akka.Dispatch;
using Akka.Event;
using NE.Actors.Stores;
using Serilog;
using Serilog.Core;
using Serilog.Events;
using AkkaEvent = Akka.Event.LogEvent;
using LogEvent = Serilog.Events.LogEvent;

namespace NE.Actors.Cast;

/// <summary>
/// Hands Akka's log events to Serilog's global logger with their class (SourceContext), their actor, their named properties, their time and
/// the span that they belong to.
/// Configured by `akka.loggers = ["NE.Actors.Cast.SerilogLogger, NE.Actors"]`.
/// </summary>
public sealed class SerilogLogger : ReceiveActor, IRequiresMessageQueue<ILoggerMessageQueueSemantics>
{
    /// <summary>The name under which Akka's configuration finds this class.</summary>
    public const string TypeName = "NE.Actors.Cast.SerilogLogger, NE.Actors";

    public SerilogLogger()
    {
        this.Receive<InitializeLogger>(_ => this.Sender.Tell(new LoggerInitialized()));
        this.Receive<AkkaEvent>(Write);
    }

    private static void Write(AkkaEvent entry)
    {
        LogEventLevel level = entry.LogLevel() switch
        {
            _ when IsConnectionTrouble(entry.LogSource) => LogEventLevel.Debug,
            LogLevel.DebugLevel => LogEventLevel.Debug,
            LogLevel.InfoLevel => LogEventLevel.Information,
            LogLevel.WarningLevel => LogEventLevel.Warning,
            _ => LogEventLevel.Error,
        };
        ILogger logger = Log.Logger
            .ForContext(Constants.SourceContextPropertyName, entry.LogClass?.FullName ?? "Akka")
            .ForContext("Actor", ActorName(entry.LogSource));

        if (!logger.IsEnabled(level))
        {
            return;
        }

        // A server's own words about a login name its user.
        Exception? cause = PostgresText.Find(entry.Cause) is { } server ? new JournalUnavailableException(PostgresText.Of(server)!) : entry.Cause;

        if (entry.Message is LogMessage message)
        {
            Write(logger, entry, level, cause, message.Format, [.. message.Parameters()]);
        }
        else
        {
            // A text is data, not a template: braces in it mean nothing.
            Write(logger, entry, level, cause, "{Message:l}", entry.Message?.ToString() ?? "");
        }
    }

    private static void Write(ILogger logger, AkkaEvent entry, LogEventLevel level, Exception? cause, string text, params object?[] values)
    {
        if (logger.BindMessageTemplate(text, values, out var template, out var properties))
        {
            var time = new DateTimeOffset(entry.Timestamp).ToLocalTime();
            var span = entry.ActivityContext ?? default;
            logger.Write(span == default
                ? new LogEvent(time, level, cause, template, properties)
                : new LogEvent(time, level, cause, template, properties, span.TraceId, span.SpanId));
        }
    }

    /// <summary>Whoever depends on a process of a fleet says once that it came or went; the connections to it would say so again and again.</summary>
    private static bool IsConnectionTrouble(string? source) => source is not null
        && (source.StartsWith("remoting (", StringComparison.Ordinal) || (source.Contains("/endpointManager/reliableEndpointWriter-", StringComparison.Ordinal) && !source.Contains("/endpointReader", StringComparison.Ordinal)));

    /// <summary>"[akka://ne/user/run/learner#123]" and "akka://ne/user/run/learner" as "run/learner".</summary>
    private static string ActorName(string? source)
    {
        string path = (source ?? "").Trim('[', ']').Split('#')[0];
        int user = path.IndexOf("/user/", StringComparison.Ordinal);
        return user >= 0 ? path[(user + "/user/".Length)..] : path;
    }
}
