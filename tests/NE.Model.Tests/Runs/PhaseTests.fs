module NE.Model.Tests.Runs.PhaseTests

open System
open System.Text
open Expecto
open NE.Model
open NE.Model.History
open NE.Model.Runs

let private given pairs =
    match Settings.apply [ for key, value in pairs -> struct (key, value) ] Settings.defaults with
    | Ok settings -> settings
    | Error errors -> failwithf "%A" errors

let private resolved pairs = fst (Settings.resolve (given pairs))

let private three = "run.environment", "cycle:Ant-v4,Hopper-v4,Swimmer-v4"

/// Two cycles of phases of 1,000 steps.
let private small kind =
    resolved [
        three
        "schedule.kind", kind
        "cycle.cycles", "2"
        "cycle.steps", "1000"
        "cycle.warmUp", "100"
        "learner.startSteps", "250"
    ]

/// An episode ends every 70 steps.
let private advance (settings: Settings) (ledger: Ledger) =
    let position, phase = ledger.Position, Ledger.phase ledger

    let steps =
        if Phase.isOver settings phase position.Steps ledger.Episodes then
            position.Steps
        else
            position.Steps + Rounds.stepsPerRound settings

    let learned =
        if settings.Schedule.Kind = Pipelined then
            position.Steps
        else
            steps

    let owed = Rounds.updatesOwed settings phase position.LearnedSteps learned

    {
        Ledger.advance steps learned (position.GradientSteps + owed) ledger with
            Episodes = steps / 70L
    }

/// The ledger at every barrier of a run, as a conductor makes them.
let private ledgers (settings: Settings) =
    Some Ledger.empty
    |> List.unfold (
        Option.map (fun ledger ->
            let next =
                if Ledger.isSwitchDue settings ledger then
                    Some(Ledger.beginPhase ledger.Position.Steps ledger)
                elif (Ledger.due settings ledger).Finished then
                    None
                else
                    Some(advance settings ledger)

            ledger, next)
    )

let private problems pairs =
    Settings.validate (resolved pairs)
    |> List.map (fun error -> error.Key, error.Problem)

