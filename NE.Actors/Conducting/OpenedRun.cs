using Microsoft.FSharp.Collections;
using Microsoft.FSharp.Core;
using NE.Actors.Checkpoints;
using NE.Actors.Environments;
using NE.Actors.Environments.Catalogue;
using NE.Actors.Exports;
using NE.Actors.Journal;
using NE.Actors.Replay;
using NE.Actors.RunDirectory;
using NE.Actors.Runs;
using NE.Actors.Storage;
using NE.Actors.Telemetry;
using NE.Model.Agents;
using NE.Model.Replay;
using NE.Model.Runs;
using static NE.Model.History;
using Policy = NE.Model.Networks.Policy;

namespace NE.Actors.Conducting;

/// <summary>
/// A run as its last commit left it, or as it begins, taken apart for the actors that go on with it. The switch to a cycle's next task is
/// made here, on the way from the commit that ended a phase.
/// </summary>
internal sealed record OpenedRun
{
    /// <summary>Null for a run that has no commit yet.</summary>
    public LoadedCheckpoint? From { get; private init; }

    public required Settings Settings { get; init; }

    public required Ledger Ledger { get; init; }

    /// <summary>The commits after <see cref="From"/> are to be voided.</summary>
    public bool Rewinds { get; private init; }

    /// <summary>A phase of a cycle begins here, the first one included.</summary>
    public bool BeginsPhase { get; private init; }

    public required TaskEnvironments Environments { get; init; }

    public required SegmentStore Store { get; init; }

    /// <summary>Belongs to the learner's thread as soon as there is one.</summary>
    public required ILearner Learner { get; init; }

    /// <summary>One for every environment.</summary>
    public required EnvironmentStart[] Starts { get; init; }

    /// <summary>Evaluations that were under way at the commit, to be repeated.</summary>
    public required IReadOnlyList<(long Step, Policy Policy)> Evaluations { get; init; }

    /// <summary>How transitions lie in the replay memory.</summary>
    public ITransitionRows Layout => LayoutOf(this.Environments.Spec);

    /// <summary>The run of a directory, as its journal knows it.</summary>
    /// <param name="hasCommitted">This process has committed, or has begun from a commit: it goes on from the newest one, whatever was asked for at first.</param>
    /// <exception cref="DamagedCheckpointException">The files of the commit to go on from are not what was written. The message says which other one there is.</exception>
    public static OpenedRun Of(RunRequest request, Recovered recovered, bool hasCommitted)
    {
        var previous = request.From == ResumeFrom.Previous && !hasCommitted;
        Faults.Point("recovery.begins");
        try
        {
            var chosen = Choose(request.Paths, recovered, previous);
            // The newest commit stays valid until the one before it has been opened.
            Faults.Point("recovery.checkpoint");
            return Open(request, EnvironmentCycle.Of(request.Settings.Run.Environment), chosen) with { Rewinds = previous && chosen is not null };
        }
        catch (DamagedCheckpointException damage) when (!previous && damage.PreviousStep is null && recovered.Manifests.Count > 1 && CheckpointReader.IsWhole(request.Paths, recovered.Manifests[1]))
        {
            throw damage.Offering(recovered.Manifests[1].Step);
        }
        catch (DamagedCheckpointException damage) when (previous)
        {
            throw damage.KeepingNewest(recovered.Manifests[0].Step, CheckpointReader.IsWhole(request.Paths, recovered.Manifests[0]));
        }
    }

    /// <summary>What the conductor hears of it.</summary>
    /// <param name="hasCommitted">As above.</param>
    /// <param name="afterPhase">It follows a phase that has ended in this process.</param>
    public Opening Opening(RunRequest request, bool hasCommitted, bool afterPhase)
    {
        var versions = string.Join(", ", request.Versions.Select(version => $"{version.Key} {version.Value}"));
        List<RunEvent> note = [], record = [];
        if (this.From?.Manifest is not { } from)
        {
            note.Add(RunEvent.NewRunStarted(request.ConfigurationText, versions));
        }
        else
        {
            if (!afterPhase)
            {
                record.Add(RunEvent.NewRunResumed(from.Step, versions));
            }
            if (request.Changes.Count > 0 && !hasCommitted)
            {
                record.Add(RunEvent.NewConfigurationChanged(
                    from.Step, [.. request.Changes.Select(change => Tuple.Create(change.Key, change.Old, change.New))]));
            }
        }
        return new Opening(
            this.Ledger,
            this.Store.Head,
            [.. this.Starts.Select(start => start.Episode)],
            OptionModule.OfNullable(this.From?.Manifest.Step),
            this.BeginsPhase,
            OptionModule.OfNullable(this.Rewinds ? this.From?.Manifest.CommitId : null),
            ListModule.OfSeq(record),
            ListModule.OfSeq(note));
    }

    /// <summary>The commit to go on from; null for a run that has none yet.</summary>
    /// <param name="previous">Not the last one but the one before it.</param>
    /// <exception cref="InvalidDataException">There is no such commit, or the journal contradicts it.</exception>
    /// <exception cref="DamagedCheckpointException">Its files are not what was written.</exception>
    private static LoadedCheckpoint? Choose(RunPaths paths, Recovered recovered, bool previous)
    {
        if (recovered.Manifests.Count == 0)
        {
            return null;
        }
        if (previous && recovered.Manifests.Count == 1)
        {
            throw new InvalidDataException("There is only one checkpoint, so there is no previous one to resume from.");
        }
        if (!previous && recovered.MasksProblem is { } problem)
        {
            var older = recovered.Manifests.Count > 1 ? " An older one can be used instead (--checkpoint previous)." : "";
            throw new InvalidDataException($"The journal's masks contradict the last checkpoint: {problem}{older}");
        }
        // The replay memory is verified when it is opened.
        return CheckpointReader.LoadWithoutReplay(paths, previous ? CheckpointChoice.Previous : CheckpointChoice.Last);
    }

