using Serilog;
using Serilog.Core;
using Serilog.Events;

namespace NE.Shell.Logging;

/// <summary>What a node of a fleet tells whoever watches it, and Seq.</summary>
internal static class NodeLog
{
    /// <summary>Makes Serilog's global logger, which Akka's logger writes to, until it is disposed.</summary>
    /// <param name="node">Its name: every event has it.</param>
    /// <param name="write">Takes a line for people.</param>
    /// <param name="seqUrl">A Seq server; null for none. It is never waited for.</param>
    /// <param name="seqApiKey">Key that it asks for; null for none.</param>
    public static Logger Open(string node, Action<string> write, string? seqUrl, string? seqApiKey)
    {
        LoggerConfiguration configuration = new LoggerConfiguration()
            .MinimumLevel.Information()
            .MinimumLevel.Override("Akka", LogEventLevel.Warning)
            .Enrich.WithProperty("Node", node)
            .Enrich.WithProperty("Host", System.Environment.MachineName)
            .Enrich.WithProperty("ProcessId", System.Environment.ProcessId)
            .WriteTo.Sink(new ConsoleSink(write));
        Logger logger = (seqUrl is null ? configuration : configuration.WriteTo.Seq(seqUrl, apiKey: seqApiKey)).CreateLogger();
        Log.Logger = logger;
        return logger;
    }
}
