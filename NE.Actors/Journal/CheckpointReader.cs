using NE.Actors.Checkpoints;
using NE.Actors.Environments;
using NE.Actors.Replay;
using NE.Actors.RunDirectory;
using NE.Actors.Storage;
using NE.Model.Agents;
using NE.Model.Runs;

namespace NE.Actors.Journal;

/// <summary>Which of the retained checkpoints.</summary>
public abstract record CheckpointChoice
{
    private CheckpointChoice() { }

    /// <summary>The newest.</summary>
    public static readonly CheckpointChoice Last = new Newest();

    /// <summary>The one before the newest.</summary>
    public static readonly CheckpointChoice Previous = new BeforeNewest();

    /// <summary>The retained one of this environment step.</summary>
    public static CheckpointChoice At(long step) => new AtStep(step);

    internal sealed record Newest : CheckpointChoice;

    internal sealed record BeforeNewest : CheckpointChoice;

    internal sealed record AtStep(long Step) : CheckpointChoice;
}

/// <summary>A checkpoint whose every byte was verified.</summary>
/// <param name="Manifest">Names the state.</param>
/// <param name="Components">Bytes by component name.</param>
public sealed record LoadedCheckpoint(CheckpointManifest Manifest, IReadOnlyDictionary<string, byte[]> Components);

/// <summary>Loads and verifies checkpoints without an actor system.</summary>
public static class CheckpointReader
{
    /// <summary>All of a checkpoint; nothing is loaded when anything of it is damaged, and nothing falls back by itself.</summary>
    /// <exception cref="RunFolderException">The run has no such checkpoint.</exception>
    /// <exception cref="DamagedCheckpointException">Names the file, and the other checkpoint's step where that one is older.</exception>
    public static LoadedCheckpoint Load(RunPaths run, CheckpointChoice which)
    {
        var manifests = Manifests(run);
        var manifest = Choose(run, manifests, which);
        var older = manifests.FirstOrDefault(m => m.CommitId < manifest.CommitId);
        return Offering(run, older, () =>
        {
            if (manifest.Replay is { } replay)
            {
                SegmentFiles.Verify(run.Replay, replay);
            }
            return new LoadedCheckpoint(manifest, Read(run, manifest.Components));
        });
    }

    /// <summary>Manifest and components alone, for an evaluation, a digest or a report that needs no replay.</summary>
    /// <exception cref="RunFolderException">The run has no such checkpoint.</exception>
    /// <exception cref="DamagedCheckpointException">Names the blob.</exception>
    public static LoadedCheckpoint LoadWithoutReplay(RunPaths run, CheckpointChoice which)
    {
        var manifest = Choose(run, Manifests(run), which);
        return new LoadedCheckpoint(manifest, Read(run, manifest.Components));
    }

    /// <summary>Whether every byte of a checkpoint is what was written, so that it can be offered in the place of a damaged one.</summary>
    public static bool IsWhole(RunPaths run, CheckpointManifest manifest)
    {
        try
        {
            Read(run, manifest.Components);
            if (manifest.Replay is { } replay)
            {
                SegmentFiles.Verify(run.Replay, replay);
            }
            return true;
        }
        catch (DamagedCheckpointException)
        {
            return false;
        }
    }

    /// <summary>The learner's state in a checkpoint.</summary>
    public static AgentState Learner(LoadedCheckpoint checkpoint) => LearnerComponents.Learner(checkpoint.Components);

    /// <summary>The run's counters in a checkpoint.</summary>
    public static Ledger Ledger(LoadedCheckpoint checkpoint) => LedgerModule.ofBytes(LearnerComponents.Ledger(checkpoint.Components));

    /// <summary>The parameters of the best evaluation so far.</summary>
    /// <exception cref="RunFolderException">There was no evaluation before the newest checkpoint.</exception>
    /// <exception cref="DamagedCheckpointException">Names the blob.</exception>
    public static (long Step, byte[] Parameters) LoadBest(RunPaths run)
    {
        var best = Choose(run, Manifests(run), CheckpointChoice.Last).Best
            ?? throw new RunFolderException($"The run '{run.Name}' has no best checkpoint yet: no evaluation ended before its last checkpoint.");
        try
        {
            return (best.Step, new BlobStore(run.Blobs).Get(best.Parameters));
        }
        catch (DamagedCheckpointException damaged)
        {
            throw new InvalidDataException(
                $"The best policy, of step {best.Step:N0}, is damaged: {damaged.File} should have {damaged.Expected}, but has {damaged.Found}. "
                + "Restore the file from a copy, or take the policy of the last checkpoint, which is another file (--checkpoint last). The run goes on without it.",
                damaged);
        }
    }

    /// <summary>What the environment of the last commit was made of; null for one of ours.</summary>
    public static EnvironmentFingerprint? Environment(RunPaths run)
    {
        var states = StateBundle.Unpack(LoadWithoutReplay(run, CheckpointChoice.Last).Components["environments"], "environments");
        return states.Count == 0 ? null : EnvironmentWorker.Fingerprint(states[0]);
    }

    /// <summary>The phases of a run up to its last commit; a run that is no cycle has one.</summary>
    public static IReadOnlyList<Phase> Phases(RunPaths run) => Phases(LoadWithoutReplay(run, CheckpointChoice.Last));

    /// <summary>The same of a checkpoint that was read.</summary>
    public static IReadOnlyList<Phase> Phases(LoadedCheckpoint checkpoint) => Ledger(checkpoint).Phases;

    /// <summary>The digest of a checkpoint as its manifest names it; <see cref="Load"/> proves that the files agree.</summary>
    public static StateDigest Digest(RunPaths run, CheckpointChoice which) => StateDigest.Of(Choose(run, Manifests(run), which));

    private static IReadOnlyList<CheckpointManifest> Manifests(RunPaths run)
    {
        try
        {
            using var journal = JournalReader.Open(run);
            return journal.Manifests();
        }
        catch (FileNotFoundException error)
        {
            throw new RunFolderException(error.Message);
        }
    }

    private static CheckpointManifest Choose(RunPaths run, IReadOnlyList<CheckpointManifest> manifests, CheckpointChoice which)
    {
        var chosen = which switch
        {
            CheckpointChoice.BeforeNewest => manifests.ElementAtOrDefault(1),
            CheckpointChoice.AtStep at => manifests.FirstOrDefault(m => m.Step == at.Step),
            _ => manifests.FirstOrDefault(),
        };
        if (chosen is null)
        {
            var kept = manifests.Count == 0 ? "It has none yet." : $"It has those of step {string.Join(" and ", manifests.Select(m => m.Step.ToString("N0")).Distinct())}.";
            throw new RunFolderException($"The run '{run.Name}' has no such checkpoint. {kept}");
        }
        return chosen.FormatVersion <= CheckpointManifest.CurrentFormat
            ? chosen
            : throw new RunFolderException($"The checkpoint has format {chosen.FormatVersion}, this program reads up to {CheckpointManifest.CurrentFormat}. Use a newer one.");
    }

    private static Dictionary<string, byte[]> Read(RunPaths run, IReadOnlyDictionary<string, ComponentRef> components)
    {
        var blobs = new BlobStore(run.Blobs);
        return components.ToDictionary(c => c.Key, c => blobs.Get(c.Value));
    }

    private static T Offering<T>(RunPaths run, CheckpointManifest? older, Func<T> load)
    {
        try
        {
            return load();
        }
        catch (DamagedCheckpointException damage) when (older is not null && IsWhole(run, older))
        {
            throw damage.Offering(older.Step);
        }
    }
}
