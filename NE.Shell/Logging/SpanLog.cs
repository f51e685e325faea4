using System.Collections.Concurrent;
using System.Diagnostics;
using NE.Actors.Instruments;
using Serilog;
using Serilog.Events;
using Serilog.Parsing;

namespace NE.Shell.Logging;

/// <summary>
/// Writes the spans of runs into a log as they end, as events with the properties that Seq's formatter makes @st, @ps and @sk of. (The
/// packages that do the same are not to be had from the feed.)
/// </summary>
internal sealed class SpanLog : IDisposable
{
    private const string Start = "SpanStartTimestamp";
    private static readonly ConcurrentDictionary<string, MessageTemplate> Templates = new();
    private readonly ActivityListener listener;

    /// <param name="logger">Receives the spans.</param>
    /// <param name="root">Told when a span begins that is part of no other: the one of this process's work on the run.</param>
    public SpanLog(ILogger logger, Action<ActivityContext> root)
    {
        this.listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == RunInstruments.Name,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStarted = activity =>
            {
                if (activity.OperationName == "run")
                {
                    root(activity.Context);
                }
            },
            ActivityStopped = activity => logger.Write(EventOf(activity)),
        };
        ActivitySource.AddActivityListener(this.listener);
    }

    /// <summary>Whether an event tells of a span.</summary>
    public static bool IsSpan(LogEvent logged) => logged.Properties.ContainsKey(Start);

    public void Dispose() => this.listener.Dispose();

    private static LogEvent EventOf(Activity activity)
    {
        List<LogEventProperty> properties = [new(Start, new ScalarValue(activity.StartTimeUtc))];

        if (activity.ParentSpanId != default)
        {
            properties.Add(new("ParentSpanId", new ScalarValue(activity.ParentSpanId)));
        }

        properties.AddRange(activity.TagObjects.Select(tag => new LogEventProperty(tag.Key, new ScalarValue(tag.Value))));
        return new LogEvent(
            new DateTimeOffset(activity.StartTimeUtc + activity.Duration).ToLocalTime(),
            activity.Status is ActivityStatusCode.Error ? LogEventLevel.Error : LogEventLevel.Information,
            null,
            Templates.GetOrAdd(activity.DisplayName, name => new MessageTemplateParser().Parse(name)),
            properties,
            activity.TraceId,
            activity.SpanId);
    }
}
