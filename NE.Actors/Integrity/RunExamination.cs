using NE.Actors.Checkpoints;
using NE.Actors.Journal;
using NE.Actors.Replay;
using NE.Actors.RunDirectory;
using NE.Actors.Storage;
using NE.Actors.Stores;
using NE.Actors.Telemetry;

namespace NE.Actors.Integrity;

/// <summary>Reads everything that a resume reads, and says all that is damaged instead of stopping at the first. Changes nothing.</summary>
public static class RunExamination
{
    /// <param name="run">May be at work: then what its next commits take away is not damage, and the examination is repeated.</param>
    /// <param name="deep">Also every byte of the replay memory and of SQLite's pages; without, whether they are there and long enough.</param>
    public static Examination Examine(RunPaths run, bool deep)
    {
        var findings = new List<Finding>();
        try
        {
            using var journal = JournalReader.TryOpen(run);
            if (journal is null)
            {
                return new([], [new(Path.GetFileName(run.Journal), "", LostJournal(run, []) ?? "There is no journal: the run was stopped before its first commit, or the file is lost.", Remedy.Copy)]);
            }
            findings.AddRange(Records(journal));
            if (deep)
            {
                findings.AddRange(Pages(run));
            }
            findings.AddRange(SnapshotFile.Problem(run, journal) is { } problem ? [new(Path.GetFileName(run.Snapshots), "", problem, Remedy.MadeAnew)] : []);
            var manifests = journal.Manifests();
            findings.AddRange(LostJournal(run, manifests) is { } lost ? [new(Path.GetFileName(run.Journal), "", lost, Remedy.Copy)] : []);
            var isDropped = DroppedReplay.Of(run) is not null;
            var damages = manifests.Select(manifest => DamagesOf(run, manifest, withReplay: !isDropped, deep)).ToList();
            if (manifests is [var newest, ..])
            {
                findings.AddRange(Tables(run, journal, newest));
                findings.AddRange(Best(run, newest));
            }
            findings.AddRange(damages.SelectMany((ofOne, age) => ofOne.Select(damage => new Finding(
                Path.GetRelativePath(run.Root, damage.File),
                "",
                $"It should have {damage.Expected}, but has {damage.Found}. The checkpoint of step {manifests[age].Step:N0} needs it.",
                age == 0 && damages.Skip(1).Any(other => other.Count == 0) ? Remedy.PreviousCheckpoint : Remedy.Copy))));
            var unusable = findings.Any(finding => finding.Remedy is Remedy.Repair);
            return new(
                [.. damages.Select((ofOne, age) => new ExaminedCheckpoint(manifests[age].Step, ofOne.Count == 0 && !unusable && !isDropped))],
                [.. findings.DistinctBy(finding => (finding.File, finding.Place, finding.Remedy))]);
        }
        catch (InvalidDataException error)
        {
            findings.Add(new(Path.GetFileName(run.Journal), "", error.Message, Remedy.Copy));
            return new([], findings);
        }
    }

    /// <summary>What is wrong with a journal that has no commit although the run has committed; null when it has one, or the run has not.</summary>
    internal static string? LostJournal(RunPaths run, IReadOnlyList<CheckpointManifest> manifests) =>
        manifests.Count > 0 || !File.Exists(run.Committed) ? null
        : $"It has committed, and its journal ({JournalStore.Of(run).Where}) has no commit: it is lost, or another one. Bring it back from a copy, journal.db together with journal.db-wal, or the server's database.";

    private static IEnumerable<Finding> Records(JournalReader journal)
    {
        long expected = 1;
        foreach (var row in journal.Audit())
        {
            if (row.SequenceNr != expected)
            {
                yield return new("journal.db", $"record {expected:N0}", $"Records {expected:N0} to {row.SequenceNr - 1:N0} are missing.", Remedy.Copy);
            }
            expected = row.SequenceNr + 1;
            if (row.Problem is { } problem)
            {
                yield return new("journal.db", $"record {row.SequenceNr:N0}", problem, Remedy.Copy);
            }
        }
    }

    private static IEnumerable<Finding> Pages(RunPaths run) =>
        from file in new[] { run.Journal, run.Snapshots }
        where File.Exists(file)
        let problem = SqliteRecovery.PageProblem(file)
        where problem is not null
        select new Finding(Path.GetFileName(file), "", problem, file == run.Journal ? Remedy.Copy : Remedy.MadeAnew);

    private static List<DamagedCheckpointException> DamagesOf(RunPaths run, CheckpointManifest manifest, bool withReplay, bool deep)
    {
        var damages = new List<DamagedCheckpointException>();
        var blobs = new BlobStore(run.Blobs);
        damages.AddRange(manifest.Components.Values.Select(blobs.Damage).OfType<DamagedCheckpointException>());
        try
        {
            if (withReplay && manifest.Replay is { } replay)
            {
                SegmentFiles.Verify(run.Replay, replay, deep);
            }
        }
        catch (DamagedCheckpointException damage)
        {
            damages.Add(damage);
        }
        return damages;
    }

    private static IEnumerable<Finding> Best(RunPaths run, CheckpointManifest newest)
    {
        if (newest.Best is { } best && new BlobStore(run.Blobs).Damage(best.Parameters) is { } damage)
        {
            yield return new(Path.GetRelativePath(run.Root, damage.File), "", $"The best policy, of step {best.Step:N0}, should have {damage.Expected}, but has {damage.Found}. The run goes on without it.", Remedy.Copy);
        }
    }

    private static IEnumerable<Finding> Tables(RunPaths run, JournalReader journal, CheckpointManifest newest)
    {
        foreach (var (name, committed) in newest.Files.OrderBy(file => file.Key, StringComparer.Ordinal))
        {
            var path = Path.Combine(run.Root, name);
            var mark = RepairedTable.Of(path, committed);
            if (mark.Sha256 is null || IsWhole(path, mark))
            {
                continue;
            }
            if (Path.GetExtension(name) != ".csv")
            {
                yield return new(name, "", "TensorBoard's events are not what was written; they begin anew at the next start. The tables have what they had.", Remedy.MadeAnew);
                continue;
            }
            var bytes = File.Exists(path) ? File.ReadAllBytes(path) : [];
            var (from, to) = TableRepair.Damaged(bytes, MarksOf(journal, name));
            yield return bytes.Length < mark.Length
                ? new(name, $"byte {bytes.Length:N0}", $"It has {bytes.Length:N0} bytes; the last commit names {mark.Length:N0}.", RemedyFor(path))
                : new(name, $"bytes {from:N0} to {to:N0}", "Its bytes are not what was written.", RemedyFor(path));

            Remedy RemedyFor(string table) => TableHistory.MakeAnew(run, table, mark, dry: true) ? Remedy.MadeAnew : Remedy.Repair;
        }
    }

    /// <summary>What each commit that still counts named of a table, oldest first.</summary>
    internal static IReadOnlyList<FileMark> MarksOf(JournalReader journal, string table) =>
        [.. journal.AllManifests().Select(manifest => manifest.Files.GetValueOrDefault(table)).OfType<FileMark>()];

    internal static bool IsWhole(string path, FileMark mark)
    {
        try
        {
            GrowingFile.Require(path, mark);
            return true;
        }
        catch (DamagedCheckpointException)
        {
            return false;
        }
    }
}
