namespace NE.Model.Runs

open System
open System.Collections.Generic
open System.IO
open System.Security.Cryptography
open NE.Model.History

/// What the fold of a history needs to know of a commit.
type ICommit =
    /// Number of the commit, rising for the life of the run.
    abstract CommitId: int64
    /// Environment steps.
    abstract Step: int64
    /// Ordinal of the next history event.
    abstract HistoryOrdinal: int64
    /// Ordinals before it that are kept for evaluations still under way, rising.
    abstract KeptOrdinals: IReadOnlyList<int64>
    /// SHA-256 of its packed masks in lower-case hexadecimal; null when it has none.
    abstract MasksHash: string | null

/// What a journal stores, in order.
[<RequireQualifiedAccess>]
type HistoryEntry<'commit> =
    /// An event of the run; `withCommit` when it was stored in one transaction with the commit of that id.
    | Happened of id: int64 * withCommit: bool * event: RunEvent
    /// So many training episodes ended, stored in one transaction with their commit.
    | EpisodesEnded of count: int64
    /// The state of this commit is durable, and so is the history stored since the commit before.
    | Committed of 'commit
    /// Commits and history behind this commit do not count: the run went on from it.
    | Rewound of id: int64 * toCommit: int64

/// A commit that can be resumed, as the history remembers it.
type RetainedCommit<'commit> = {
    Manifest: 'commit
    /// Its packed masks; null when the run has none.
    Masks: byte[] | null
    /// Stored events by case name up to it.
    EventCounts: IReadOnlyDictionary<string, int64>
}

/// What is known after the entries so far.
type HistoryState<'commit> = {
    /// The last two resumable commits, newest first.
    Retained: RetainedCommit<'commit> list
    /// Stored events by case name.
    EventCounts: IReadOnlyDictionary<string, int64>
    /// Highest id of a commit or rewind; ids start at 1.
    LastCommitId: int64
    /// Highest id of an operational event.
    LastOperationalId: int64
    /// Why the newest commit's masks could not be folded, or differ from the commit's; null when all is well, or there is nothing to fold from.
    MasksProblem: string | null
    /// Topology events since the newest commit, newest first; empty between commits, since they are stored with the next.
    Pending: TopologyChanged list
}

