using NE.Actors.Checkpoints;
using NE.Actors.Replay;
using NE.Actors.Storage;
using NE.Model;
using NE.Model.Runs;
using Case = NE.Model.History.RunEvent;

namespace NE.Actors.Journal;

/// <summary>Stored records from and to the values that the program works with.</summary>
internal static class StoredConversion
{
    internal static StoredTopologyChanged Store(long id, bool withCommit, Case.TopologyChanged e) => new(
        id,
        withCommit,
        e.ordinal,
        e.Item2.Step,
        e.Item2.Network,
        [.. e.Item2.Layers.Select(l => new StoredLayerChange(
            l.Stack,
            l.Layer,
            IndexCoding.Encode(l.Grown),
            IndexCoding.Encode(l.Pruned),
            IndexCoding.Encode(l.Touched),
            l.Dormant,
            l.Active,
            l.Size,
            l.MinScore,
            l.MaxScore))],
        e.Item2.OutputShift);

    internal static JournalEntry Load(StoredTopologyChanged e) => new JournalEntry.EventStored(e.Id, e.WithCommit, Case.NewTopologyChanged(
        e.Ordinal,
        new History.TopologyChanged(
            e.Step,
            e.Network,
            [.. e.Layers.Select(l => new History.LayerChange(
                l.Stack,
                l.Layer,
                IndexCoding.Decode(l.Grown),
                IndexCoding.Decode(l.Pruned),
                IndexCoding.Decode(l.Touched),
                l.Dormant,
                l.Active,
                l.Size,
                l.MinScore,
                l.MaxScore))],
            e.OutputShift)));

    internal static JournalEntry Load(StoredEpisodeEnded e) => new JournalEntry.EventStored(e.Id, e.WithCommit, Case.NewEpisodeEnded(
        e.Ordinal, new History.EpisodeEnded(e.Step, e.Environment, e.Episode, e.Return, e.Length, e.Terminated)));

    internal static StoredEpisodesEnded Store(JournalEntry.EpisodesStored stored)
    {
        Case.EpisodeEnded[] ended = [.. stored.Episodes.Cast<Case.EpisodeEnded>()];
        History.EpisodeEnded[] episodes = [.. ended.Select(e => e.Item2)];
        var terminated = new byte[(episodes.Length + 7) / 8];
        for (var i = 0; i < episodes.Length; i++)
        {
            terminated[i / 8] |= (byte)(episodes[i].Terminated ? 1 << (i % 8) : 0);
        }
        return new(
            stored.Id,
            episodes.Length,
            stored.Total,
            ColumnCoding.Differences(ended.Select(e => e.ordinal)),
            ColumnCoding.Differences(episodes.Select(e => e.Step)),
            ColumnCoding.Differences(episodes.Select(e => (long)e.Environment)),
            ColumnCoding.Differences(episodes.Select(e => (e.Environment, e.Episode))),
            ColumnCoding.Reals(episodes.Select(e => e.Return)),
            ColumnCoding.Differences(episodes.Select(e => (long)e.Length)),
            terminated);
    }

    /// <exception cref="InvalidDataException">The columns are not of one length.</exception>
    internal static JournalEntry Load(StoredEpisodesEnded e)
    {
        var (ordinals, steps, lengths) = (ColumnCoding.Sums(e.Ordinals), ColumnCoding.Sums(e.Steps), ColumnCoding.Sums(e.Lengths));
        var environments = ColumnCoding.Sums(e.Environments);
        var (episodes, returns) = (ColumnCoding.Sums(e.Episodes, environments), ColumnCoding.Reals(e.Returns));
        int[] rows = [ordinals.Length, steps.Length, environments.Length, episodes.Length, returns.Length, lengths.Length];
        if (e.Count < 1 || rows.Any(found => found != e.Count) || e.Terminated.Length != (e.Count + 7) / 8)
        {
            throw new InvalidDataException($"Expected {e.Count:N0} stored episodes, found columns of {string.Join(", ", rows)} and {e.Terminated.Length} bytes.");
        }
        return new JournalEntry.EpisodesStored(e.Id, e.Total, [.. Enumerable.Range(0, e.Count).Select(i => Case.NewEpisodeEnded(
            ordinals[i],
            new History.EpisodeEnded(
                steps[i], checked((int)environments[i]), episodes[i], returns[i], checked((int)lengths[i]), (e.Terminated[i / 8] >> (i % 8) & 1) != 0)))]);
    }

    internal static JournalEntry Load(StoredEvaluationEnded e) => new JournalEntry.EventStored(e.Id, e.WithCommit, Case.NewEvaluationEnded(
        e.Ordinal, new History.EvaluationEnded(e.Step, e.Returns, e.Lengths, e.IsBest)));

