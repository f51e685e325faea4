using NE.Actors.Conducting;
using NE.Actors.Hosting;
using NE.Actors.Runs;
using NE.Actors.Storage;
using NE.Model;
using NE.Model.Networks;

namespace NE.Shell.Host;

/// <summary>The outside world as the shell sees it, passed in so that every screen can be tested as text.</summary>
public sealed record ShellHost
{
    /// <summary>Environment variable by which a sweep tells the processes of its cells its name.</summary>
    public const string SweepVariable = "NE_SWEEP";

    /// <summary>Environment variable with the address of a PostgreSQL server for journals, and its login.</summary>
    public const string JournalVariable = "NE_JOURNAL";

    /// <summary>Environment variable with the file of this user's key for fleets.</summary>
    public const string FleetKeyVariable = "NE_FLEET_KEY";

    public required TextWriter Output { get; init; }

    public required TextWriter Error { get; init; }

    /// <summary>Folder of the runs when `--runs` is not given.</summary>
    public required string DefaultRuns { get; init; }

    /// <summary>Address of a Seq server when `--seq` is not given; null when there is none.</summary>
    public string? SeqUrl { get; init; }

    /// <summary>Key that the Seq server asks for; null for none. Never to be printed.</summary>
    public string? SeqApiKey { get; init; }

    /// <summary>Address of an OpenTelemetry collector; null for none.</summary>
    public string? OtlpEndpoint { get; init; }

    /// <summary>The collector is spoken to in protobuf over HTTP, not in gRPC.</summary>
    public bool OtlpOverHttp { get; init; }

    /// <summary>The sweep that started this process for one of its cells; null for none.</summary>
    public string? Sweep { get; init; }

    /// <summary>Address of a PostgreSQL server for journals when `--journal` is not given, with its login; null when there is none.</summary>
    public string? JournalUrl { get; init; }

    /// <summary>File with the key of this user's fleets when `--fleet-key` is not given.</summary>
    public string FleetKey { get; init; } = "fleet.pem";

    /// <summary>What a browser elsewhere must show to see the page of `ne serve --host` or `--control`; null draws one.</summary>
    public string? ServeToken { get; init; }

    /// <summary>A fault that `ne torture` provokes in this process; null for none.</summary>
    public string? Fault { get; init; }

    /// <summary>Folders to look for programs in, separated by ':', as in PATH; null for none.</summary>
    public string? SearchPath { get; init; }

    /// <summary>True when the output is a terminal that understands colours and cursor movement.</summary>
    public bool Interactive { get; init; }

    /// <summary>Columns of the output.</summary>
    public int Width { get; init; } = 120;

    /// <summary>Columns of the terminal at this moment, for what is drawn again and again; null where it stays `Width`.</summary>
    public Func<int>? LiveWidth { get; init; }

    /// <summary>Reads a whole file; null when it does not exist.</summary>
    public Func<string, string?> ReadFile { get; init; } = path => File.Exists(path) ? File.ReadAllText(path) : null;

    /// <summary>Starts or continues the run of a locked directory.</summary>
    public Func<RunRequest, ITrainingRun> StartRun { get; init; } = TrainingRun.Start;

    /// <summary>Loads the native libraries that a run, or null for a mere evaluation, needs, those that draw if its agent sees pictures, and returns all
    /// versions by name; throws what <see cref="Failures"/> expects.</summary>
    public Preparation Prepare { get; init; } = RunPrerequisites.Load;

    /// <summary>Whether there is a CUDA device that a run could compute on.</summary>
    public Func<bool> HasCuda { get; init; } = Engines.hasCuda;

    /// <summary>Program and first arguments with which this program starts itself, once per cell of a sweep.</summary>
    public IReadOnlyList<string> Executable { get; init; } = OwnExecutable.Words;

    /// <summary>What that program is now, as a text that changes when it is rebuilt.</summary>
    public Func<string> Build { get; init; } = () => OwnBuild.Of(AppContext.BaseDirectory);

    /// <summary>Cores that the runs of a sweep share.</summary>
    public int Processors { get; init; } = Environment.ProcessorCount;

    /// <summary>What the configuration of a run asks of this machine.</summary>
    public Machine Machine => new(this.HasCuda, this.Processors);

    /// <summary>Opens the standard input of a run that another program binds to itself.</summary>
    public Func<Stream> Input { get; init; } = InputEnd.OpenApart;

    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>The command as it was typed, for command.txt.</summary>
    public IReadOnlyList<string> Arguments { get; init; } = [];

    /// <summary>The process's own host: the one place that reads environment variables and the console.</summary>
    public static ShellHost FromProcess(IReadOnlyList<string> arguments)
    {
        bool colour = string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"))
            && Environment.GetEnvironmentVariable("TERM") is not ("dumb" or null or "");
        return new ShellHost
        {
            Output = Console.Out,
            Error = Console.Error,
            DefaultRuns = NonEmpty("NE_RUNS") ?? "runs",
            SeqUrl = NonEmpty("NE_SEQ_URL"),
            SeqApiKey = NonEmpty("NE_SEQ_API_KEY") ?? NonEmpty("SEQ_API_KEY"),
            OtlpEndpoint = NonEmpty("OTEL_EXPORTER_OTLP_ENDPOINT"),
            OtlpOverHttp = NonEmpty("OTEL_EXPORTER_OTLP_PROTOCOL") is "http/protobuf",
            Sweep = NonEmpty(SweepVariable),
            JournalUrl = NonEmpty(JournalVariable),
            FleetKey = NonEmpty(FleetKeyVariable) ?? Path.Combine(NonEmpty("XDG_CONFIG_HOME") ?? Path.Combine(NonEmpty("HOME") ?? "/", ".config"), "ne", "fleet.pem"),
            ServeToken = NonEmpty("NE_SERVE_TOKEN"),
            Fault = NonEmpty(Faults.Variable),
            SearchPath = NonEmpty("PATH"),
            Interactive = colour && !Console.IsOutputRedirected,
            Width = Console.IsOutputRedirected ? 160 : Math.Max(60, Console.WindowWidth),
            // Zero in some terminals that do not say.
            LiveWidth = () => Console.WindowWidth is > 0 and var columns ? columns : 80,
            Arguments = arguments,
        };
    }

    private static string? NonEmpty(string variable) =>
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 } value ? value : null;
}
