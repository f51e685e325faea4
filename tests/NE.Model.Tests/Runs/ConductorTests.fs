module NE.Model.Tests.Runs.ConductorTests

open System
open Expecto
open NE.Model
open NE.Model.History
open NE.Model.Runs
open NE.Model.Tests.Runs.World

/// A run of 300 steps in which everything is due several times, at steps that do not fall together.
let private settings kind environments =
    let pairs = [
        struct ("run.steps", "300")
        struct ("schedule.kind", kind)
        struct ("schedule.environments", string environments)
        struct ("schedule.roundSteps", "3")
        struct ("learner.batchSize", "16")
        struct ("learner.startSteps", "40")
        struct ("learner.bufferSize", "200")
        struct ("evaluation.every", "35")
        struct ("checkpoint.every", "60")
        struct ("log.metricsEvery", "25")
    ]

    match Settings.apply pairs Settings.defaults with
    | Ok settings -> fst (Settings.resolve settings)
    | Error errors -> failwithf "%A" errors

let private schedules = [ "serial"; "pipelined"; "async" ]

let private number limit (seed: int) = (seed &&& 0x7fffffff) % limit

let private evaluated (outcome: Outcome) =
    outcome.History
    |> List.choose (function
        | EvaluationEnded(_, evaluation) -> Some evaluation.Step
        | _ -> None)

/// Evaluations take up to so many answers of others: none, some, or more than there are between two commits.
let private lateBy (seed: int) = {
    calm with
        Lateness = [| 1; 20; 100; 400; 3_000 |][number 5 seed]
}

let private written (outcome: Outcome) =
    outcome.Orders
    |> List.choose (function
        | Order.WriteEvaluation evaluation -> Some evaluation
        | _ -> None)

let private shown (outcome: Outcome) =
    outcome.Orders
    |> List.choose (function
        | Order.ShowEvaluation evaluation -> Some evaluation
        | _ -> None)

let private counters (ledger: Ledger) = [
    ledger.Position.Steps
    ledger.Position.LearnedSteps
    ledger.Position.GradientSteps
    ledger.Episodes
    ledger.NextOrdinal
    ledger.BestStep
    int64 ledger.Pending.Length
]

/// The steps at which a cadence is due: at the first barrier at or after each of its multiples, once.
let private dueAt every first perRound steps = [
    if first then
        0L
    for barrier in perRound..perRound..steps do
        if barrier / every > (barrier - perRound) / every then
            barrier
]

