using NE.Model;
using Serilog;
using Serilog.Core;
using Serilog.Events;
using Serilog.Formatting.Compact;

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

    /// <summary>Files that keep events until Seq has taken them, e.g. logs/seq-buffer.</summary>
    public required string SeqBuffer { get; init; }

    /// <summary>Time between attempts to send.</summary>
    public TimeSpan SeqPeriod { get; init; } = TimeSpan.FromSeconds(2);
}

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

    private RunLog(Logger logger, StepEnricher step) => (this.logger, this.step) = (logger, step);

    /// <summary>Every event carries RunId, Environment, Seed and Method.</summary>
    public ILogger Logger => this.logger;

    /// <summary>Lets every event from now on carry the step that the run is at.</summary>
    public void CarryStep(Func<long> current) => this.step.Current = current;

    /// <summary>Opens the log and makes it Serilog's global one, which Akka's logger writes to.</summary>
    public static RunLog Open(RunLogTargets targets, string runId, Settings settings)
    {
        EndTornLine(targets.ClefFile);
        var step = new StepEnricher();
        LoggerConfiguration configuration = new LoggerConfiguration()
            .MinimumLevel.Debug()
            .MinimumLevel.Override("Akka", LogEventLevel.Warning)
            .Enrich.WithProperty("RunId", runId)
            .Enrich.WithProperty("Environment", settings.Run.Environment)
            .Enrich.WithProperty("Seed", settings.Run.Seed)
            .Enrich.WithProperty("Method", SettingsModule.agent(settings))
            .Enrich.With(step)
            .WriteTo.File(new CompactJsonFormatter(), targets.ClefFile, fileSizeLimitBytes: null)
            .WriteTo.Conditional(logged => !logged.Properties.ContainsKey(Progress), console => console.Sink(targets.Console, targets.ConsoleLevel));

        if (targets.SeqUrl is { } url)
        {
            configuration = configuration.WriteTo.Seq(
                url, bufferBaseFilename: targets.SeqBuffer, period: targets.SeqPeriod, restrictedToMinimumLevel: LogEventLevel.Information);
        }

        Logger logger = configuration.CreateLogger();
        Log.Logger = logger;
        return new RunLog(logger, step);
    }

    /// <summary>Sends what can be sent within <see cref="CloseTimeout"/>; what could not stays in the buffer for the next process.</summary>
    public void Dispose()
    {
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
