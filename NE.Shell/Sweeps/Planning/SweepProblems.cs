using NE.Actors.Configuration;
using NE.Shell.Host;

namespace NE.Shell.Sweeps.Planning;

/// <summary>Says everything that is wrong with a sweep at once.</summary>
internal static class SweepProblems
{
    /// <summary>Throws one <see cref="UserError"/> when there is a problem; nothing was created by then.</summary>
    public static void Throw(IEnumerable<ConfigurationProblem> problems)
    {
        string[] texts = [.. problems.Select(problem => problem.ToString()).Distinct()];

        if (texts.Length == 1)
        {
            throw new UserError($"the sweep cannot be used: {texts[0]}");
        }

        if (texts.Length > 1)
        {
            throw new UserError($"the sweep has {texts.Length} problems:\n" + string.Join('\n', texts.Select(text => $"  {text}")));
        }
    }
}
