using NE.Actors.Configuration;
using NE.Actors.Integrity;
using NE.Actors.RunDirectory;

namespace NE.Actors.Hosting;

/// <summary>What every resume does with damaged files whose content something else knows.</summary>
public static class RunMending
{
    /// <summary>Makes anew what other files of the run know as well. The caller holds the run's lock.</summary>
    /// <param name="run">The run.</param>
    /// <param name="info">run.json as it was found.</param>
    /// <param name="configuration">config.yaml as it was found.</param>
    /// <param name="writeInfo">Write run.json too; a run that goes on does that itself.</param>
    /// <returns>What was done, a sentence for each file.</returns>
    public static IEnumerable<string> MakeAnew(RunPaths run, StoredRunInfo info, StoredConfiguration configuration, bool writeInfo)
    {
        if (info.Damage is { } damage)
        {
            if (writeInfo)
            {
                info.Info.Write(run.RunInfo);
            }

            yield return $"{damage.TrimEnd('.')}: it is made anew from the journal";
        }

        if (configuration.Damage is { } problem)
        {
            string kept = configuration.Restore(run) is { } file ? $"; what was found is {Path.GetFileName(file)}" : "";
            yield return $"{run.Configuration} {problem}. It is made anew from the journal{kept}. To change a key: ne resume {run.Name} key=value";
        }

        foreach (string made in RunRepair.MakeAnew(run))
        {
            yield return made;
        }
    }
}
