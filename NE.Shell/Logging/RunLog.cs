using NE.Model;
using Serilog;
using Serilog.Core;
using Serilog.Events;
using Serilog.Sinks.Seq;

namespace NE.Shell.Logging;

/// <summary>Where a run's log events go.</summary>
public sealed record RunLogTargets
{
    /// <summary>Newline-delimited JSON: the truth, appended to by resumes.</summary>
    public required string ClefFile { get; init; }

    /// <summary>Receives what a person should see now.</summary>
    public required ILogEventSink Console { get; init; }

    /// <summary>The least level that the console receives.</summary>
    public LogEventLevel ConsoleLevel { get; init; } = LogEventLevel.Warning;

    /// <summary>Address of a Seq server; null sends nothing.</summary>
    public string? SeqUrl { get; init; }

    /// <summary>Key that the Seq server asks for; null where it asks for none.</summary>
    public string? SeqApiKey { get; init; }

    /// <summary>Files that keep events until Seq has taken them, e.g. logs/seq-buffer.</summary>
    public required string SeqBuffer { get; init; }

    /// <summary>Time between attempts to send.</summary>
    public TimeSpan SeqPeriod { get; init; } = TimeSpan.FromSeconds(2);
}

/// <summary>What every event of a run's log says of where it comes from.</summary>
/// <param name="RunId">Of run.json.</param>
/// <param name="Run">Name of the run's folder.</param>
/// <param name="Sweep">The sweep whose cell it is; null for none.</param>
public sealed record RunLogIds(string RunId, string Run, string? Sweep = null);

/// <summary>
/// The log of one run. Writing never waits for Seq: its sink appends to a file that another thread sends from, so Seq may be absent, slow
/// or dying.
/// </summary>
public sealed class RunLog : IDisposable
{
    /// <summary>Closing against a server that accepts and never answers would otherwise take minutes.</summary>
    public static readonly TimeSpan CloseTimeout = TimeSpan.FromSeconds(5);

    /// <summary>Property of events that report progress: they are for files and servers, not for the console, which has its own view.</summary>
    public const string Progress = "Progress";

    private readonly Logger logger;
    private readonly StepEnricher step;
    private readonly SpanLog spans;

    private RunLog(Logger logger, StepEnricher step, SpanLog spans) => (this.logger, this.step, this.spans) = (logger, step, spans);

    /// <summary>Every event carries Run, RunId, Sweep in one, Environment, Seed, Method, Host and ProcessId, and the trace and span that it belongs to.</summary>
    public ILogger Logger => this.logger;

    /// <summary>Lets every event from now on carry the step that the run is at.</summary>
    public void CarryStep(Func<long> current) => this.step.Current = current;

    /// <summary>Opens the log and makes it Serilog's global one, which Akka's logger writes to.</summary>
    public static RunLog Open(RunLogTargets targets, RunLogIds ids, Settings settings)
    {
        EndTornLine(targets.ClefFile);
        var step = new StepEnricher();
        var root = new RootSpan(Sinks(targets));
        LoggerConfiguration configuration = new LoggerConfiguration()
            .MinimumLevel.Debug()
            .MinimumLevel.Override("Akka", LogEventLevel.Warning)
            .Enrich.WithProperty("Run", ids.Run)
            .Enrich.WithProperty("RunId", ids.RunId)
            .Enrich.WithProperty("Environment", settings.Run.Environment)
            .Enrich.WithProperty("Seed", settings.Run.Seed)
            .Enrich.WithProperty("Method", SettingsModule.agent(settings))
            .Enrich.WithProperty("Host", System.Environment.MachineName)
            .Enrich.WithProperty("ProcessId", System.Environment.ProcessId)
            .Enrich.With(step)
            .WriteTo.Sink(root);

        if (ids.Sweep is { } sweep)
        {
            configuration = configuration.Enrich.WithProperty("Sweep", sweep);
        }

        Logger logger = configuration.CreateLogger();
        Log.Logger = logger;
        return new RunLog(logger, step, new SpanLog(logger, began => root.Context ??= began));
    }

    private static Logger Sinks(RunLogTargets targets)
    {
        LoggerConfiguration configuration = new LoggerConfiguration()
            .MinimumLevel.Verbose()
            // Seq's own formatter: it writes what makes an event a span.
            .WriteTo.File(new SeqCompactJsonFormatter(), targets.ClefFile, fileSizeLimitBytes: null)
            .WriteTo.Conditional(IsForPeople, console => console.Sink(targets.Console, targets.ConsoleLevel));

        if (targets.SeqUrl is { } url)
        {
            configuration = configuration.WriteTo.Seq(
                url,
                apiKey: targets.SeqApiKey,
                bufferBaseFilename: targets.SeqBuffer,
                period: targets.SeqPeriod,
                restrictedToMinimumLevel: LogEventLevel.Information);
        }

        return configuration.CreateLogger();
    }

    private static bool IsForPeople(LogEvent logged) => !logged.Properties.ContainsKey(Progress) && !SpanLog.IsSpan(logged);

    /// <summary>Sends what can be sent within <see cref="CloseTimeout"/>; what could not stays in the buffer for the next process.</summary>
    public void Dispose()
    {
        this.spans.Dispose();

        if (ReferenceEquals(Log.Logger, this.logger))
        {
            Log.Logger = Serilog.Core.Logger.None;
        }

        Task.Run(this.logger.Dispose).Wait(CloseTimeout);
    }

    /// <summary>A killed process may leave half a line; the next event must not be glued to it.</summary>
    private static void EndTornLine(string file)
    {
        if (!File.Exists(file))
        {
            return;
        }

        using FileStream stream = File.Open(file, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);

        if (stream.Length > 0)
        {
            stream.Seek(-1, SeekOrigin.End);

            if (stream.ReadByte() != '\n')
            {
                stream.WriteByte((byte)'\n');
            }
        }
    }

    /// <summary>Adds the run's step to events that do not name one themselves.</summary>
    private sealed class StepEnricher : ILogEventEnricher
    {
        public Func<long>? Current { get; set; }

        public void Enrich(LogEvent logEvent, ILogEventPropertyFactory propertyFactory)
        {
            if (this.Current is { } current)
            {
                logEvent.AddPropertyIfAbsent(propertyFactory.CreateProperty("Step", current()));
            }
        }
    }
}
