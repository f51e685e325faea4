module NE.Model.Tests.Runs.RoundsTests

open Expecto
open NE.Model
open NE.Model.Runs

let private settings environments roundSteps steps =
    let resolved, _ =
        Settings.resolve {
            Settings.defaults with
                Run.Steps = steps
                Schedule.Environments = environments
                Schedule.RoundSteps = roundSteps
                Learner.StartSteps = Is 100L
        }

    resolved

/// All barriers of a run: (steps of the barrier before, position).
let private barriers (settings: Settings) =
    let perRound = Rounds.stepsPerRound settings
    let pipelined = settings.Schedule.Kind = Pipelined

    (0L, Position.start)
    |> List.unfold (fun (before, position) ->
        if
            position.Round > 0L
            && before = position.Steps
            && position.LearnedSteps = position.Steps
        then
            None
        else
            let steps =
                if position.Steps < settings.Run.Steps then
                    position.Steps + perRound
                else
                    position.Steps

            let learned = if pipelined then position.Steps else steps

            let next = {
                Round = position.Round + 1L
                Steps = steps
                LearnedSteps = learned
                GradientSteps =
                    position.GradientSteps
                    + Rounds.updatesOwed settings Phase.first position.LearnedSteps learned
            }

            Some((position.Steps, next), (position.Steps, next)))

[<Tests>]
let tests =
    testList "Rounds" [
        test "from pictures nothing is measured before a transition's steps are there in one environment" {
            let many = settings 512 1 100_000L

            let seeing = {
                many with
                    Run.Learner = LearnerKind.Drq
                    Log.MetricsEvery = 1_000L
            }

            let rows settings = [
                for now in 512L..512L..2_048L -> Rounds.metricsDue settings Phase.first (now - 512L) now
            ]

            Expect.equal
                (rows {
                    seeing with
                        Run.Learner = LearnerKind.Td3
                })
                [ false; true; false; true ]
                "of numbers every row is one"

            Expect.equal (rows seeing) [ false; false; false; true ] "two of three steps, and four"
        }

        test "priming is owed once, with the first step that is learned from" {
            let primed = {
                settings 1 1 1000L with
                    Learner.PrimingUpdates = 500L
            }

            Expect.equal (Rounds.updatesOwed primed Phase.first 0L 100L) 0L "the random steps owe none"
            Expect.equal (Rounds.updatesOwed primed Phase.first 100L 101L) 501L "the first step after them owes it too"
            Expect.equal (Rounds.updatesOwed primed Phase.first 99L 103L) 503L "in whatever round it lies"
            Expect.equal (Rounds.updatesOwed primed Phase.first 101L 102L) 1L "and then no other does"
        }

        testProperty "a cadence fires once for every multiple, whatever the size of a round"
        <| fun (every: byte) (round: byte) (count: byte) ->
            let every, round = 1L + int64 every, 1L + int64 round
            let steps = [ for i in 0L .. int64 count -> i * round ]

            let fires =
                steps |> List.pairwise |> List.filter (fun (a, b) -> Rounds.fired every a b)

            // Several multiples within one round fire together.
            fires.Length = (steps |> List.map (fun s -> s / every) |> List.distinct |> List.length) - 1

        testProperty "gradient steps are owed for every step after the random ones, however they are split"
        <| fun (a: uint16) (b: uint16) (c: uint16) (thousandths: uint16) ->
            let settings = {
                settings 1 1 10_000L with
                    Learner.UpdatesPerStep = Is(decimal (1us + thousandths) / 1000.0m)
            }

            let sorted = List.sort [ int64 a; int64 b; int64 c ]
            let first, middle, last = sorted[0], sorted[1], sorted[2]

            Rounds.updatesOwed settings Phase.first first middle
            + Rounds.updatesOwed settings Phase.first middle last
                =
                Rounds.updatesOwed settings Phase.first first last

        testProperty "a step is complete before the first gradient step that it does not owe"
        <| fun (thousandths: uint16) (update: uint16) ->
            let ratio, update = decimal (1us + thousandths) / 1000.0m, 1L + int64 update
            let complete = ReplayRatio.completeBefore ratio update

            ReplayRatio.updatesOf ratio complete < update
            && ReplayRatio.updatesOf ratio (complete + 1L) >= update

        testCase "below one gradient step per step, one is owed every few"
        <| fun _ ->
            let half = {
                settings 1 1 1000L with
                    Learner.UpdatesPerStep = Is 0.5m
            }

            let owed = [
                for step in 99L .. 105L -> Rounds.updatesOwed half Phase.first step (step + 1L)
            ]

            Expect.equal owed [ 0L; 0L; 1L; 0L; 1L; 0L; 1L ] "steps 100 to 106"

        for kind in [ Serial; Pipelined ] do
            testCase $"{kind}: a run takes all its steps, learns from each after the random ones, and is finished once"
            <| fun _ ->
                let settings = {
                    settings 3 7 1_000L with
                        Schedule.Kind = kind
                }

                let all = barriers settings
                let _, last = List.last all
                Expect.isGreaterThanOrEqual last.Steps 1_000L "steps"
                Expect.equal last.GradientSteps (last.Steps - 100L) "gradient steps"

                let finished =
                    all
                    |> List.filter (fun (before, position) -> (Rounds.due settings Phase.first 0L before position).Finished)

                Expect.equal finished [ List.last all ] "finished at the last barrier alone"

        testCase "the beginning is committed and evaluated, but not measured"
        <| fun _ ->
            let due = Rounds.due (settings 1 1 1_000L) Phase.first 0L 0L Position.start
            Expect.isTrue due.Commit "commit"
            Expect.isTrue due.Evaluation "evaluation"
            Expect.isFalse due.Metrics "nothing is stored yet"
            Expect.isFalse due.Finished "finished"

        for every, expected in [ 0L, []; 400L, [ 401L; 800L; 1_001L ] ] do
            testCase $"a video every {every} steps"
            <| fun _ ->
                let settings = {
                    settings 1 7 1_001L with
                        Video.Every = every
                }

                let filmed = [
                    for before, position in barriers settings do
                        if (Rounds.due settings Phase.first 0L before position).Video then
                            position.Steps
                ]

                Expect.equal
                    filmed
                    (List.filter (fun step -> step < 1_001L) expected
                     |> List.map (fun step -> (step + 6L) / 7L * 7L))
                    "barriers"

        testProperty "credits never run further ahead of the learner than the slack"
        <| fun (learned: uint16) (ahead: byte) ->
            let settings = settings 4 1 1_000_000L
            let learned = 100L + int64 learned
            let granted = learned + int64 ahead
            Rounds.mayGrant settings Phase.first 64L granted learned 16L = (granted + 16L - learned <= 64L)
    ]
