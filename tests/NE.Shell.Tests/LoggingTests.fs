module NE.Shell.Tests.LoggingTests

open System
open System.Collections.Concurrent
open System.IO
open System.Net
open System.Text.Json
open System.Threading
open System.Threading.Tasks
open Akka.Actor
open Akka.Configuration
open Akka.Event
open Expecto
open NE.Actors.Instruments
open NE.Model
open NE.Shell.Logging
open NE.Shell.Tests.Support

/// What a Seq server does with a request.
type private Behaviour =
    | Refuse
    | Hang
    | Accept

/// A Seq server at a port of its own whose behaviour a test changes while it runs.
type private FakeSeq() =
    let received = ConcurrentQueue<string>()
    let mutable requests = 0
    let mutable behaviour = Refuse

    let answer (context: HttpListenerContext) =
        task {
            Interlocked.Increment &requests |> ignore
            use reader = new StreamReader(context.Request.InputStream)
            let! body = reader.ReadToEndAsync()

            match Volatile.Read &behaviour with
            | Hang -> () // the connection stays open and silent
            | Refuse ->
                context.Response.StatusCode <- 503
                context.Response.Close()
            | Accept ->
                for line in body.Split('\n', StringSplitOptions.RemoveEmptyEntries) do
                    received.Enqueue line

                context.Response.StatusCode <- 201
                context.Response.Close()
        }
        :> Task

    let server = new HttpStandIn(answer)

    member _.Url = server.Url
    member _.Requests = Volatile.Read &requests
    member _.Received = received.ToArray()

    member _.Behaviour
        with set value = Volatile.Write(&behaviour, value)

    interface IDisposable with
        member _.Dispose() = (server :> IDisposable).Dispose()

let private settings = fst (Settings.resolve Settings.defaults)

let private openLog (folder: TemporaryFolder) (seq: string | null) (console: string -> unit) =
    RunLog.Open(
        RunLogTargets(
            ClefFile = folder.File "run.clef",
            Console = ConsoleSink(Action<string> console),
            SeqUrl = seq,
            SeqBuffer = folder.File "seq-buffer",
            SeqPeriod = TimeSpan.FromMilliseconds 20.0
        ),
        RunLogIds("run-1", "a", "figure-6"),
        settings
    )

let private events (folder: TemporaryFolder) =
    use stream =
        File.Open(folder.File "run.clef", FileMode.Open, FileAccess.Read, FileShare.ReadWrite)

    use reader = new StreamReader(stream)

    [
        for line in reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries) do
            try
                JsonDocument.Parse(line).RootElement
            with :? JsonException ->
                ()
    ]

let private within (span: RunSpan) (body: unit -> unit) =
    let scope = span.Enter()
    body ()
    scope.Dispose()

let private text (name: string) (event: JsonElement) =
    string (event.GetProperty(name).GetString())

