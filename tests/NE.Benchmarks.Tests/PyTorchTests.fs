module NE.Benchmarks.Tests.PyTorchTests

open System
open System.IO
open Expecto
open NE.Actors.MuJoCo
open NE.Benchmarks
open NE.Model
open NE.Model.Tasks

let private small work : PyTorchOptions = {
    Work = work
    Observation = 17
    Action = 6
    Hidden = [ 32; 32 ]
    Batch = 32
    MaxAction = 1.0
    ReplayRows = 1000
    Threads = 1
    Device = "cpu"
    Python = PyTorchPeer.Python
}

let private start options =
    match PyTorchPeer.Start options with
    | Ok peer -> peer
    | Error problem when problem.Contains PyTorchPeer.Install -> skiptest $"{problem}. So the PyTorch peer was NOT tested"
    | Error problem -> failtest problem

let private works options =
    use peer = start options
    Expect.stringContains peer.Versions.Blas "openblas" "a fast BLAS"
    Expect.equal peer.Versions.Threads options.Threads "threads"
    Expect.equal peer.Versions.Kernel (PyTorchPeer.Kernel |> Option.defaultValue "chosen by OpenBLAS") "kernel"

    for _ in 1..2 do
        let round = peer.Round 0.1
        Expect.isGreaterThan round.Steps 0 "steps"
        Expect.isGreaterThanOrEqual round.Seconds 0.1 "as long as it was asked to"

[<Tests>]
let tests =
    testSequenced
    <| testList "PyTorch" [
        for name, learner in LearnerKind.names |> List.filter (fun (_, learner) -> not learner.SeesPixels) do
            test $"takes gradient steps of {name} in turns" { works (small (Learner learner)) }

        for name, shifts in [ "drq", "2"; "drqv2", "1" ] do
            test $"takes updates of {name} in turns" {
                let arguments =
                    $"--learner {name} --batch 4 --size 21 --channels 9 --filters 8 --features 6 --hidden 16,16 --action 2 --shifts {shifts} --threads 1"

                match PyTorchPeer.StartScript("drq_pytorch.py", PyTorchPeer.Python, 1, List.ofArray (arguments.Split ' ')) with
                | Ok peer ->
                    use peer = peer

                    for _ in 1..2 do
                        let answer = peer.Ask "0.1"
                        Expect.isGreaterThan (answer.GetProperty("steps").GetInt32()) 0 "updates"
                        Expect.isGreaterThan (answer.GetProperty("seconds").GetDouble()) 0.0 "time"
                | Error problem when problem.Contains PyTorchPeer.Install -> skiptest $"{problem}. So the PyTorch peer was NOT tested"
                | Error problem -> failtest problem
            }

        test "acts in turns" { works (small (Act 1)) }
        test "acts on several observations at once in turns" { works (small (Act 10)) }

        test "steps the MuJoCo library and the robot of ours in turns" {
            let folder = Directory.CreateTempSubdirectory("ne-benchmark-").FullName

            try
                let model = Path.Combine(folder, "model.xml")
                File.WriteAllText(model, Robots.read "half_cheetah")
                works (small (Loop(MuJoCoLibrary.Current.Path, model, 5, 1000)))
            finally
                Directory.Delete(folder, true)
        }

        test "a robot that cannot be read is the program's last words" {
            use _ = start (small (Act 1))
            let loop = Loop(MuJoCoLibrary.Current.Path, "/no/such/model.xml", 5, 1000)

            match PyTorchPeer.Start(small loop) with
            | Ok _ -> failtest "expected an error"
            | Error problem -> Expect.stringContains problem "/no/such/model.xml" "message"
        }

        test "a device that is not there is the program's last words" {
            use _ = start (small (Act 1))

            match
                PyTorchPeer.Start {
                    small (Learner LearnerKind.Td3) with
                        Device = "cuda:99"
                }
            with
            | Ok _ -> failtest "expected an error"
            | Error problem -> Expect.stringContains problem "cuda:99: " "message"
        }

        test "without PyTorch the message says what to install" {
            if not (File.Exists "/usr/bin/python3") then
                skiptest "python3 is not installed"

            let folder = Directory.CreateTempSubdirectory("ne-benchmark-").FullName
            let before = Environment.GetEnvironmentVariable "PYTHONPATH"

            try
                // A machine that has it is made to be one that has not.
                File.WriteAllText(Path.Combine(folder, "torch.py"), "raise ModuleNotFoundError(\"No module named 'torch'\")")
                Environment.SetEnvironmentVariable("PYTHONPATH", folder)

                match PyTorchPeer.Start(small (Act 1)) with
                | Ok _ -> failtest "expected an error"
                | Error problem ->
                    Expect.equal problem "/usr/bin/python3 has no PyTorch: apt-get install python3-torch libopenblas0-pthread" "message"
            finally
                Environment.SetEnvironmentVariable("PYTHONPATH", before)
                Directory.Delete(folder, true)
        }
    ]
