namespace NE.Actors.Configuration;

/// <summary>A configuration cannot be used. The message lists every problem of it, complete and readable; nothing was created or changed.</summary>
/// <param name="problems">At least one.</param>
public sealed class ConfigurationException(IReadOnlyList<ConfigurationProblem> problems) : Exception(Text(problems))
{
    /// <summary>All that is wrong, in the order in which it was found.</summary>
    public IReadOnlyList<ConfigurationProblem> Problems { get; } = problems;

    /// <summary>Throws if there are problems.</summary>
    public static void ThrowIfAny(IReadOnlyList<ConfigurationProblem> problems)
    {
        if (problems.Count > 0)
        {
            throw new ConfigurationException(problems);
        }
    }

    private static string Text(IReadOnlyList<ConfigurationProblem> problems) => problems.Count == 1
        ? $"the configuration cannot be used: {problems[0]}"
        : $"the configuration has {problems.Count} problems:\n" + string.Join('\n', problems.Select(problem => $"  {problem}"));
}
