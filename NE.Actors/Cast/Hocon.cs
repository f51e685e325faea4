namespace NE.Actors.Cast;

/// <summary>Pieces of Akka's configuration.</summary>
internal static class Hocon
{
    public static string Quoted(string text) => $"\"{text.Replace(@"\", @"\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";

    /// <summary>What every actor system of the program has: its loggers, and a clock for timers, none of which is finer than a good part of a second. Akka's own
    /// tick of 10 ms wakes a processor that has cells to work on 360 times a second.</summary>
    /// <param name="loggers">Their classes, as HOCON type names; none for Akka's own.</param>
    public static string Basis(IReadOnlyList<string> loggers) => $"""
        akka.scheduler.tick-duration = 50ms
        {(loggers.Count == 0 ? "" : $"akka.loggers = [{string.Join(", ", loggers.Select(Quoted))}]")}
        """;
}