    internal static JournalEntry Load(StoredPhaseStarted e) => Event(e.Id, e.WithCommit, Case.NewPhaseStarted(
        e.Ordinal, new History.PhaseStarted(e.Step, e.GradientStep, e.Phase, e.Cycle, e.Task)));

    internal static JournalEntry Load(StoredRunStarted e) => Event(e.Id, e.WithCommit, Case.NewRunStarted(e.Configuration, e.Versions));

    internal static JournalEntry Load(StoredRunResumed e) => Event(e.Id, e.WithCommit, Case.NewRunResumed(e.Step, e.Versions));

    internal static JournalEntry Load(StoredConfigurationChanged e) => Event(e.Id, e.WithCommit, Case.NewConfigurationChanged(
        e.Step, [.. e.Changes.Select(c => Tuple.Create(c.Key, c.Old, c.New))]));

    internal static JournalEntry Load(StoredEnvironmentRestarted e) =>
        Event(e.Id, e.WithCommit, Case.NewEnvironmentRestarted(e.Step, e.Environment, e.Reason));

    internal static JournalEntry Load(StoredRunInterrupted e) => Event(e.Id, e.WithCommit, Case.NewRunInterrupted(e.Step, e.Reason));

    internal static JournalEntry Load(StoredRunFailed e) => Event(e.Id, e.WithCommit, Case.NewRunFailed(e.Step, e.Reason));

    internal static JournalEntry Load(StoredRunCompleted e) => Event(e.Id, e.WithCommit, Case.NewRunCompleted(e.Step));

    internal static StoredManifest Store(CheckpointManifest m) => new(
        m.FormatVersion,
        m.CommitId,
        m.Step,
        m.GradientStep,
        m.Round,
        m.Scheduled,
        Sorted(m.Components, Store),
        m.Replay is { } r
            ? new(r.First, r.Head, r.RowFloats, r.SegmentRows, [.. r.Segments.Select(s => new StoredSegment(s.Index, s.Epoch, s.File, s.Rows, s.Sha256))])
            : null,
        Sorted(m.Files, mark => mark.Length),
        m.Best is { } best ? new(best.Step, Store(best.Parameters)) : null,
        m.HistoryOrdinal,
        m.KeptOrdinals.Count > 0 ? [.. m.KeptOrdinals] : null,
        m.Files.Any(file => file.Value.Sha256 is not null) ? Sorted(m.Files.Where(file => file.Value.Sha256 is not null), mark => mark.Sha256!) : null,
        m.RunId);

    internal static CheckpointManifest Load(StoredManifest m) => new(
        m.FormatVersion,
        m.CommitId,
        m.Step,
        m.GradientStep,
        m.Round,
        m.Scheduled,
        Sorted(m.Components, Load),
        m.Replay is { } r
            ? new(r.First, r.Head, r.RowFloats, r.SegmentRows, [.. r.Segments.Select(s => new SegmentRef(s.Index, s.Epoch, s.File, s.Rows, s.Sha256))])
            : null,
        m.CsvLengths.ToDictionary(file => file.Key, file => new FileMark(file.Value, m.CsvHashes?.GetValueOrDefault(file.Key))),
        m.Best is { } best ? new(best.Step, Load(best.Parameters)) : null,
        m.HistoryOrdinal,
        m.RunId)
    {
        KeptOrdinals = m.KeptOrdinals ?? [],
    };

    internal static StoredSnapshot Store(JournalSnapshot s) => new(
        [.. s.Retained.Select(c => new StoredCommit(Store(c.Manifest), c.Masks, Sorted(c.EventCounts, n => n)))],
        Sorted(s.EventCounts, n => n),
        s.LastCommitId,
        s.LastOperationalId);

    internal static JournalSnapshot Load(StoredSnapshot s) => new(
        [.. s.Retained.Select(c => new RetainedCommit<CheckpointManifest>(Load(c.Manifest), c.Masks, c.EventCounts))],
        s.EventCounts,
        s.LastCommitId,
        s.LastOperationalId);

    private static StoredComponent Store(ComponentRef component) => new(component.Sha256, component.Length);

    private static ComponentRef Load(StoredComponent component) => new(component.Sha256, component.Length);

    private static JournalEntry.EventStored Event(long id, bool withCommit, Case happened) => new(id, withCommit, happened);

    /// <summary>Sorted, so that equal manifests have equal bytes.</summary>
    private static SortedDictionary<string, TOut> Sorted<TIn, TOut>(IEnumerable<KeyValuePair<string, TIn>> entries, Func<TIn, TOut> convert)
    {
        var sorted = new SortedDictionary<string, TOut>(StringComparer.Ordinal);
        foreach (var (key, value) in entries)
        {
            sorted.Add(key, convert(value));
        }
        return sorted;
    }
}
