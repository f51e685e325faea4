namespace NE.Actors.Configuration;

/// <summary>What the exception of a refused argument says to people, who know of no parameters.</summary>
public static class RefusedArgument
{
    /// <summary>The message, without the name of the parameter that .NET adds to it.</summary>
    public static string Sentence(this Exception problem) => problem is ArgumentException { ParamName: { Length: > 0 } name }
        ? problem.Message.Replace($" (Parameter '{name}')", "", StringComparison.Ordinal)
        : problem.Message;
}
