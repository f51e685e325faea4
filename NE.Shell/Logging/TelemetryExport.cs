using NE.Actors.Instruments;
using NE.Shell.Host;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace NE.Shell.Logging;

/// <summary>Sends the spans and measurements of runs to an OpenTelemetry collector, from threads of its own: a run never waits for it.</summary>
internal sealed class TelemetryExport : IDisposable
{
    private readonly TracerProvider traces;
    private readonly MeterProvider metrics;

    private TelemetryExport(Uri collector, bool overHttp, ResourceBuilder resource)
    {
        this.traces = Sdk.CreateTracerProviderBuilder()
            .SetResourceBuilder(resource)
            .AddSource(RunInstruments.Name)
            .AddOtlpExporter(options => Address(options, collector, overHttp, "v1/traces"))
            .Build();
        this.metrics = Sdk.CreateMeterProviderBuilder()
            .SetResourceBuilder(resource)
            .AddMeter(RunInstruments.Name)
            .AddOtlpExporter(options => Address(options, collector, overHttp, "v1/metrics"))
            .Build();
    }

    /// <summary>Begins to send if the host names a collector.</summary>
    /// <param name="host">Knows OTEL_EXPORTER_OTLP_ENDPOINT and OTEL_EXPORTER_OTLP_PROTOCOL; headers and timeouts the exporter reads by itself.</param>
    /// <param name="runId">Of run.json.</param>
    /// <param name="run">Name of the run.</param>
    /// <exception cref="UserError">It is no address of a server.</exception>
    public static TelemetryExport? Of(ShellHost host, string runId, string run)
    {
        if (Collector(host) is not { } collector)
        {
            return null;
        }

        ResourceBuilder resource = ResourceBuilder.CreateEmpty()
            .AddService("ne", serviceInstanceId: runId)
            .AddAttributes([new("ne.run", run), new("host.name", Environment.MachineName), new("process.pid", (long)Environment.ProcessId)]);
        resource = host.Sweep is { } sweep ? resource.AddAttributes([new("ne.sweep", sweep)]) : resource;
        return new TelemetryExport(collector, host.OtlpOverHttp, resource);
    }

    /// <summary>The collector that the host names; null for none.</summary>
    /// <exception cref="UserError">It is no address of a server.</exception>
    public static Uri? Collector(ShellHost host) => host.OtlpEndpoint switch
    {
        null => null,
        var address when SeqAddress.IsAddress(address) => new Uri(address),
        var address => throw new UserError($"OTEL_EXPORTER_OTLP_ENDPOINT expects the address of an OpenTelemetry collector, such as http://127.0.0.1:4317; found '{address}'"),
    };

    /// <summary>Sends what can be sent within <see cref="RunLog.CloseTimeout"/>.</summary>
    public void Dispose() => Task.WhenAll(Task.Run(this.traces.Dispose), Task.Run(this.metrics.Dispose)).Wait(RunLog.CloseTimeout);

    private static void Address(OtlpExporterOptions options, Uri collector, bool overHttp, string path)
    {
        options.Protocol = overHttp ? OtlpExportProtocol.HttpProtobuf : OtlpExportProtocol.Grpc;
        options.Endpoint = overHttp ? new Uri($"{collector.AbsoluteUri.TrimEnd('/')}/{path}") : collector;
    }
}
