using NE.Model;

namespace NE.Shell.Reports.Compare.Data;

/// <summary>Another value that a resume gave to a key.</summary>
/// <param name="Key">By the name that it has now.</param>
/// <param name="Step">Environment step from which on it holds.</param>
/// <param name="Old">What it was before.</param>
/// <param name="New">What it is from then on.</param>
public sealed record KeyChange(string Key, long Step, string Old, string New)
{
    /// <summary>The changes of a run as it was learned, by key, oldest first.</summary>
    /// <param name="events">Its operational events, oldest first.</param>
    internal static IReadOnlyList<KeyChange> Of(IEnumerable<History.RunEvent> events)
    {
        var changes = new List<KeyChange>();

        foreach (History.RunEvent happened in events)
        {
            if (happened is History.RunEvent.RunResumed resumed)
            {
                // One that goes back to an earlier checkpoint has had from there on what was changed behind it.
                changes = [.. changes.Select(change => change with { Step = Math.Min(change.Step, resumed.step) })];
            }
            else if (happened is History.RunEvent.ConfigurationChanged changed)
            {
                changes.AddRange(changed.changes
                    .Select(change => (Key: SettingsModule.presentName(change.Item1), Old: change.Item2, New: change.Item3))
                    .Where(change => change.Key is not null)
                    .Select(change => new KeyChange(change.Key!, changed.step, change.Old, change.New)));
            }
        }

        return [.. changes.GroupBy(change => change.Key).SelectMany(OfOneKey)];
    }

    /// <summary>Of several values at one step the last counts, and what was changed at step 0 was never another one.</summary>
    private static IEnumerable<KeyChange> OfOneKey(IEnumerable<KeyChange> changes) => changes
        .GroupBy(change => change.Step)
        .Select(step => step.First() with { New = step.Last().New })
        .Where(change => change.Step > 0 && change.Old != change.New);
}
