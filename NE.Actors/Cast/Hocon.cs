namespace NE.Actors.Cast;

/// <summary>Pieces of Akka's configuration.</summary>
internal static class Hocon
{
    public static string Quoted(string text) => $"\"{text.Replace(@"\", @"\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";

    /// <summary>The line that names loggers; empty for Akka's own.</summary>
    /// <param name="types">Their classes, as HOCON type names.</param>
    public static string Loggers(IReadOnlyList<string> types) => types.Count == 0 ? "" : $"akka.loggers = [{string.Join(", ", types.Select(Quoted))}]";
}