/// The fold of a run's history: the same for a journal that recovers and for a reader of its file.
[<RequireQualifiedAccess>]
module HistoryFold =

    let private retainedCommits = 2

    let empty<'commit> : HistoryState<'commit> = {
        Retained = []
        EventCounts = SortedDictionary()
        LastCommitId = 0L
        LastOperationalId = 0L
        MasksProblem = null
        Pending = []
    }

    /// Ordinal of the next history event.
    let nextOrdinal (state: HistoryState<#ICommit>) : int64 =
        match state.Retained with
        | newest :: _ -> newest.Manifest.HistoryOrdinal
        | [] -> 0L

    /// Ordinals that are kept for evaluations which the newest commit has as pending.
    let keptOrdinals (state: HistoryState<#ICommit>) : IReadOnlyList<int64> =
        match state.Retained with
        | newest :: _ -> newest.Manifest.KeptOrdinals
        | [] -> [||]

    /// What is wrong with the ordinals that a commit brings, in its order, after a history whose next ordinal and kept ones are these; null
    /// when nothing is lost or doubled. Each is one that was kept, or the next one; what is left out is kept.
    let ordinalsProblem (next: int64) (kept: int64 seq) (brought: int64 seq) (nextAfter: int64) (keptAfter: int64 seq) : string | null =
        let open', keptAfter = HashSet kept, HashSet keptAfter

        let rec skip ordinal =
            if keptAfter.Contains ordinal then
                skip (ordinal + 1L)
            else
                ordinal

        let mutable expected = skip next
        let mutable problem: string | null = null

        for ordinal in brought do
            if isNull problem && not (open'.Remove ordinal) then
                if ordinal = expected then
                    expected <- skip (expected + 1L)
                else
                    problem <- $"should continue the history with ordinal {expected}, but brings {ordinal}: events would be lost or doubled"

        open'.ExceptWith keptAfter

        if not (isNull problem) then
            problem
        elif expected <> nextAfter then
            $"says that the next ordinal is {nextAfter}, but its events lead to {expected}"
        elif open'.Count > 0 then
            $"leaves out the event of ordinal {Seq.min open'}, which was kept for it"
        else
            let isWrong ordinal =
                ordinal >= nextAfter || ordinal < next && not (Seq.contains ordinal kept)

            match keptAfter |> Seq.filter isWrong |> List.ofSeq with
            | [] -> null
            | ordinal :: _ -> $"keeps ordinal {ordinal}, which is none of its history's"

    let private countOf (name: string) (counts: IReadOnlyDictionary<string, int64>) : int64 =
        match counts.TryGetValue name with
        | true, count -> count
        | _ -> 0L

    let private hashOf (bytes: byte[]) =
        Convert.ToHexStringLower(SHA256.HashData bytes)

    /// The masks at a commit, from those of the commit before and the events since; or what is wrong.
    let private foldMasks (commit: #ICommit) (state: HistoryState<_>) : struct (byte[] | null * string | null) =
        let before: byte[] | null =
            match state.Retained with
            | newest :: _ -> newest.Masks
            | [] -> null

        match commit.MasksHash, before with
        | NonNull hash, NonNull before ->
            try
                // Without an event the bytes stay as they are, whatever their format.
                let after =
                    match state.Pending with
                    | [] -> before
                    | pending ->
                        List.foldBack PackedMasks.apply pending (PackedMasks.ofBytes before)
                        |> PackedMasks.toBytes

                if hashOf after = hash then
                    struct (after, null)
                else
                    struct (null, $"The masks folded from the topology events up to step {commit.Step:N0} differ from the checkpoint's.")
            with :? InvalidDataException as error ->
                struct (null, error.Message)
        | _ -> struct (null, null)

    let private retain (commit: #ICommit) (masks: byte[] | null) (problem: string | null) (state: HistoryState<_>) = {
        state with
            Retained =
                {
                    Manifest = commit
                    Masks = masks
                    EventCounts = state.EventCounts
                }
                :: List.truncate (retainedCommits - 1) state.Retained
            LastCommitId = max state.LastCommitId commit.CommitId
            MasksProblem = problem
            Pending = []
    }

    /// A commit that was just made durable, with its packed masks at hand.
    let commitWithMasks (commit: #ICommit) (masks: byte[]) (state: HistoryState<_>) : HistoryState<_> = retain commit masks null state

    /// The newest commit's masks cannot be had.
    let withMasksProblem (problem: string) (state: HistoryState<_>) : HistoryState<_> = { state with MasksProblem = problem }

    /// The newest commit's masks from its blob, for a journal whose snapshots are gone.
    let withMasks (masks: byte[]) (state: HistoryState<_>) : HistoryState<_> = {
        state with
            Retained =
                match state.Retained with
                | newest :: others -> { newest with Masks = masks } :: others
                | [] -> []
    }

    /// A copy, in the order in which a snapshot stores it: so a history reads alike with a snapshot and without.
    let private copied (counts: IReadOnlyDictionary<string, int64>) =
        let copy = SortedDictionary<string, int64>(StringComparer.Ordinal)

        for KeyValue(name, count) in counts do
            copy[name] <- count

        copy

    let private counted (name: string) (more: int64) (state: HistoryState<_>) =
        let counts = copied state.EventCounts
        counts[name] <- countOf name counts + more
        { state with EventCounts = counts }

    let private happened id withCommit event (state: HistoryState<_>) = {
        counted (RunEvents.nameOf event) 1L state with
            LastOperationalId =
                if withCommit then
                    state.LastOperationalId
                else
                    max state.LastOperationalId id
            Pending =
                match event with
                | TopologyChanged(_, change) -> change :: state.Pending
                | _ -> state.Pending
    }

    let private rewind id toCommit (state: HistoryState<#ICommit>) =
        match
            state.Retained
            |> List.skipWhile (fun retained -> retained.Manifest.CommitId <> toCommit)
        with
        | [] -> raise (InvalidDataException $"The journal was rewound to commit {toCommit}, which it does not hold.")
        | newest :: _ as kept ->
            let counts = copied state.EventCounts

            for KeyValue(name, count) in state.EventCounts do
                // History behind the commit is void; what the operator did is not.
                counts[name] <-
                    if RunEvents.historyNames.Contains name then
                        countOf name newest.EventCounts
                    else
                        count

            {
                state with
                    Retained = kept
                    EventCounts = counts
                    LastCommitId = max state.LastCommitId id
                    MasksProblem = null
                    Pending = []
            }

    /// What is known after one more entry. Raises InvalidDataException for a rewind to a commit that is not there.
    let apply (entry: HistoryEntry<'commit>) (state: HistoryState<'commit>) : HistoryState<'commit> when 'commit :> ICommit =
        match entry with
        | HistoryEntry.Happened(id, withCommit, event) -> happened id withCommit event state
        | HistoryEntry.EpisodesEnded count -> counted (nameof RunEvent.EpisodeEnded) count state
        | HistoryEntry.Committed commit ->
            let struct (masks, problem) = foldMasks commit state
            retain commit masks problem state
        | HistoryEntry.Rewound(id, toCommit) -> rewind id toCommit state
