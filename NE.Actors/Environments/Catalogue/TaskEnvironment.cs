namespace NE.Actors.Environments.Catalogue;

/// <summary>A task of a run as the run began with it.</summary>
internal static class TaskEnvironment
{
    /// <summary>A new environment that is still that: its files may have been edited, its program replaced, or this is another machine.</summary>
    /// <param name="settings">Of the run.</param>
    /// <param name="id">Of the task.</param>
    /// <param name="fingerprint">What the run began with; null for one of ours.</param>
    /// <param name="cycle">Whose task it is; null for a run without one.</param>
    /// <param name="create">Makes it in the factory's place; null asks the factory.</param>
    /// <exception cref="EnvironmentUnusableException">It is not that, or cannot be made.</exception>
    public static IEnvironment Create(Settings settings, string id, EnvironmentFingerprint? fingerprint, EnvironmentCycle? cycle, Func<string, IEnvironment>? create = null)
    {
        var created = create?.Invoke(id) ?? EnvironmentFactory.Create(settings, id);
        try
        {
            EnvironmentFingerprint.Require(id, fingerprint, created.Spec.Fingerprint);
            return cycle?.Padded(created) ?? created;
        }
        catch
        {
            created.Dispose();
            throw;
        }
    }
}
