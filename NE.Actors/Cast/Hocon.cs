namespace NE.Actors.Cast;

/// <summary>Pieces of Akka's configuration.</summary>
internal static class Hocon
{
    public static string Quoted(string text) => $"\"{text.Replace(@"\", @"\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";

    /// <summary>A line for actor systems that live beside the processes of cells, and none of whose timers is finer than a good part of a second: Akka's own tick of 10 ms
    /// wakes a processor that has work to do 360 times a second.</summary>
    public const string CoarseTimers = "akka.scheduler.tick-duration = 50ms";

    /// <summary>The line that names loggers; empty for Akka's own.</summary>
    /// <param name="types">Their classes, as HOCON type names.</param>
    public static string Loggers(IReadOnlyList<string> types) => types.Count == 0 ? "" : $"akka.loggers = [{string.Join(", ", types.Select(Quoted))}]";
}
