namespace NE.Actors.RunDirectory;

/// <summary>What this process runs on, in words for run.json, reports and benchmarks.</summary>
public static class Hardware
{
    /// <summary>The processor's name, as Linux gives it.</summary>
    public static string Processor { get; } = ReadProcessor();

    /// <summary>For example "AMD EPYC 9R14, 2 cores".</summary>
    public static string Description { get; } =
        $"{Processor}, {Environment.ProcessorCount} {(Environment.ProcessorCount == 1 ? "core" : "cores")}";

    /// <summary>Memory that this process may use: the machine's, or its container's.</summary>
    public static long MemoryBytes => GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;

    /// <summary>What is free on the disk of a folder, which need not be there yet.</summary>
    public static long FreeDiskBytes(string folder)
    {
        string path = Path.GetFullPath(folder);
        while (!Directory.Exists(path) && Path.GetDirectoryName(path) is { } parent)
        {
            path = parent;
        }
        return new DriveInfo(path).AvailableFreeSpace;
    }

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
