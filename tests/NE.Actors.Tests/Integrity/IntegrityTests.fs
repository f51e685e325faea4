module NE.Actors.Tests.Integrity.IntegrityTests

open System
open System.Collections.Generic
open System.IO
open Expecto
open Microsoft.Data.Sqlite
open NE.Actors.Configuration
open NE.Actors.Hosting
open NE.Actors.Integrity
open NE.Actors.Journal
open NE.Actors.RunDirectory
open NE.Actors.Runs
open NE.Actors.Stores
open NE.Actors.Tests.Runs.Training
open NE.Tests.RunIdentity

/// A run that was stopped in the middle: everything is in it, and there is something left to do.
let private stopped =
    lazy
        (let folder = Directory.CreateTempSubdirectory("ne-integrity-").FullName
         AppDomain.CurrentDomain.ProcessExit.Add(fun _ -> Directory.Delete(folder, true))
         let settings = settings []

         using (create folder "run") (fun created ->
             let outcome = trainUntil 430 (request created.Paths settings)
             Expect.equal outcome.Phase RunPhase.Interrupted "stopped")

         // The connections of the run that has ended are still pooled.
         SqliteConnection.ClearAllPools()
         SqliteRecovery.Recover(RunPaths.Of(folder, "run"))
         folder, settings)