[<Tests>]
let tests =
    testSequenced
    <| testList "logs" [
        test "every event says which run it belongs to" {
            use folder = new TemporaryFolder()

            do
                use log = openLog folder null ignore
                log.Logger.Information("Checkpoint at {Step}", 5)

            let event = List.exactlyOne (events folder)
            Expect.equal (text "RunId" event) "run-1" "RunId"
            Expect.equal (text "Run" event) "a" "Run"
            Expect.equal (text "Sweep" event) "figure-6" "Sweep"
            Expect.equal (text "Host" event) Environment.MachineName "Host"
            Expect.equal (event.GetProperty("ProcessId").GetInt32()) Environment.ProcessId "ProcessId"
            Expect.equal (text "Environment" event) "HalfCheetah-v4" "Environment"
            Expect.equal (text "Method" event) "ne" "Method"
            Expect.equal (event.GetProperty("Seed").GetInt64()) 0L "Seed"
            Expect.equal (text "@mt" event) "Checkpoint at {Step}" "the template is kept"
        }

        test "a torn last line does not swallow the next event" {
            use folder = new TemporaryFolder()
            File.WriteAllText(folder.File "run.clef", "{\"@t\":\"2026")

            do
                use log = openLog folder null ignore
                log.Logger.Information "after the kill"

            Expect.equal (events folder |> List.map (text "@mt")) [ "after the kill" ] "one whole event"
        }

        test "the console gets warnings, without quotes and with the cause" {
            use folder = new TemporaryFolder()
            let lines = ConcurrentQueue<string>()

            do
                use log = openLog folder null lines.Enqueue
                log.Logger.Information "not shown"
                log.Logger.Warning(IOException "the disk is full", "{Run} waits", "a")

            let line = Seq.exactlyOne lines
            Expect.stringEnds line " warning a waits (the disk is full)" "line"
        }

        test "the console says a cause once" {
            use folder = new TemporaryFolder()
            let lines = ConcurrentQueue<string>()

            do
                use log = openLog folder null lines.Enqueue
                log.Logger.Warning(IOException "the disk is full", "a waits: {Reason}", "the disk is full")

            Expect.stringEnds (Seq.exactlyOne lines) " warning a waits: the disk is full" "line"
        }

        test "spans are events with start, parent, name and tags, in the file and in Seq, and not on the console" {
            use folder = new TemporaryFolder()
            use seq = new FakeSeq(Behaviour = Accept)
            let lines = ConcurrentQueue<string>()

            do
                use _ = openLog folder seq.Url lines.Enqueue
                let root = RunSpan.Begin "run"
                let checkpoint = RunSpan.Begin("checkpoint", root.Context).Tag("Bytes", 512L)
                let restart = RunSpan.Begin("environment restart", root.Context)
                restart.Fail "the disk is full"
                checkpoint.End()
                root.End()
                eventually "they arrived" (fun () -> seq.Received.Length >= 3)

            let received =
                seq.Received |> Array.map (fun line -> JsonDocument.Parse(line).RootElement)

            for where, found in [ "file", events folder; "Seq", List.ofArray received ] do
                let span name =
                    found |> List.find (fun event -> text "@mt" event = name)

                let run, checkpoint, restart =
                    span "run", span "checkpoint", span "environment restart"

                Expect.isFalse (fst (run.TryGetProperty "@ps")) $"{where}: the root has no parent"
                Expect.equal (text "@ps" checkpoint) (text "@sp" run) $"{where}: parent"
                Expect.equal (text "@tr" checkpoint) (text "@tr" run) $"{where}: trace"
                Expect.isLessThanOrEqual (DateTime.Parse(text "@st" run)) (DateTime.Parse(text "@st" checkpoint)) $"{where}: start"
                Expect.isLessThanOrEqual (DateTime.Parse(text "@st" checkpoint)) (DateTime.Parse(text "@t" checkpoint)) $"{where}: end"
                Expect.equal (checkpoint.GetProperty("Bytes").GetInt64()) 512L $"{where}: tag"
                Expect.equal (text "RunId" checkpoint) "run-1" $"{where}: run"
                Expect.equal (text "@l" restart) "Error" $"{where}: level"
                Expect.equal (text "Reason" restart) "the disk is full" $"{where}: reason"
                Expect.isFalse (fst (checkpoint.TryGetProperty "SpanStartTimestamp")) $"{where}: nothing twice"

            Expect.isEmpty lines "console"
        }

        test "events of a span belong to it, others to the run's, and nothing is the current activity afterwards" {
            use folder = new TemporaryFolder()

            do
                use log = openLog folder null ignore
                let root = RunSpan.Begin "run"
                let part = RunSpan.Begin("opening", root.Context)
                log.Logger.Information "outside"
                within part (fun () -> log.Logger.Information "inside")
                Expect.isNull Diagnostics.Activity.Current "no activity"
                part.End()
                root.End()

            let span name =
                events folder
                |> List.find (fun event -> text "@mt" event = name)
                |> fun event -> text "@tr" event, text "@sp" event

            Expect.equal (span "outside") (span "run") "outside"
            Expect.equal (span "inside") (span "opening") "inside"
        }

        for name, behaviour in [ "refuses", Refuse; "hangs", Hang ] do
            test $"a Seq server that {name} holds nobody up" {
                use folder = new TemporaryFolder()
                use seq = new FakeSeq(Behaviour = behaviour)
                let log = openLog folder seq.Url ignore

                // If a call waited for the server, this loop would never end: nothing is ever answered.
                for i in 1..2_000 do
                    log.Logger.Information("Event {Number}", i)

                eventually "the server was asked" (fun () -> seq.Requests > 0)
                Expect.isEmpty seq.Received "nothing was taken"
                log.Dispose()
                Expect.hasLength (events folder) 2_000 "the truth is complete"
            }

        test "a Seq server that is not there holds nobody up" {
            use folder = new TemporaryFolder()
            // Port 9 of this machine discards; nothing listens.
            let log = openLog folder "http://127.0.0.1:9" ignore

            for i in 1..2_000 do
                log.Logger.Information("Event {Number}", i)

            log.Dispose()
            Expect.hasLength (events folder) 2_000 "the truth is complete"
        }

        test "what was logged while Seq was down arrives when it is back" {
            use folder = new TemporaryFolder()
            use seq = new FakeSeq(Behaviour = Refuse)
            let log = openLog folder seq.Url ignore

            for i in 1..200 do
                log.Logger.Information("Event {Number}", i)

            eventually "the server refused" (fun () -> seq.Requests > 0)
            seq.Behaviour <- Accept
            eventually "all events arrived" (fun () -> seq.Received.Length >= 200)
            log.Dispose()

            let numbers =
                seq.Received
                |> Array.map (fun line -> JsonDocument.Parse(line).RootElement.GetProperty("Number").GetInt32())
                |> Array.distinct
                |> Array.sort

            Expect.equal numbers [| 1..200 |] "every one"
        }

        test "what one process could not send, the next one does" {
            use folder = new TemporaryFolder()

            do
                use log = openLog folder "http://127.0.0.1:9" ignore
                log.Logger.Information "from the first process"

            use seq = new FakeSeq(Behaviour = Accept)
            use _ = openLog folder seq.Url ignore
            eventually "it arrived" (fun () -> seq.Received |> Array.exists _.Contains("from the first process"))
        }

        test "Akka's events keep their class, their actor and their named properties" {
            use folder = new TemporaryFolder()

            do
                use _ = openLog folder null ignore

                let system =
                    ActorSystem.Create(
                        "ne",
                        ConfigurationFactory.ParseString
                            $"akka.loggers = [\"{NE.Actors.Cast.SerilogLogger.TypeName}\"]\nakka.loglevel = INFO"
                    )

                let logger = Logging.GetLogger(system, "anything")
                logger.Warning(InvalidOperationException "broken", "{Environment} failed at {Step}", 3, 500L)
                logger.Warning "braces {in} a text"
                let part = RunSpan.Begin("opening", (RunSpan.Begin "run").Context)
                within part (fun () -> logger.Warning "in a span")
                part.End()
                // Akka drops what its loggers have not got to when the system ends.
                eventually "both are written" (fun () ->
                    events folder
                    |> List.exists (fun event -> event.GetRawText().Contains "\"in a span\""))

                system.Terminate().Wait()

            let warning =
                events folder
                |> List.find (fun event -> text "@mt" event = "{Environment} failed at {Step}")

            Expect.equal (text "@l" warning) "Warning" "level"
            Expect.stringContains (text "@x" warning) "broken" "exception"
            Expect.equal (warning.GetProperty("Step").GetInt64()) 500L "property"
            Expect.isTrue (fst (warning.TryGetProperty "SourceContext")) "class"
            Expect.isTrue (fst (warning.TryGetProperty "Actor")) "actor"
            Expect.exists (events folder) (fun event -> event.GetRawText().Contains "braces {in} a text") "text"

            let spanOf (found: JsonElement -> bool) =
                events folder |> List.find found |> text "@sp"

            Expect.equal
                (spanOf (fun event -> event.GetRawText().Contains "\"in a span\""))
                (spanOf (fun event -> text "@mt" event = "opening"))
                "the span of an event outlives the way through the mailbox"
        }
    ]
