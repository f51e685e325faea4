module NE.Actors.Tests.Instruments.InstrumentTests

open System
open System.Collections.Concurrent
open System.Collections.Generic
open System.Diagnostics
open System.Diagnostics.Metrics
open System.Threading
open Expecto
open NE.Actors.Instruments
open NE.Actors.RunDirectory
open NE.Actors.Runs
open NE.Actors.Tests.Runs.Training
open NE.Tests.RunIdentity

/// Hears the spans of one trace: other tests of this process train too.
type private Spans() =
    let ended = ConcurrentQueue<Activity>()

    let listener =
        new ActivityListener(
            ShouldListenTo = (fun source -> source.Name = "NE.Actors"),
            Sample = SampleActivity<ActivityContext>(fun _ -> ActivitySamplingResult.AllDataAndRecorded),
            ActivityStopped = fun activity -> ended.Enqueue activity
        )

    do ActivitySource.AddActivityListener listener

    /// Those of the run of this name, in the order of their ends.
    member _.Of(run: string) =
        let all = ended.ToArray()

        match
            all
            |> Array.tryFind (fun span -> span.OperationName = "run" && span.GetTagItem "Run" = box run)
        with
        | None -> failtest $"no span of the run '{run}'"
        | Some root -> all |> Array.filter (fun span -> span.TraceId = root.TraceId)

    interface IDisposable with
        member _.Dispose() = listener.Dispose()

let private named (name: string) (spans: Activity[]) =
    spans |> Array.filter (fun span -> span.OperationName = name)

let private tag (name: string) (span: Activity) : obj =
    match span.GetTagItem name with
    | null -> failtest $"{span.OperationName} has no {name}"
    | value -> value

/// Every number that a meter's listener hears of a run, by instrument; of observable ones the last.
type private Numbers(run: string) =
    let heard = ConcurrentDictionary<string, float list>()
    let kinds = ConcurrentDictionary<string, Type>()

    let hear (instrument: Instrument) (value: float) (tags: ReadOnlySpan<KeyValuePair<string, obj | null>>) =
        let mutable mine = false

        for tag in tags do
            if tag.Key = "ne.run" && tag.Value = box run then
                mine <- true

        if mine then
            heard.AddOrUpdate(instrument.Name, [ value ], (fun _ before -> value :: before))
            |> ignore

    let listener =
        new MeterListener(
            InstrumentPublished =
                fun instrument listener ->
                    if instrument.Meter.Name = "NE.Actors" then
                        kinds[instrument.Name] <- instrument.GetType().GetGenericTypeDefinition()
                        listener.EnableMeasurementEvents instrument
        )

    do
        listener.SetMeasurementEventCallback<int64>(fun instrument value tags _ -> hear instrument (float value) tags)
        listener.SetMeasurementEventCallback<float>(fun instrument value tags _ -> hear instrument value tags)
        listener.Start()

    member _.Read() = listener.RecordObservableInstruments()

    member _.Item
        with get (name: string) =
            match heard.TryGetValue name with
            | true, values -> values
            | _ -> failtest $"nothing of {name}"

    member _.Heard = heard.Count

    /// The generic type of an instrument.
    member _.Kind(name: string) = kinds[name]

    interface IDisposable with
        member _.Dispose() = listener.Dispose()

let private trained (name: string) (request: RunPaths -> RunRequest) watch (folder: string) =
    use created = create folder name
    let outcome = train watch (request created.Paths)
    Expect.equal outcome.Phase RunPhase.Completed $"the run completes: {outcome.Message}"
    identity created.Paths

