using NE.Actors.Environments;
using NE.Actors.Hosting;
using NE.Actors.RunDirectory;
using NE.Shell.Host;

namespace NE.Shell.Verbs;

/// <summary>What several verbs say beside what they do.</summary>
internal static class VerbNotes
{
    /// <summary>That a policy plays on an environment which is not as it was when it learned there.</summary>
    public static void SayIfChanged(RunPaths paths, RunInfo info, EnvironmentSpec spec, ShellHost host)
    {
        if (StoredPolicy.ChangeOf(paths, info, spec) is { } change)
        {
            host.Error.WriteLine($"ne: note: {change}");
        }
    }
}