[<Tests>]
let tests =
    testList "Phases" [
        testCase "an ordinary run is one phase of all its steps"
        <| fun _ ->
            let settings = resolved [ "run.steps", "5000" ]
            Expect.equal (Phase.count settings) 1L "one"
            Expect.equal (Phase.lastStep settings Phase.first) 5000L "its end"
            Expect.equal (Phase.task settings Phase.first) "HalfCheetah-v4" "its task"
            Expect.isTrue (Phase.isLast settings Phase.first) "the last"

        for kind in [ "serial"; "pipelined" ] do
            testCase $"{kind}: a cycle visits its tasks in turn, at multiples of the phase's length, and learns from each after its warm-up"
            <| fun _ ->
                let settings = small kind
                let all = ledgers settings
                let last = List.last all
                Expect.equal settings.Run.Steps 6000L "length of the run"
                Expect.equal last.Position.Steps 6000L "steps"
                Expect.equal last.Position.LearnedSteps 6000L "all learned"

                Expect.equal
                    [
                        for phase in last.Phases -> Phase.task settings phase, Phase.cycle settings phase, phase.Start
                    ]
                    [
                        "Ant-v4", 0L, 0L
                        "Hopper-v4", 0L, 1000L
                        "Swimmer-v4", 0L, 2000L
                        "Ant-v4", 1L, 3000L
                        "Hopper-v4", 1L, 4000L
                        "Swimmer-v4", 1L, 5000L
                    ]
                    "phases"

                Expect.equal last.Position.GradientSteps (750L + 5L * 900L) "gradient steps"

        testCase "no update is owed within a warm-up, and none is lost at its end"
        <| fun _ ->
            let settings = small "serial"
            let second = Phase.next 1000L 3L 1000L Phase.first
            Expect.equal (Rounds.updatesOwed settings second 1000L 1100L) 0L "within"
            Expect.equal (Rounds.updatesOwed settings second 1090L 1110L) 10L "across its end"
            Expect.equal (Rounds.updatesOwed settings second 1100L 2000L) 900L "after it"

        testCase "random actions are those of the first phase alone"
        <| fun _ ->
            let settings = small "serial"
            Expect.equal (Phase.randomUntil settings Phase.first) 250L "the first"
            Expect.equal (Phase.randomUntil settings (Phase.next 120L 3L 120L Phase.first)) 0L "a second that began early"

        testCase "a phase never samples a row of another, and measures only its own"
        <| fun _ ->
            for ledger in ledgers (small "pipelined") do
                let phase, now = Ledger.phase ledger, ledger.Position.Steps
                let first = Rounds.windowFirst (small "pipelined") phase now
                Expect.isGreaterThanOrEqual first phase.Head "the window's first row"

                if (Ledger.due (small "pipelined") ledger).Metrics then
                    Expect.isGreaterThanOrEqual (now - phase.Start) 256L "rows to measure"

        testCase "a round that does not divide a phase moves no later switch"
        <| fun _ ->
            let settings = {
                small "serial" with
                    Schedule.RoundSteps = 7
            }

            let last = List.last (ledgers settings)
            let late = [ for phase in last.Phases -> phase.Start - 1000L * phase.Index ]
            Expect.all late (fun steps -> steps >= 0L && steps < 7L) $"at the first barrier after it: {late}"

        testCase "phases of episodes end with the last one, however long it takes"
        <| fun _ ->
            let settings =
                resolved [
                    three
                    "cycle.cycles", "2"
                    "cycle.episodes", "10"
                    "learner.startSteps", "100"
                    "cycle.warmUp", "50"
                ]

            Expect.equal settings.Run.Steps 60_000L "at most"
            Expect.equal settings.Cycle.Steps (Is 0L) "no length in steps"
            let last = List.last (ledgers settings)
            Expect.equal [ for phase in last.Phases -> phase.Start ] [ 0L; 700L; 1400L; 2100L; 2800L; 3500L ] "switches"
            Expect.equal last.Position.Steps 4200L "the run ends with its last episode"

        testCase "credits of the free schedule stop at the end of the phase"
        <| fun _ ->
            let settings = small "async"
            let second = Phase.next 1000L 3L 1000L Phase.first
            Expect.isTrue (Rounds.mayGrant settings second 64L 1000L 1000L 16L) "in the warm-up nobody waits for the learner"
            Expect.isFalse (Rounds.mayGrant settings second 64L 1990L 1990L 16L) "past the end"
            Expect.isFalse (Rounds.mayGrant settings second 64L 1200L 1100L 16L) "too far ahead of the learner"

        testCase "what is best, and the returns since the last metrics, begin anew with a phase"
        <| fun _ ->
            let struct (_, ledger) =
                Ledger.startEvaluation 0L Ledger.empty
                |> Ledger.deliverEvaluation 0L [| 3.0 |] [| 7 |]

            let next = Ledger.beginPhase 40L { ledger with RecentEpisodes = 2L }
            Expect.equal (next.BestMean, next.BestStep) (Double.NegativeInfinity, -1L) "best"
            Expect.equal next.RecentEpisodes 0L "returns"
            Expect.equal (Ledger.phase next).Head 40L "the first row"

        testCase "the policy of a step belongs to the phase that learned it"
        <| fun _ ->
            let phases = (List.last (ledgers (small "serial"))).Phases
            let index step = (Phase.ofStep step phases).Index
            Expect.equal [ index 0L; index 1L; index 1000L; index 1001L; index 6000L ] [ 0L; 0L; 0L; 1L; 5L ] "phases"

        testCase "the beginning of a phase is an event with an ordinal"
        <| fun _ ->
            let second =
                Ledger.beginPhase 1000L {
                    Ledger.empty with
                        Position = { Position.start with Steps = 1000L }
                        NextOrdinal = 7L
                }

            match Ledger.recordPhase (small "serial") second with
            | struct (PhaseStarted(7L, started), next) ->
                Expect.equal (started.Task, started.Phase, started.Cycle, started.Step) ("Hopper-v4", 1L, 0L, 1000L) "event"
                Expect.equal next.NextOrdinal 8L "counted"
            | other -> failtestf "%A" other

        testCase "phases are stored, and a ledger from before there were any has one"
        <| fun _ ->
            let ledger = List.last (ledgers (small "serial"))
            Expect.equal (Ledger.ofBytes (ReadOnlySpan(Ledger.toBytes ledger))) ledger "stored"
            let text = Encoding.UTF8.GetString(Ledger.toBytes Ledger.empty)
            let old = text.Substring(0, text.IndexOf(",\"phases\"")) + "}"
            Expect.equal (Ledger.ofBytes (ReadOnlySpan(Encoding.UTF8.GetBytes old))) Ledger.empty "an old one"

        testCase "the length of a cycle follows from its phases, or theirs from it"
        <| fun _ ->
            let lengths pairs =
                let settings = resolved (three :: pairs)
                settings.Run.Steps, settings.Cycle.Steps.Value, settings.Cycle.WarmUp.Value

            Expect.equal (lengths []) (900_000L, 100_000L, 5_000L) "nothing given"
            Expect.equal (lengths [ "cycle.steps", "2000" ]) (18_000L, 2_000L, 100L) "the phases"
            Expect.equal (lengths [ "run.steps", "18000" ]) (18_000L, 2_000L, 100L) "the run"
            Expect.equal (lengths [ "run.steps", "12000"; "cycle.cycles", "2" ]) (12_000L, 2_000L, 100L) "the run, of two cycles"
            let once = resolved [ three; "cycle.steps", "2000" ]
            Expect.equal (Settings.resolve once) (once, []) "resolving twice changes nothing"

        testCase "ne starts a cycle at density 0.15 unless another is given"
        <| fun _ ->
            let density pairs = (resolved pairs).Ne.StartDensity.Value

            Expect.equal (density [ three ]) 0.15 "a cycle"
            Expect.equal (density [ three; "ne.startDensity", "0.4" ]) 0.4 "given"
            Expect.equal (density []) 0.25 "one task"

        for title, pairs, key, fragment in
            [
                "a length that the phases do not give", [ three; "run.steps", "10000"; "cycle.steps", "2000" ], "run.steps", "18000"
                "a length that cannot be shared", [ three; "run.steps", "10000" ], "run.steps", "9999"
                "two lengths of a phase", [ three; "cycle.steps", "2000"; "cycle.episodes", "10" ], "cycle.episodes", "one of the two"
                "random steps to the end",
                [ three; "cycle.steps", "2000"; "learner.startSteps", "2000" ],
                "learner.startSteps",
                "first phase"
                "a warm-up to the end", [ three; "cycle.steps", "2000"; "cycle.warmUp", "2000" ], "cycle.warmUp", "nothing would be learned"
                "a round over the end",
                [ three; "cycle.steps", "2000"; "schedule.roundSteps", "2001" ],
                "schedule.roundSteps",
                "longer than a phase"
                "dense ends", [ three; "ne.denseEnds", "forced" ], "ne.denseEnds", "body"
                "frozen bodies", [ three; "run.method", "plasticity-injection" ], "run.method", "head of one task"
                "phases without a cycle", [ "cycle.episodes", "10" ], "cycle.episodes", "not a cycle"
            ] do
            testCase $"refused: {title}"
            <| fun _ ->
                match problems pairs |> List.filter (fun (found, _) -> found = key) with
                | [ _, text ] -> Expect.stringContains text fragment "why"
                | other -> failtestf "%A" other

        testCase "a buffer that is kept gets an answer"
        <| fun _ ->
            match Settings.apply [ struct ("cycle.buffer", "keep") ] Settings.defaults with
            | Error [ error ] -> Expect.stringContains error.Problem "not offered" "why"
            | other -> failtestf "%A" other

            Expect.isOk (Settings.apply [ struct ("cycle.buffer", "clear") ] Settings.defaults) "what is done"
    ]