[<Tests>]
let tests =
    testSequenced
    <| testList "what a run offers to listeners" [
        test "without a listener a span is nothing" {
            let span = RunSpan.Begin("checkpoint").Tag("Bytes", 1)
            Expect.equal span.Context (ActivityContext()) "no context"
            span.Fail "a reason"
            span.End()
        }

        testCase "a run that is listened to has the bits of one that is not, and its spans form one tree"
        <| fun _ ->
            inFolder (fun folder ->
                let settings = settings [ "schedule.kind", "serial"; "schedule.environments", "2" ]
                let whole = trained "unheard" (fun paths -> request paths settings) toTheEnd folder
                let mutable steps = []

                let heard, spans, numbers =
                    use spans = new Spans()
                    use numbers = new Numbers "heard"

                    let watch (run: NE.Actors.Conducting.TrainingRun) =
                        let before = run.Status.Step
                        numbers.Read()

                        // The status is published by another thread.
                        if run.Status.Step = before then
                            steps <- (List.head numbers["ne.environment.steps"], float before) :: steps

                    let heard = trained "heard" (fun paths -> request paths settings) watch folder

                    let values =
                        [
                            "ne.environment.steps"
                            "ne.environment.rate"
                            "ne.learner.updates"
                            "ne.learner.rate"
                            "ne.episodes"
                            "ne.learner.waiting"
                            "ne.replay.size"
                            "ne.environment.restarts"
                            "ne.checkpoint.pause"
                            "ne.checkpoint.duration"
                        ]
                        |> List.map (fun name -> name, numbers[name])
                        |> Map.ofList

                    heard, spans.Of "heard", values

                expectSame heard whole "the run"
                let root = Array.exactlyOne (named "run" spans)
                let ids = HashSet(spans |> Array.map _.SpanId)

                for span in spans do
                    if not (Object.ReferenceEquals(span, root)) then
                        Expect.isTrue (ids.Contains span.ParentSpanId) $"{span.OperationName} is a part of another"

                Expect.equal (tag "Outcome" root) "completed" "how it ended"
                let opening = Array.exactlyOne (named "opening" spans)
                Expect.equal opening.ParentSpanId root.SpanId "opening"
                Expect.equal (Array.exactlyOne (named "journal recovery" spans)).ParentSpanId opening.SpanId "recovery"
                let checkpoints = named "checkpoint" spans
                let committed = checkpoints |> Array.map (tag "CommittedStep" >> unbox<int64>)
                Expect.equal (Array.distinct committed) [| 0L; 150L; 300L; 450L; 600L |] "checkpoints"

                for checkpoint in checkpoints do
                    let parts =
                        spans
                        |> Array.filter (fun span -> span.ParentSpanId = checkpoint.SpanId)
                        |> Array.map _.OperationName

                    Expect.equal parts [| "capture"; "write files"; "store records" |] "parts of a checkpoint, in order"
                    Expect.isGreaterThan (tag "Bytes" checkpoint |> unbox<int64>) 0L "bytes"
                    Expect.isGreaterThan (tag "Pause" checkpoint |> unbox<float>) 0.0 "pause"

                let evaluated =
                    named "evaluation" spans |> Array.map (tag "EvaluatedStep" >> unbox<int64>)

                Expect.equal evaluated [| 0L; 100L; 200L; 300L; 400L; 500L; 600L |] "evaluations"
                let changes = named "topology event" spans
                Expect.isNonEmpty changes "topology events"

                for change in changes do
                    Expect.contains [ box "actor"; box "critic" ] (tag "Network" change) "network"
                    Expect.isGreaterThanOrEqual (tag "OutputShift" change |> unbox<float>) 0.0 "shift"

                Expect.isGreaterThan (changes |> Array.sumBy (tag "Grown" >> unbox<int>)) 0 "something grew"
                Expect.isNonEmpty steps "steps"
                Expect.all steps (fun (measured, published) -> measured = published) "steps as published"
                Expect.equal numbers["ne.checkpoint.pause"].Length checkpoints.Length "a pause per checkpoint"
                Expect.equal numbers["ne.checkpoint.duration"].Length checkpoints.Length "a duration per checkpoint"
                Expect.isGreaterThan (List.head numbers["ne.replay.size"]) 0.0 "replay")

        testCase "an environment's restart is a span from its failure to the next one's first word"
        <| fun _ ->
            inFolder (fun folder ->
                use spans = new Spans()
                use numbers = new Numbers "drilled"

                let watch (_: NE.Actors.Conducting.TrainingRun) = numbers.Read()

                let drilled paths =
                    RunRequest(
                        Paths = paths,
                        Settings = settings [ "schedule.environments", "2" ],
                        ConfigurationText = "test",
                        Versions = Dictionary(),
                        Drills = [| FaultDrill(1, 200L) |]
                    )

                trained "drilled" drilled watch folder |> ignore
                let restart = Array.exactlyOne (named "environment restart" (spans.Of "drilled"))
                Expect.equal (tag "Index" restart) 1 "which"
                Expect.stringContains (string (tag "Reason" restart)) "fault drill" "why"
                Expect.equal (tag "Restart" restart) 1 "how often"

                Expect.isGreaterThanOrEqual
                    restart.Duration
                    (TimeSpan.FromSeconds(tag "Pause" restart |> unbox<float>))
                    "its pause is a part of it"

                Expect.equal (List.max numbers["ne.environment.restarts"]) 1.0 "counted")

        test "a run that goes back to its checkpoint is measured there, by instruments that may go back" {
            let step = ref 7L
            use numbers = new Numbers "back"

            use _ =
                new RunMetrics("back", Func<_>(fun () -> RunStatus(Phase = RunPhase.Training, Step = step.Value)))

            numbers.Read()
            step.Value <- 5L
            numbers.Read()
            Expect.equal numbers["ne.environment.steps"] [ 5.0; 7.0 ] "where it is"

            for name in [ "ne.environment.steps"; "ne.learner.updates"; "ne.episodes" ] do
                Expect.equal (numbers.Kind name) typedefof<ObservableGauge<_>> name
        }

        test "a run that is over is measured no more" {
            let status = RunStatus(Phase = RunPhase.Training, Step = 7L)
            use numbers = new Numbers "over"

            do
                use _ = new RunMetrics("over", Func<_>(fun () -> status))
                numbers.Read()
                Expect.equal numbers["ne.environment.steps"] [ 7.0 ] "while it is there"

            numbers.Read()
            Expect.equal numbers["ne.environment.steps"] [ 7.0 ] "afterwards"
        }
    ]

