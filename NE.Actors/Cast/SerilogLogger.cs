using Akka.Actor;
using Akka.Dispatch;
using Akka.Event;
using NE.Actors.Stores;
using Serilog;
using Serilog.Core;
using Serilog.Events;
using LogEvent = Akka.Event.LogEvent;

namespace NE.Actors.Cast;

/// <summary>
/// Hands Akka's log events to Serilog's global logger with their class (SourceContext), their actor and their named properties.
/// Configured by `akka.loggers = ["NE.Actors.Cast.SerilogLogger, NE.Actors"]`.
/// </summary>
public sealed class SerilogLogger : ReceiveActor, IRequiresMessageQueue<ILoggerMessageQueueSemantics>
{
    /// <summary>The name under which Akka's configuration finds this class.</summary>
    public const string TypeName = "NE.Actors.Cast.SerilogLogger, NE.Actors";

    public SerilogLogger()
    {
        this.Receive<InitializeLogger>(_ => this.Sender.Tell(new LoggerInitialized()));
        this.Receive<LogEvent>(Write);
    }

    private static void Write(LogEvent entry)
    {
        LogEventLevel level = entry.LogLevel() switch
        {
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
            logger.Write(level, cause, message.Format, [.. message.Parameters()]);
        }
        else
        {
            // A text is data, not a template: braces in it mean nothing.
            logger.Write(level, cause, "{Message:l}", entry.Message?.ToString() ?? "");
        }
    }

    /// <summary>"[akka://ne/user/run/learner#123]" and "akka://ne/user/run/learner" as "run/learner".</summary>
    private static string ActorName(string? source)
    {
        string path = (source ?? "").Trim('[', ']').Split('#')[0];
        int user = path.IndexOf("/user/", StringComparison.Ordinal);
        return user >= 0 ? path[(user + "/user/".Length)..] : path;
    }
}
