module NE.Shell.Tests.TelemetryExportTests

open System
open System.Collections.Concurrent
open System.IO
open System.Net
open System.Text
open Expecto
open NE.Actors.Instruments
open NE.Actors.Runs
open NE.Shell.Host
open NE.Shell.Tests.Support

/// A collector at a port of its own: what it was sent, by address.
type private Collector() =
    let received = ConcurrentQueue<string * string>()

    let server =
        new HttpStandIn(fun context ->
            task {
                use content = new MemoryStream()
                do! context.Request.InputStream.CopyToAsync content
                received.Enqueue((nonNull context.Request.Url).AbsolutePath, Encoding.Latin1.GetString(content.ToArray()))
                context.Response.Close()
            })

    member _.Url = server.Url

    /// Everything that was sent to an address.
    member _.At(path: string) =
        String.concat "" [
            for at, text in received do
                if at = path then
                    text
        ]

    interface IDisposable with
        member _.Dispose() = (server :> IDisposable).Dispose()

let private trainTo (collector: string) (runs: string) =
    let start (_: RunRequest) : ITrainingRun =
        let status = RunStatus(Phase = RunPhase.Interrupted, Step = 500L)
        // Never disposed: it is measured when the process's part ends.
        new RunMetrics("exported", Func<_>(fun () -> status)) |> ignore
        let root = RunSpan.Begin "run"
        RunSpan.Begin("checkpoint", root.Context).End()
        root.End()
        let run = FakeRun status
        run.End(RunOutcome(RunPhase.Interrupted, "SIGTERM", 500L))
        run

    let host = host runs start

    let exporting =
        ShellHost(
            Output = host.Output,
            Error = host.Error,
            DefaultRuns = runs,
            FleetKey = "/nonexistent/fleet.pem",
            Width = 160,
            StartRun = host.StartRun,
            HasCuda = host.HasCuda,
            Processors = 1,
            Prepare = host.Prepare,
            OtlpEndpoint = collector,
            OtlpOverHttp = true,
            Sweep = "figure-6"
        )

    execute exporting [ "train"; "--steps"; "1000"; "--name"; "exported" ]

[<Tests>]
let tests =
    testSequenced
    <| testList "OpenTelemetry" [
        test "a collector gets spans and measurements, and which run they are of" {
            use folder = new TemporaryFolder()
            use collector = new Collector()
            let code, _, errors = trainTo collector.Url folder.Path
            Expect.equal code ExitCode.Interrupted errors

            for path, expected in
                [
                    "/v1/traces",
                    [
                        "checkpoint"
                        "NE.Actors"
                        "service.name"
                        "ne.run"
                        "exported"
                        "ne.sweep"
                        "figure-6"
                    ]
                    "/v1/metrics", [ "ne.environment.steps"; "ne.replay.size"; "ne.learner.waiting"; "exported" ]
                ] do
                for text in expected do
                    Expect.stringContains (collector.At path) text path
        }

        test "a collector that is not there changes nothing" {
            use folder = new TemporaryFolder()
            let code, _, errors = trainTo "http://127.0.0.1:9" folder.Path
            Expect.equal code ExitCode.Interrupted errors
        }

        test "a collector's address has to be one" {
            use folder = new TemporaryFolder()
            let code, _, errors = trainTo "somewhere" folder.Path
            Expect.equal code ExitCode.UserError "exit"
            Expect.stringContains errors "OTEL_EXPORTER_OTLP_ENDPOINT expects the address" "message"
        }
    ]