/// A clock that a test moves.
type private Clock() =
    inherit TimeProvider()
    let mutable now = 0L
    override _.TimestampFrequency = 1L
    override _.GetTimestamp() = now

    member _.Minutes
        with set (value: int64) = now <- value * 60L

[<Tests>]
let health =
    testList "the health of a run" [
        let at phase step restarts =
            RunStatus(
                Phase = phase,
                Step = step,
                Steps = 100L,
                Message = "the disk is full",
                Environments = [| EnvironmentStatus(0, 0L, nan, restarts) |]
            )

        for phase, expected in
            [
                RunPhase.Starting, RunCondition.Healthy
                RunPhase.Training, RunCondition.Healthy
                RunPhase.Stopping, RunCondition.Healthy
                RunPhase.Paused, RunCondition.Degraded
                RunPhase.Completed, RunCondition.Healthy
                RunPhase.Interrupted, RunCondition.Healthy
                RunPhase.Failed, RunCondition.Unhealthy
            ] do
            test $"a run that is {phase} is {expected}" {
                Expect.equal (RunHealth(fun () -> at phase 5L 0).Check().Condition) expected "condition"
            }

        test "a run that waits or failed says why" {
            for phase in [ RunPhase.Paused; RunPhase.Failed ] do
                Expect.stringContains (RunHealth(fun () -> at phase 5L 0).Check().Description) "the disk is full" $"{phase}"
        }

        test "a run in which nothing moves is unhealthy after its patience, until it moves" {
            let clock = Clock()
            let mutable step = 5L

            let health =
                RunHealth((fun () -> at RunPhase.Training step 0), TimeSpan.FromMinutes 10.0, clock)

            Expect.equal (health.Check().Condition) RunCondition.Healthy "at first"
            clock.Minutes <- 10L
            Expect.equal (health.Check().Condition) RunCondition.Healthy "within its patience"
            clock.Minutes <- 11L
            Expect.equal (health.Check().Condition) RunCondition.Unhealthy "beyond it"
            step <- 6L
            Expect.equal (health.Check().Condition) RunCondition.Healthy "when it moves"
        }

        test "a restart is told once" {
            let mutable restarts = 2
            let health = RunHealth(fun () -> at RunPhase.Training 5L restarts)
            Expect.equal (health.Check().Condition) RunCondition.Healthy "those of before"
            restarts <- 3
            Expect.equal (health.Check().Condition) RunCondition.Degraded "a new one"
            Expect.equal (health.Check().Condition) RunCondition.Healthy "told"
        }
    ]
