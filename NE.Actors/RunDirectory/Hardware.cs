namespace NE.Actors.RunDirectory;

/// <summary>What this process runs on, in words for run.json, reports and benchmarks.</summary>
public static class Hardware
{
    /// <summary>The processor's name, as Linux gives it.</summary>
    public static string Processor { get; } = ReadProcessor();

    /// <summary>For example "AMD EPYC 9R14, 2 cores".</summary>
    public static string Description { get; } =
        $"{Processor}, {Environment.ProcessorCount} {(Environment.ProcessorCount == 1 ? "core" : "cores")}";

    private static string ReadProcessor()
    {
        const string Information = "/proc/cpuinfo";

        try
        {
            string? line = File.ReadLines(Information).FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal));
            return line?.Split(':', 2)[1].Trim() ?? "unknown processor";
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            return "unknown processor";
        }
    }
}
