module NE.Benchmarks.Tests.TurnTests

open System
open System.Diagnostics
open System.IO
open System.Text.Json
open System.Threading
open Expecto
open NE.Benchmarks
open NE.Benchmarks.Report

/// Waits without a limit of its own: a test that would wait for ever is ended by Expecto's.
let rec private ended (gate: TurnGate) =
    match gate.Wait 1000 with
    | Some turn -> turn
    | None -> ended gate

[<Tests>]
let tests =
    testList "turns" [
        test "environments in lockstep take the steps of their turn, one more before it, and no other" {
            let environments = 3
            let gate = TurnGate environments
            let taken = Array.zeroCreate<int> environments
            use barrier = new Barrier(environments)

            for i in 0 .. environments - 1 do
                let work () =
                    while true do
                        gate.Pass()
                        taken[i] <- taken[i] + 1
                        barrier.SignalAndWait()

                Thread(work, IsBackground = true).Start()

            gate.Open 10L
            let first = ended gate
            Expect.equal first.Steps 30L "counted"
            gate.Open 5L
            let second = ended gate
            Expect.equal second.Steps 15L "counted"
            // Whoever asks first in the next round ends the turn; the last steps of the turn are all taken by then.
            Expect.equal taken [| 17; 17; 17 |] "10 + 1 + 5 + 1 each"
            Expect.isGreaterThan second.Seconds 0.0 "time passed"
        }

        test "a real run answers with the steps of its turn, its updates and its checkpoint" {
            let folder = Directory.CreateTempSubdirectory("ne-benchmark-").FullName

            try
                use input = new StringReader "60\n60\n"
                use output = new StringWriter()

                RunServer.serve 0.0 input output folder [
                    yield! BenchmarkRun.quiet
                    "run.environment", "HalfCheetah-v4"
                    "run.steps", "1000000"
                    "network.hidden", "32,32"
                    "learner.batchSize", "32"
                    "learner.startSteps", "100"
                    "schedule.kind", "pipelined"
                    "schedule.environments", "2"
                    "checkpoint.every", "120"
                ]

                let lines = output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries)
                Expect.hasLength lines 3 "ready, and two answers"

                for line in lines[1..] do
                    let round = nonNull (JsonSerializer.Deserialize<RunRound> line)
                    Expect.equal round.Steps 120L "60 steps of two environments"
                    Expect.floatClose Accuracy.high round.UpdatesPerStep 1.0 "one gradient step per environment step"
                    Expect.isGreaterThan round.StepsPerSecond 0.0 "a rate"
                    Expect.isGreaterThan round.PauseMilliseconds 0.0 "a checkpoint"
                    Expect.isGreaterThan round.AllocatedBytes 0L "policies are allocated"
            finally
                Directory.Delete(folder, true)
        }

        test "a run that cannot begin says why" {
            let folder = Directory.CreateTempSubdirectory("ne-benchmark-").FullName

            try
                use input = new StringReader "60\n"
                use output = new StringWriter()

                let problem =
                    try
                        RunServer.serve 0.0 input output folder [ "compute.device", "cuda:99" ]
                        ""
                    with BenchmarkFailed problem ->
                        problem

                Expect.stringContains problem "The run ended as Failed" "message"
                Expect.equal (output.ToString()) "" "no answer"
            finally
                Directory.Delete(folder, true)
        }

        test "a child that ends is reported with its exit code and last words" {
            use peer =
                PeerProcess.Start("the child", ProcessStartInfo("sh", [ "-c"; "echo out of luck >&2; exit 3" ]))

            Expect.throwsC (fun () -> peer.Read() |> ignore) (fun problem ->
                Expect.equal problem.Message "the child ended with exit code 3. out of luck" "message")

            Expect.throws (fun () -> peer.Ask "1" |> ignore) "nor does it answer"
        }

        test "a child that does not speak JSON is reported" {
            use peer =
                PeerProcess.Start("the child", ProcessStartInfo("sh", [ "-c"; "echo hello; sleep 60" ]))

            Expect.throwsC (fun () -> peer.Read() |> ignore) (fun problem ->
                Expect.equal problem.Message "the child: expected a line of JSON, found 'hello'" "message")
        }

        test "a program that is not there is reported" {
            Expect.throwsC (fun () -> PeerProcess.Start("the child", ProcessStartInfo "/no/such/program") |> ignore) (fun problem ->
                Expect.stringContains problem.Message "/no/such/program could not be started" "message")
        }

        test "a child does not outlive its peer" {
            let peer =
                PeerProcess.Start("the child", ProcessStartInfo("sh", [ "-c"; "echo '{}'; sleep 600" ]))

            peer.Read() |> ignore
            let child = Process.GetProcessById peer.Id
            (peer :> IDisposable).Dispose()
            Expect.isTrue (child.WaitForExit 60_000) "killed"
        }
    ]
