using Microsoft.FSharp.Collections;
using NE.Actors.Checkpoints;
using NE.Model.Runs;

namespace NE.Actors.Journal;

/// <summary>What the journal knows after its entries so far, as <see cref="HistoryFold"/> folds it.</summary>
internal static class JournalFold
{
    internal static HistoryState<CheckpointManifest> Empty => HistoryFold.empty<CheckpointManifest>();

    internal static HistoryState<CheckpointManifest> Apply(this HistoryState<CheckpointManifest> state, JournalEntry entry) =>
        HistoryFold.apply(
            entry switch
            {
                JournalEntry.EventStored(var id, var withCommit, var happened) => HistoryEntry<CheckpointManifest>.NewHappened(id, withCommit, happened),
                JournalEntry.EpisodesStored stored => HistoryEntry<CheckpointManifest>.NewEpisodesEnded(stored.Episodes.Count),
                JournalEntry.CheckpointCommitted(var manifest) => HistoryEntry<CheckpointManifest>.NewCommitted(manifest),
                JournalEntry.Rewound(var id, var toCommit) => HistoryEntry<CheckpointManifest>.NewRewound(id, toCommit),
                _ => throw new NotSupportedException($"The journal cannot fold {entry.GetType().Name}."),
            },
            state);

    internal static JournalSnapshot ToSnapshot(this HistoryState<CheckpointManifest> state) =>
        new(state.Retained, state.EventCounts, state.LastCommitId, state.LastOperationalId);

    internal static HistoryState<CheckpointManifest> FromSnapshot(JournalSnapshot snapshot) => new(
        ListModule.OfSeq(snapshot.Retained),
        snapshot.EventCounts,
        snapshot.LastCommitId,
        snapshot.LastOperationalId,
        null,
        FSharpList<Model.History.TopologyChanged>.Empty);
}
