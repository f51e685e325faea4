module NE.Shell.Tests.CommittedPastTests

open System.IO
open Expecto
open NE.Actors.Journal
open NE.Actors.RunDirectory
open NE.Actors.Runs
open NE.Model.History
open NE.Shell.Tests.Support
open NE.Shell.Torture

/// A run of 1,000 steps that ends at once, with this journal and this much of a table.
let private stored (folder: string) (name: string) (table: string) (entries: JournalEntry list) : RunPaths =
    let start (_: RunRequest) : ITrainingRun =
        let run = FakeRun(RunStatus(Phase = RunPhase.Training, Step = 0L, Steps = 1_000L))
        run.End(RunOutcome(RunPhase.Interrupted, "SIGTERM", 0L))
        run

    execute (host folder start) [ "train"; "--steps"; "1000"; "--name"; name ]
    |> ignore

    let paths = RunPaths.Of(folder, name)
    File.WriteAllText(paths.Evaluations, table)
    appendToJournal paths entries
    paths

/// The commit of a step, which is its number too, with so much history and so many bytes of the table.
let private commit (step: int64) (ordinal: int64) (bytes: int64) : JournalEntry =
    commitOf step step ordinal [ "eval.csv", bytes ]

let private episode (commit: int64) (ordinal: int64) (number: int64) (length: int) (score: float) : JournalEntry =
    JournalEntry.EventStored(
        commit,
        true,
        EpisodeEnded(
            ordinal,
            {
                Step = commit
                Environment = 0
                Episode = number
                Return = score
                Length = length
                Terminated = true
            }
        )
    )

let private noted (commit: int64) (event: RunEvent) : JournalEntry =
    JournalEntry.EventStored(commit, true, event)

let private begun = [
    noted 0L (RunInterrupted(0L, "SIGTERM"))
    episode 400L 0L 0L 300 1.0
    commit 400L 1L 2L
    episode 700L 1L 1L 300 2.0
    commit 700L 2L 4L
]

let private ending = [
    episode 1000L 2L 2L 300 3.0
    noted 1000L (RunCompleted 1000L)
    commit 1000L 3L 6L
]

let private pastOf (run: RunPaths) (back: int) : CommittedPast =
    match CommittedPast.Of(run, back) with
    | null -> failtest "there is a journal"
    | past -> past

/// What an ended run has lost of one that had begun.
let private loss (back: int) (table: string) (entries: JournalEntry list) : string =
    use folder = new TemporaryFolder()
    let past = pastOf (stored folder.Path "before" "1\n2\nnot committed" begun) back
    let after = stored folder.Path "after" table entries
    past.FirstLoss(after) |> Option.ofObj |> Option.defaultValue "none"

let private flaw (entries: JournalEntry list) : string =
    use folder = new TemporaryFolder()

    CommittedPast.FirstFlaw(stored folder.Path "run" "1\n2\n3\n" entries, 1000L)
    |> Option.ofObj
    |> Option.defaultValue "none"

[<Tests>]
let tests =
    testSequenced
    <| testList "what a run has committed" [
        test "is there when the run went on" {
            Expect.equal (loss 0 "1\n2\n3\n" (begun @ ending)) "none" "all of it"
            Expect.equal (loss 0 "1\n2\n" begun) "none" "at the same commit"
        }

        test "is missing when the run went back, unless that was asked for" {
            let rewound = begun @ [ JournalEntry.Rewound(701L, 400L) ]
            Expect.equal (loss 0 "1\n" rewound) "step 700 was committed, and now 400 is" "the last commit"
            Expect.equal (loss 1 "1\n" rewound) "none" "the one before"
        }

        test "is other when an event or a row is" {
            let other = [ episode 700L 1L 1L 299 2.0; commit 700L 2L 4L ]
            Expect.stringStarts (loss 0 "1\n2\n" (List.take 3 begun @ other)) "history event 1 was" "an event"
            Expect.equal (loss 0 "1\n3\n" begun) "rows of eval.csv" "a row"
            Expect.equal (loss 0 "1\n" begun) "rows of eval.csv" "a row that is gone"

            let renamed = noted 0L (RunInterrupted(0L, "SIGINT")) :: List.tail begun
            Expect.stringStarts (loss 0 "1\n2\n" renamed) "operational event 0 was" "what is not history"
        }

        test "makes a whole" {
            Expect.equal (flaw (begun @ ending)) "none" "a complete run"
            Expect.equal (flaw begun) "it is not complete" "one that is not"

            let ended events =
                begun @ events @ [ noted 1000L (RunCompleted 1000L); commit 1000L 3L 6L ]

            Expect.equal (flaw (ended [ episode 1000L 2L 1L 300 3.0 ])) "episode 1 of environment 0 ended twice" "the same twice"
            Expect.equal (flaw (ended [ episode 1000L 2L 2L 500 3.0 ])) "episodes of 1100 steps in a run of 1000" "steps twice"
            Expect.equal (flaw (ended [ episode 1000L 3L 2L 300 3.0 ])) "history event 2 is number 3" "a gap"
        }
    ]