let private copied (body: RunPaths -> 'T) : 'T =
    inFolder (fun folder ->
        let source = RunPaths.Of(fst stopped.Value, "run").Root
        let target = RunPaths.Of(folder, "run").Root

        for file in Directory.EnumerateFiles(source, "*", SearchOption.AllDirectories) do
            let copy = Path.Combine(target, Path.GetRelativePath(source, file))
            Directory.CreateDirectory(string (Path.GetDirectoryName copy)) |> ignore
            File.Copy(file, copy)

        body (RunPaths.Of(folder, "run")))

let private flip (file: string) (at: int64) =
    use stream = File.Open(file, FileMode.Open, FileAccess.ReadWrite)
    stream.Position <- at
    let was = stream.ReadByte()
    stream.Position <- at
    stream.WriteByte(byte (was ^^^ 1))

let private findings run =
    RunExamination.Examine(run, true).Findings |> List.ofSeq

let private finish (run: RunPaths) =
    let outcome = train toTheEnd (request run (snd stopped.Value))
    Expect.equal outcome.Phase RunPhase.Completed $"it completes: {outcome.Message}"

/// How much of a table the last commit names.
let private committed (run: RunPaths) (table: string) =
    use journal = JournalReader.Open run
    (Seq.head (journal.Manifests())).Files[table].Length

let private execute (file: string) (sql: string) =
    use connection =
        new SqliteConnection(SqliteConnectionStringBuilder(DataSource = file, Pooling = false).ToString())

    connection.Open()
    use command = connection.CreateCommand()
    command.CommandText <- sql
    command.ExecuteNonQuery() |> ignore

[<Tests>]
let tests =
    testList "what a resume reads" [
        testCase "is whole in a run that nobody touched"
        <| fun _ ->
            copied (fun run ->
                let examination = RunExamination.Examine(run, true)
                Expect.isEmpty examination.Findings "findings"
                Expect.equal [ for checkpoint in examination.Checkpoints -> checkpoint.IsResumable ] [ true; true ] "checkpoints")

        for table, remedy in
            [
                "eval.csv", Remedy.MadeAnew
                "topology.csv", Remedy.MadeAnew
                "metrics.csv", Remedy.Repair
                "layers.csv", Remedy.Repair
                "timing.csv", Remedy.Repair
            ] do
            testCase $"one bit of {table} is found, named, and not carried on"
            <| fun _ ->
                copied (fun run ->
                    let file = Path.Combine(run.Root, table)
                    // In the first row.
                    flip file (int64 ((File.ReadAllText file).IndexOf('\n') + 5))

                    match findings run with
                    | [ finding ] ->
                        Expect.equal finding.File table "file"
                        Expect.equal finding.Remedy remedy "remedy"
                        Expect.stringStarts finding.Place "bytes " "place"
                    | other -> failtest $"one finding, not {other}"

                    let outcome = train toTheEnd (request run (snd stopped.Value))
                    Expect.equal outcome.Phase RunPhase.Failed "it is refused"
                    Expect.stringContains (string outcome.Message) "ne repair run" "what to do")

        for table in [ "eval.csv"; "topology.csv" ] do
            for damage, harm in
                [
                    "flipped", (fun file -> flip file 20L)
                    "deleted", File.Delete
                    "cut", (fun file -> File.WriteAllBytes(file, File.ReadAllBytes(file)[..40]))
                ] do
                // What is upside down is in eval.csv alone; HalfCheetah has it.
                if not (table = "eval.csv" && damage <> "flipped") then
                    testCase $"a {damage} {table} is made anew from the journal, byte for byte"
                    <| fun _ ->
                        copied (fun run ->
                            let file = Path.Combine(run.Root, table)
                            let length = int (committed run table)
                            // What is shown behind the committed rows is made by the resume.
                            let before = (File.ReadAllBytes file)[.. length - 1]
                            harm file
                            Expect.isNonEmpty (RunRepair.MakeAnew run) "it is said"
                            Expect.equal (File.ReadAllBytes file) before "its bytes"
                            Expect.isEmpty (findings run) "nothing is left"
                            Expect.isEmpty (RunRepair.MakeAnew run) "what is whole is not touched")

        testCase "a table that lost rows for good keeps the others, and the run goes on with the same state"
        <| fun _ ->
            copied (fun run ->
                let whole = File.ReadAllText run.Metrics
                flip run.Metrics (FileInfo(run.Metrics).Length / 2L)
                Expect.isEmpty (RunRepair.MakeAnew run) "nothing else has it"
                Expect.hasLength (RunRepair.Cut run) 1 "one table"
                Expect.isEmpty (findings run) "what is left is taken as it is"
                let kept = File.ReadAllLines run.Metrics
                Expect.isGreaterThan kept.Length 2 "rows"

                for row in kept do
                    Expect.stringContains whole row "a row as it was written"

                Expect.isTrue (File.Exists(run.Metrics + ".damaged")) "the file as it was"
                finish run

                inFolder (fun folder ->
                    use other = create folder "other"
                    finish other.Paths
                    let found, expected = identity run, identity other.Paths
                    Expect.equal (found.Run.FirstDifference(expected.Run, withTables = false)) null "the run but for its tables"
                    Expect.stringStarts (found.Run.FirstDifference expected.Run) "metrics.csv, line " "which are not the same"
                    Expect.stringStarts (File.ReadAllText run.Metrics) (String.concat "\n" kept) "and its rows go on"))

        testCase "the best policy is lost when it is damaged, and that is said"
        <| fun _ ->
            copied (fun run ->
                let best =
                    use journal = JournalReader.Open run
                    (Seq.head (journal.Manifests())).Best

                match best with
                | null -> failtest "there was an evaluation"
                | best ->
                    flip (Path.Combine(run.Blobs, best.Parameters.Sha256)) 100L

                    match List.ofSeq (RunRepair.MakeAnew run) with
                    | [ sentence ] -> Expect.stringContains sentence $"the best policy, of step {best.Step}" "which one"
                    | other -> failtest $"one sentence, not {other}"

                    finish run)

        testCase "damaged snapshots are made anew, and so are those that are ahead of the journal"
        <| fun _ ->
            for name, harm in
                [
                    "no database", (fun (run: RunPaths) -> File.WriteAllText(run.Snapshots, String('x', 8192)))
                    "no record", (fun run -> execute run.Snapshots "UPDATE snapshot SET snapshot = x'7b'")
                    "ahead", (fun run -> execute run.Snapshots "UPDATE snapshot SET sequence_number = sequence_number + 100000")
                ] do
                copied (fun run ->
                    harm run
                    Expect.equal [ for finding in findings run -> finding.Remedy ] [ Remedy.MadeAnew ] $"found: {name}"
                    let said = List.ofSeq (RunRepair.MakeAnew run)
                    Expect.hasLength said 1 "made anew"

                    if name = "ahead" then
                        Expect.stringContains said.Head "it has lost what was committed" "what that means"

                    Expect.isEmpty (findings run) "nothing is left"
                    finish run)

        testCase "a changed digit in a record of the journal is found by its number, whatever SQLite says"
        <| fun _ ->
            copied (fun run ->
                execute
                    run.Journal
                    "UPDATE journal SET message = CAST(REPLACE(CAST(message AS TEXT), '\"step\":100', '\"step\":101') AS BLOB) WHERE manifest LIKE 'evaluation%' OR manifest LIKE 'episode%'"

                match findings run with
                | found :: _ ->
                    Expect.equal found.File "journal.db" "file"
                    Expect.stringStarts found.Place "record " "place"
                    Expect.stringContains found.Problem "damaged" "problem"
                | [] -> failtest "it was believed")

        testCase "a record that is missing is missed"
        <| fun _ ->
            copied (fun run ->
                execute run.Journal "DELETE FROM journal WHERE sequence_number = 3"
                Expect.exists (findings run) (fun finding -> finding.Place = "record 3") "record 3")

        testCase "a blob of the last checkpoint that is damaged leaves the one before, and both are said"
        <| fun _ ->
            copied (fun run ->
                use journal = JournalReader.Open run
                let manifests = journal.Manifests()
                let newest = manifests[0].Components["parameters"].Sha256
                flip (Path.Combine(run.Blobs, newest)) 10L
                let examination = RunExamination.Examine(run, false)
                Expect.equal [ for checkpoint in examination.Checkpoints -> checkpoint.IsResumable ] [ false; true ] "checkpoints"
                Expect.equal [ for finding in examination.Findings -> finding.Remedy ] [ Remedy.PreviousCheckpoint ] "findings")

        testCase "replay rows are read when everything is read"
        <| fun _ ->
            copied (fun run ->
                flip (Seq.head (Directory.EnumerateFiles(run.Replay, "*.bin"))) 100L
                Expect.isEmpty (RunExamination.Examine(run, false).Findings) "their bytes are not read"
                Expect.isNonEmpty (RunExamination.Examine(run, true).Findings) "they are")

        testCase "a table that is damaged again after a repair loses what the second damage took, and both damaged files are kept"
        <| fun _ ->
            copied (fun run ->
                let repairAt (part: float) =
                    flip run.Metrics (int64 (part * float (committed run "metrics.csv")))
                    Expect.hasLength (RunRepair.Cut run) 1 "one table"
                    Expect.isEmpty (findings run) "what is left is taken as it is"

                repairAt 0.2
                let first = File.ReadAllBytes(run.Metrics + ".damaged")
                finish run
                let rows = File.ReadAllLines run.Metrics
                // The last row.
                flip run.Metrics (committed run "metrics.csv" - 4L)
                Expect.hasLength (RunRepair.Cut run) 1 "once more"
                let left = File.ReadAllLines run.Metrics
                Expect.equal left rows[.. left.Length - 1] "rows before the damage"
                Expect.isGreaterThan left.Length (rows.Length / 2) "most of them"
                Expect.equal (File.ReadAllBytes(run.Metrics + ".damaged")) first "the first damaged file"
                Expect.isTrue (File.Exists(run.Metrics + ".damaged-2")) "the second one")

        testCase "a repair that died before the table was in its place is repeated and ends alike"
        <| fun _ ->
            copied (fun run ->
                flip run.Metrics (FileInfo(run.Metrics).Length / 2L)
                let damaged = File.ReadAllBytes run.Metrics
                let said = List.ofSeq (RunRepair.Cut run)
                let left = File.ReadAllBytes run.Metrics
                // As the process left it that died: the note is there, the table not yet.
                File.WriteAllBytes(run.Metrics, damaged)
                Expect.isNonEmpty (findings run) "it is still damaged"
                Expect.equal (List.ofSeq (RunRepair.Cut run)) said "the same words"
                Expect.equal (File.ReadAllBytes run.Metrics) left "the same rows")

        testCase "a resume that is refused because the journal has lost its end leaves the files of that end, and goes on when it is back"
        <| fun _ ->
            copied (fun run ->
                let older = File.ReadAllBytes run.Journal
                finish run
                SqliteConnection.ClearAllPools()
                SqliteRecovery.Recover run

                let newer, snapshots =
                    File.ReadAllBytes run.Journal, File.ReadAllBytes run.Snapshots

                let files () = [
                    for folder in [ run.Blobs; run.Replay ] do
                        yield! Directory.EnumerateFiles folder |> Seq.map Path.GetFileName |> Seq.sort
                ]

                let before = files ()
                File.WriteAllBytes(run.Journal, older)
                Expect.isNonEmpty (RunRepair.MakeAnew run) "the snapshots are ahead"
                let outcome = train toTheEnd (request run (snd stopped.Value))
                Expect.equal outcome.Phase RunPhase.Failed "what the old journal names is gone"
                Expect.equal (files ()) before "no file"
                SqliteConnection.ClearAllPools()
                File.WriteAllBytes(run.Journal, newer)
                File.WriteAllBytes(run.Snapshots, snapshots)

                for file in [ run.Journal; run.Snapshots ] do
                    File.Delete(file + "-wal")
                    File.Delete(file + "-shm")

                Expect.isEmpty (findings run) "all is there again")

        testCase "a journal without a commit is no journal of a run that has committed"
        <| fun _ ->
            for name, harm in
                [
                    "no file", (fun (run: RunPaths) -> File.Delete run.Journal)
                    "no file and no snapshots",
                    (fun run ->
                        File.Delete run.Journal
                        File.Delete run.Snapshots)
                    "no record",
                    (fun run ->
                        execute run.Journal "DELETE FROM journal"
                        execute run.Snapshots "DELETE FROM snapshot")
                ] do
                copied (fun run ->
                    Expect.isTrue (File.Exists run.Committed) "it says that it has committed"
                    RunInfo.Of("an-id", "run", snd stopped.Value).Write run.RunInfo
                    File.WriteAllText(run.Configuration, StoredConfiguration.Text(snd stopped.Value))
                    harm run
                    let problems = [ for finding in findings run -> finding.Problem ]
                    Expect.exists problems (fun problem -> problem.Contains "It has committed") $"found: {name}"
                    let blobs = Directory.GetFiles run.Blobs
                    use opened = StoppedRun.Open(run.RunsFolder, run.Name)

                    let nothing = Preparation(fun _ _ -> Dictionary())

                    Expect.throwsC (fun () -> opened.GoOn(snd stopped.Value, ResumeTerms(), nothing) |> ignore) (fun refusal ->
                        Expect.stringContains refusal.Message "has committed, and its journal" "why"
                        Expect.stringContains refusal.Message "Bring it back" "what to do")

                    Expect.equal (Directory.GetFiles run.Blobs) blobs "nothing is gone")

        testCase "a run that gave its replay memory up is whole, and cannot be resumed"
        <| fun _ ->
            copied (fun run ->
                DroppedReplay("was deleted", DateTimeOffset.UnixEpoch).Bytes()
                |> fun bytes -> File.WriteAllBytes(run.DroppedReplay, bytes)

                Directory.EnumerateFiles(run.Replay) |> Seq.toList |> List.iter File.Delete
                let examination = RunExamination.Examine(run, true)
                Expect.isEmpty examination.Findings "findings"
                Expect.equal [ for checkpoint in examination.Checkpoints -> checkpoint.IsResumable ] [ false; false ] "checkpoints")
    ]
