using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace NE.Actors.Instruments;

/// <summary>Where a run offers its spans and measurements to whoever listens, by the names that OpenTelemetry and dotnet-counters ask for.</summary>
public static class RunInstruments
{
    /// <summary>Of the source of spans and of the meter.</summary>
    public const string Name = "NE.Actors";

    private static readonly string? Version = typeof(RunInstruments).Assembly.GetName().Version?.ToString(3);

    /// <summary>Spans of runs; without a listener none is made.</summary>
    public static ActivitySource Spans { get; } = new(Name, Version);

    /// <summary>Measurements of runs; without a listener none is taken.</summary>
    public static Meter Meter { get; } = new(Name, Version);
}