    /// <summary>Changes no file that a commit names, so whatever it refuses leaves the run as it was.</summary>
    /// <param name="from">Null for a run that has no commit yet.</param>
    /// <exception cref="EnvironmentUnusableException">An environment is not what it was.</exception>
    /// <exception cref="DamagedCheckpointException">The replay memory or a table is not what was written.</exception>
    private static OpenedRun Open(RunRequest request, EnvironmentCycle? cycle, LoadedCheckpoint? from)
    {
        var settings = request.Settings;
        var ledger = from is null ? LedgerModule.empty : CheckpointReader.Ledger(from);
        var switching = from is not null && LedgerModule.isSwitchDue(settings, ledger);
        if (switching)
        {
            ledger = LedgerModule.beginPhase(from!.Manifest.Replay?.Head ?? 0, ledger);
        }
        var phase = LedgerModule.phase(ledger);
        var environments = TaskEnvironments.Of(request, cycle, phase);
        var spec = environments.Spec;
        RunTables.Require(request.Paths, from?.Manifest.Files);
        var capacity = settings.Learner.BufferSize.Value;
        var store = from?.Manifest.Replay is { } replay && !switching
            ? SegmentStore.Resume(request.Paths.Replay, replay, capacity)
            : SegmentStore.Create(request.Paths.Replay, LayoutOf(spec).RowFloats, capacity, firstRow: phase.Head);
        try
        {
            Faults.Point("recovery.replay");
            return new OpenedRun
            {
                From = from,
                Ledger = ledger,
                BeginsPhase = cycle is not null && (from is null || switching),
                Environments = environments,
                Store = store,
                Starts = StartsOf(request, environments, from, phase, switching),
                Evaluations = EvaluationsOf(from, ledger),
                Settings = settings,
                Learner = LearnerOf(request, cycle, spec, from, PhaseModule.taskIndex(settings, phase), switching),
            };
        }
        catch
        {
            store.Dispose();
            throw;
        }
    }

    /// <summary>Cuts the tables back to where they were at the commit.</summary>
    /// <exception cref="DamagedCheckpointException">A table is not what it was.</exception>
    public RunTables OpenTables(RunPaths paths) => new(
        paths,
        this.From?.Manifest.Files ?? new Dictionary<string, FileMark>(),
        tensorBoard: this.Settings.Log.TensorBoard,
        hasPhases: EnvironmentCycle.Of(this.Settings.Run.Environment) is not null);

    /// <summary>What links the rows that are stored from now on to those that are.</summary>
    public IRowLinker CreateLinker() =>
        this.Layout.CreateLinker(this.Store, new Window(this.Store.First, this.Store.Head), this.Settings.Schedule.Environments);

    private static ITransitionRows LayoutOf(EnvironmentSpec spec) => TransitionRows.create(spec.Observation, spec.ActionSize);

    private static EnvironmentStart[] StartsOf(
        RunRequest request, TaskEnvironments environments, LoadedCheckpoint? from, Phase phase, bool switching)
    {
        var settings = request.Settings;
        var count = settings.Schedule.Environments;
        var stored = from is null ? null : StateBundle.Unpack(from.Components["environments"], "environments", count);
        // The environments of another task are begun anew; only their episodes go on counting.
        var states = switching ? null : stored;
        foreach (var state in states ?? [])
        {
            EnvironmentFingerprint.Require(settings.Run.Environment, EnvironmentWorker.Fingerprint(state), environments.Spec.Fingerprint, request.OnOtherMuJoCo);
        }
        return [.. Enumerable.Range(0, count).Select(i => new EnvironmentStart(i, settings, environments.Create)
        {
            Task = environments.Id,
            Spec = environments.Spec,
            RandomUntil = PhaseModule.randomUntil(settings, phase),
            Restored = states?[i],
            OnOtherMuJoCo = request.OnOtherMuJoCo,
            Episode = switching ? EnvironmentWorker.NextEpisode(stored![i]) : 0,
            Drill = request.Drills.Count == 0 ? null : step => request.Drills.ToList().ForEach(drill => drill.Reach(i, step)),
        })];
    }

    private static IReadOnlyList<(long Step, Policy Policy)> EvaluationsOf(LoadedCheckpoint? from, Ledger ledger) =>
        from is null
            ? []
            : [.. ledger.Pending
                .Zip(StateBundle.Unpack(from.Components["evaluations"], "evaluations", ledger.Pending.Length), (pending, policy) => (pending.Step, Policy.OfBytes(policy)))];

    private static ILearner LearnerOf(
        RunRequest request, EnvironmentCycle? cycle, EnvironmentSpec spec, LoadedCheckpoint? from, int task, bool switching)
    {
        var learner = TaskLearner.Create(request.Settings, cycle, spec, task);
        if (from is not null)
        {
            learner.Restore(CheckpointReader.Learner(from));
        }
        else if (File.Exists(request.Paths.Actor))
        {
            // From the first commit on it is part of the state.
            learner.Adopt(SafetensorsFile.Read(request.Paths.Actor).Tensors);
        }
        if (switching)
        {
            learner.SwitchTask(task);
        }
        return learner;
    }
}