[<Tests>]
let tests =
    testList "The conductor" [
        for kind in schedules do
            // The world refuses what must not happen: an order given twice, a barrier with something in flight, a commit that overtakes.
            testProperty $"{kind}: comes to its end, however its cast answers"
            <| fun (seed: int) ->
                let settings = settings kind (1 + number 4 seed)
                let outcome = run settings calm seed (fromNothing settings)
                Expect.equal outcome.State.Stage (Stage.Ended Completed) "complete"
                Expect.equal outcome.Unheard 0 "nothing is on its way any more"
                let ledger = outcome.State.Ledger
                Expect.isGreaterThanOrEqual ledger.Position.Steps 300L "all steps"
                Expect.equal ledger.Position.LearnedSteps ledger.Position.Steps "all learned from"

                Expect.equal
                    ledger.Position.GradientSteps
                    (Rounds.updatesOwed settings Phase.first 0L ledger.Position.Steps)
                    "the gradient steps that are owed"

            testProperty $"{kind}: environments that fail stop nobody, and none of their steps is stored twice or not at all"
            <| fun (seed: int) ->
                let settings = settings kind (1 + number 4 seed)
                let weather = { calm with Failure = 0.2 }
                let outcome = run settings weather seed (fromNothing settings)
                Expect.equal outcome.State.Stage (Stage.Ended Completed) "complete"
                Expect.equal outcome.State.Head outcome.State.Ledger.Position.Steps "rows"

                let failures = outcome.State.Environments |> Array.sumBy _.Failures
                Expect.equal (int outcome.State.Ledger.Restarts) failures "restarts that were counted"

            testProperty $"{kind}: a stop always ends it, with a commit"
            <| fun (seed: int) ->
                let settings = settings kind (1 + number 4 seed)

                let weather = {
                    calm with
                        Failure = 0.1
                        StopAfter = Some(1 + number 400 seed)
                        Lateness = number 300 (seed / 7)
                }

                let outcome = run settings weather seed (fromNothing settings)
                Expect.isFalse (outcome.AfterStop |> List.exists _.IsPrepare) "nobody is asked for more steps"

                match outcome.State.Stage with
                | Stage.Ended(Interrupted _) ->
                    let stored =
                        outcome.LastCommit
                        |> Option.map (fun (commit, _) -> commit.Ledger.Position.Steps)

                    // Unless it had not begun yet.
                    if outcome.State.Ledger.Position.Round > 0L then
                        Expect.equal stored (Some outcome.State.Ledger.Position.Steps) "everything that was done is committed"
                | Stage.Ended Completed -> ()
                | stage -> failtestf "%A" stage

        for kind in [ "serial"; "pipelined" ] do
            testProperty $"{kind}: the order of answers shows nowhere"
            <| fun (one: int) (other: int) ->
                let settings = settings kind 3
                let left = run settings calm one (fromNothing settings)
                let right = run settings calm other (fromNothing settings)
                Expect.equal left.History right.History "history"

                let ended =
                    left.History
                    |> List.choose (function
                        | EpisodeEnded(_, episode) -> Some(episode.Step, episode.Environment)
                        | _ -> None)

                Expect.equal ended (List.sort ended) "episodes by step and environment"
                Expect.equal (Ledger.toBytes left.State.Ledger) (Ledger.toBytes right.State.Ledger) "counters"

            testProperty $"{kind}: every cadence fires once, at the first barrier at or after its step"
            <| fun (seed: int) ->
                let settings = settings kind 2
                let outcome = run settings calm seed (fromNothing settings)
                let steps = outcome.State.Ledger.Position.Steps
                Expect.equal (evaluated outcome) (dueAt 35L true 6L steps) "evaluations"

                let commits =
                    outcome.Orders
                    |> List.choose (function
                        | Order.Commit commit -> Some commit.Ledger.Position.Steps
                        | _ -> None)

                // What is due at the last step gets a round of its own, and the end a commit.
                Expect.equal commits (dueAt 60L true 6L steps @ [ steps ]) "commits"

                let rows =
                    outcome.Orders
                    |> List.choose (function
                        | Order.WriteMetrics row -> Some row.Step
                        | _ -> None)

                Expect.equal rows (dueAt 25L false 6L steps) "rows of metrics"

            testProperty $"{kind}: stopped anywhere and gone on with, it is the run that never stopped"
            <| fun (seed: int) ->
                let settings = settings kind 3
                let whole = run settings calm seed (fromNothing settings)

                let weather = {
                    calm with
                        StopAfter = Some(20 + number 300 seed)
                }

                let first = run settings weather (seed + 1) (fromNothing settings)

                match first.LastCommit with
                | None -> ()
                | Some _ ->
                    let second = run settings calm (seed + 2) (fromCommit first)
                    Expect.equal (first.History @ second.History) whole.History "history"
                    Expect.equal (counters second.State.Ledger) (counters whole.State.Ledger) "counters"

            testProperty $"{kind}: however late evaluations are, the history is that of a run in which none is"
            <| fun (seed: int) ->
                let settings = settings kind 3
                let whole = run settings calm seed (fromNothing settings)
                let late = run settings (lateBy (seed / 3)) (seed + 1) (fromNothing settings)
                Expect.equal late.State.Stage (Stage.Ended Completed) "complete"
                Expect.equal late.History whole.History "history"
                Expect.equal (Ledger.toBytes late.State.Ledger) (Ledger.toBytes whole.State.Ledger) "counters"
                Expect.equal (shown late) (written late) "what is shown is what is delivered"
                Expect.equal (written late) (written whole) "rows of evaluations"

            testProperty $"{kind}: late evaluations, a stop or a kill anywhere, another one, and the rest: the run that never stopped"
            <| fun (seed: int) (other: int) ->
                let settings = settings kind 2
                let whole = run settings calm seed (fromNothing settings)

                let opening outcome =
                    if outcome.LastCommit.IsSome then
                        fromCommit outcome
                    else
                        fromNothing settings

                let weather seed =
                    if number 2 seed = 0 then
                        {
                            lateBy (seed / 5) with
                                KillAfter = Some(5 + number 400 (seed / 2))
                        }
                    else
                        {
                            lateBy (seed / 5) with
                                StopAfter = Some(5 + number 400 (seed / 2))
                        }

                let first = run settings (weather seed) (seed + 1) (fromNothing settings)
                let second = run settings (weather other) (other + 2) (opening first)

                // Killed before its first commit, it leaves what it found.
                let between =
                    if second.LastCommit.IsSome then
                        {
                            second with
                                History = together first second
                        }
                    else
                        first

                let third = run settings (lateBy seed) (seed + 3) (opening between)
                Expect.equal (together between third) whole.History "history"
                Expect.equal (Ledger.toBytes third.State.Ledger) (Ledger.toBytes whole.State.Ledger) "counters"

            testProperty $"{kind}: an evaluation that never ends holds up no commit but the last"
            <| fun (seed: int) ->
                let settings = settings kind 2

                let never = {
                    calm with
                        Lateness = Int32.MaxValue - 1_000_000
                }

                let whole = run settings calm seed (fromNothing settings)
                let late = run settings never seed (fromNothing settings)

                let commits outcome =
                    outcome.Orders
                    |> List.choose (function
                        | Order.Commit commit -> Some(commit.Ledger.Position.Steps, commit.IsScheduled)
                        | _ -> None)

                Expect.equal (commits late) (commits whole) "commits"

            testCase $"{kind}: a stop at the end commits at once, as interrupted, and what is left is played by the resume"
            <| fun _ ->
                let settings = settings kind 2
                let whole = run settings calm 1 (fromNothing settings)

                let stopped =
                    // The last steps are taken when nothing but evaluations is left to come.
                    Seq.initInfinite (fun answers ->
                        run
                            settings
                            {
                                lateBy 0 with
                                    Lateness = 100_000
                                    StopAfter = Some(answers + 1)
                            }
                            5
                            (fromNothing settings))
                    |> Seq.find (fun outcome -> (Ledger.due settings outcome.State.Ledger).Finished)

                Expect.equal stopped.State.Stage (Stage.Ended(Interrupted "the weather")) "interrupted"
                let rest = run settings calm 6 (fromCommit stopped)
                Expect.equal rest.State.Stage (Stage.Ended Completed) "complete"
                Expect.isFalse (rest.Orders |> List.exists _.IsPrepare) "no more steps"
                Expect.equal (together stopped rest) whole.History "history"
                Expect.equal (Ledger.toBytes rest.State.Ledger) (Ledger.toBytes whole.State.Ledger) "counters"

        testProperty "serial and pipelined agree in every counter"
        <| fun (seed: int) ->
            let ledger kind =
                let settings = settings kind (1 + number 4 seed)
                (run settings calm seed (fromNothing settings)).State.Ledger

            Expect.equal (counters (ledger "pipelined")) (counters (ledger "serial")) "counters"

        testProperty "async: every step at which an evaluation is due has one, and no step two"
        <| fun (seed: int) ->
            let settings = settings "async" (1 + number 4 seed)
            let outcome = run settings calm seed (fromNothing settings)
            let steps = evaluated outcome
            Expect.equal steps (List.distinct steps |> List.sort) "in order, each once"
            // One credit may pass two multiples at most.
            Expect.isGreaterThanOrEqual steps.Length 5 "about one per 35 steps"

        testCase "async: while one environment is down the others go on"
        <| fun _ ->
            let settings = settings "async" 3

            let orders =
                let mutable state = Conductor.start settings None
                let given = ResizeArray<Order>()

                let hear input =
                    let struct (next, orders) = Conductor.decide settings state input
                    state <- next
                    given.AddRange orders

                for input in
                    [
                        Input.Recovered 1L
                        Input.Opened {
                            fromNothing settings with
                                From = Some 0L
                                Ledger = Ledger.advance 0L 0L 0L Ledger.empty
                        }
                        Input.Begun
                        Input.EnvironmentReady(0, 0L)
                        Input.EnvironmentReady(1, 0L)
                        Input.EnvironmentReady(2, 0L)
                        Input.EnvironmentFailed(0, "it is broken")
                    ] do
                    hear input

                given.Clear()

                for environment in [ 1; 2 ] do
                    hear (
                        Input.Stepped {
                            Environment = environment
                            Episodes = [||]
                            Episode = 0L
                            Divergences = 0
                        }
                    )

                    hear (Input.Appended(OfEnvironment environment, 16L * int64 environment))

                List.ofSeq given

            let stepped =
                orders
                |> List.choose (function
                    | Order.Step environment -> Some environment
                    | _ -> None)

            Expect.equal stepped [ 1; 2 ] "each got its next steps"

        testCase "the tenth failure in a row fails the run, with a reason that is stored"
        <| fun _ ->
            let settings = settings "serial" 2
            let outcome = run settings { calm with Failure = 1.0 } 1 (fromNothing settings)

            match outcome.State.Stage with
            | Stage.Ended(Failed reason) -> Expect.stringContains reason "failed 10 times in a row" reason
            | stage -> failtestf "%A" stage

            let isReason =
                function
                | Order.Record(_, RunFailed(_, reason)) -> reason.Contains "10 times"
                | _ -> false

            Expect.isTrue (List.exists isReason outcome.Orders) "recorded"

        testCase "a simulator that fails twice while others begin is counted as up once"
        <| fun _ ->
            let settings = settings "serial" 2
            let mutable state = Conductor.start settings None

            for input in
                [
                    Input.Recovered 1L
                    Input.Opened(fromNothing settings)
                    Input.Begun
                    Input.EnvironmentReady(0, 0L)
                    Input.EnvironmentFailed(0, "once")
                    Input.EnvironmentReady(0, 1L)
                ] do
                let struct (next, _) = Conductor.decide settings state input
                state <- next

            Expect.equal state.Stage Stage.StartingEnvironments "the other one is not up"
    ]
