/// Policies that leave: what other programs make of them, and runs that begin with them.
module NE.EndToEnd.PolicyTests

open System
open System.Diagnostics
open System.Globalization
open System.IO
open System.Text.Json
open System.Text.RegularExpressions
open Expecto
open Microsoft.ML.OnnxRuntime
open Microsoft.ML.OnnxRuntime.Tensors
open NE.Actors.Journal
open NE.Actors.RunDirectory
open NE.Model
open NE.Model.Networks
open NE.EndToEnd.Executable
open NE.Tests.Repository
open NE.Tests.RunIdentity

let private at (path: string) = Path.Combine(repository, path)

/// The one that Debian's packages belong to.
let private python = "/usr/bin/python3"

/// Exit code, output and standard error of a program; none if there is no such program.
let private run (program: string) (arguments: string list) =
    let info =
        ProcessStartInfo(program, arguments, RedirectStandardOutput = true, RedirectStandardError = true)

    try
        match Process.Start info with
        | null -> None
        | started ->
            use started = started
            let error = started.StandardError.ReadToEndAsync()
            let output = started.StandardOutput.ReadToEnd()
            started.WaitForExit()
            Some(started.ExitCode, output, error.Result)
    with :? ComponentModel.Win32Exception ->
        None

let private ok (arguments: string list) =
    let execution = ne arguments
    Expect.equal execution.ExitCode 0 $"{arguments}: {execution.Error}"
    execution.Output

let private small = [
    "network.hidden=32,32"
    "learner.batchSize=32"
    "learner.startSteps=100"
    "evaluation.episodes=2"
    "evaluation.every=500"
    "checkpoint.every=500"
    "compute.threads=1"
]

let private train name environment steps =
    [ "train"; environment; "--name"; name; "--steps"; string steps ] @ small

/// Observations of the pendulum and the torques, from -2 to 1, of a run's best policy.
let private sampled (runs: string) count =
    let struct (_, bytes) = CheckpointReader.LoadBest(RunPaths.Of(runs, "p"))
    let policy = Policy.OfBytes(ReadOnlySpan bytes)
    let observations = Array.zeroCreate<float32>(3 * count)
    (Draws.Of(1L, Purpose.Statistics)).FillNormal(Span observations, 1.0f)
    let actions = Array.zeroCreate<float32> count
    policy.Act(ReadOnlySpan observations, Span actions, policy.CreateScratch count)
    observations, actions |> Array.map (fun action -> 1.5f * action - 0.5f)

let private worst (expected: float32 seq) (found: float seq) =
    Seq.map2 (fun x y -> abs (float x - y)) expected found |> Seq.max

/// A learned policy of the Python pendulum as p.onnx and p.safetensors, and its evaluation as eval.json; the folder that holds them and the run.
let private learnedOnPendulum (learner: string) =
    let runs = Directory.CreateTempSubdirectory("ne-e2e-").FullName
    AppDomain.CurrentDomain.ProcessExit.Add(fun _ -> Directory.Delete(runs, true))
    let file name = Path.Combine(runs, name)

    let client, pendulum =
        at "clients/python/ne_environment.py", at "clients/python/pendulum_example.py"

    ok (
        [ "--runs"; runs ]
        @ train "p" $"external:{python} {client} {pendulum}:Pendulum" 2000
        @ [ "--learner"; learner ]
    )
    |> ignore

    for format in [ "onnx"; "safetensors" ] do
        ok [ "export"; "p"; "--to"; format; "-o"; file $"p.{format}"; "--runs"; runs ]
        |> ignore

    File.WriteAllText(file "eval.json", ok [ "eval"; "p"; "--json"; "--runs"; runs ])
    runs

/// Learned when a test first asks for it. Tests only read it.
let private pendulums =
    dict [ for learner in [ "td3"; "sac" ] -> learner, lazy (learnedOnPendulum learner) ]

let private onPendulum (learner: string) (body: string -> (string -> string) -> unit) =
    if
        run python [ "-c"; "import numpy" ]
        |> Option.forall (fun (code, _, _) -> code <> 0)
    then
        skiptest $"{python} has no numpy, so exported policies were NOT tried in the samples"

    let runs = pendulums[learner].Value
    body runs (fun name -> Path.Combine(runs, name))

[<Tests>]
let tests =
    testList "Policies that leave" [
        for learner in [ "td3"; "sac" ] do
            testCase $"{learner}: after 2,000 steps of Pendulum ONNX Runtime acts as the policy, and Python has the return of ne eval"
            <| fun _ ->
                onPendulum learner (fun runs file ->
                    let observations, expected = sampled runs 10_000
                    use session = new InferenceSession(file "p.onnx")
                    let batch = DenseTensor<float32>(Memory observations, ReadOnlySpan [| 10_000; 3 |])

                    use results =
                        session.Run([| NamedOnnxValue.CreateFromTensor("observation", batch) |])

                    let found = (Seq.head results).AsEnumerable<float32>() |> Seq.map float
                    Expect.isLessThan (worst expected found) 1e-6 "torques"

                    match
                        run python [
                            at "examples/policies/play_safetensors.py"
                            file "p.safetensors"
                            file "eval.json"
                        ]
                    with
                    | Some(0, output, _) ->
                        let played = Regex.Match(output, @"mean return (\S+) here, (\S+) of ne eval")
                        Expect.isTrue played.Success output

                        let number (group: int) =
                            Double.Parse(played.Groups[group].Value, CultureInfo.InvariantCulture)
                        // The same policy in another order of additions.
                        Expect.isLessThan (abs (number 1 - number 2)) 0.01 output
                        use evaluation = JsonDocument.Parse(File.ReadAllText(file "eval.json"))

                        Expect.floatClose
                            Accuracy.low
                            (number 2)
                            (evaluation.RootElement.GetProperty("mean").GetDouble())
                            "that of ne eval"
                    | other -> failtest $"{other}")

        testCase "the samples in JavaScript and C# act as the policy"
        <| fun _ ->
            onPendulum "sac" (fun runs file ->
                let observations, expected = sampled runs 20

                let numbers =
                    observations
                    |> Array.map (fun x -> x.ToString("R", CultureInfo.InvariantCulture))

                let program = file "act.mjs"
                let samples = String.Join(',', numbers)
                let sample, policy = at "examples/policies/browser/policy.mjs", file "p.safetensors"

                File.WriteAllText(
                    program,
                    $"import {{ Policy }} from '{sample}';\nimport {{ readFileSync }} from 'node:fs';\n"
                    + $"const policy = new Policy(new Uint8Array(readFileSync('{policy}')).buffer), x = [{samples}];\n"
                    + "for (let i = 0; i < x.length; i += 3) console.log(policy.act(x.slice(i, i + 3))[0]);\n"
                )

                match run "node" [ program ] with
                | None -> skiptest "node is not installed, so the sample in JavaScript was NOT tested"
                | Some(code, output, error) ->
                    Expect.equal code 0 error

                    let found =
                        output.TrimEnd().Split '\n'
                        |> Array.map (fun line -> Double.Parse(line, CultureInfo.InvariantCulture))

                    Expect.hasLength found expected.Length "torques"
                    Expect.isLessThan (worst expected found) 1e-6 "JavaScript"

                match
                    run
                        "dotnet"
                        ([ "run"; at "examples/policies/csharp/act.cs"; file "p.onnx" ]
                         @ List.ofArray numbers[..2])
                with
                | Some(0, output, _) ->
                    let last = output.TrimEnd().Split '\n' |> Array.last
                    Expect.isLessThan (worst expected[..0] [ Double.Parse(last, CultureInfo.InvariantCulture) ]) 1e-6 "C#"
                | other -> failtest $"{other}")

        testCase "a run that begins with an exported actor plays as that one did, and one that is killed ends as one that is not"
        <| fun _ ->
            inRuns (fun runs ->
                let file = Path.Combine(runs, "a.safetensors")
                let inRuns arguments = arguments @ [ "--runs"; runs ]

                ok (inRuns (train "a" "InvertedPendulum-v4" 1500 @ [ "--method"; "ne" ]))
                |> ignore

                ok (inRuns [ "export"; "a"; "--to"; "safetensors"; "--checkpoint"; "last"; "-o"; file ])
                |> ignore

                let import name =
                    inRuns (
                        [
                            "import"
                            file
                            "InvertedPendulum-v4"
                            "--name"
                            name
                            "--steps"
                            "1500"
                            "--method"
                            "ne"
                            "ne.networks=critic"
                        ]
                        @ small
                    )

                let output = ok (import "whole")
                Expect.stringContains output "the actor of 'a', learned on InvertedPendulum-v4" "where it comes from"
                let paths name = RunPaths.Of(runs, name)

                use evaluation =
                    JsonDocument.Parse(ok (inRuns [ "eval"; "a"; "--json"; "--checkpoint"; "last"; "--episodes"; "2" ]))

                let mean = evaluation.RootElement.GetProperty("mean").GetDouble()
                let first = File.ReadAllLines((paths "whole").Evaluations)[1]
                Expect.stringContains first (mean.ToString("R", CultureInfo.InvariantCulture)) "the evaluation of step 0"

                // When it has a name, long before a commit, and behind its first one. Its directory alone has the actor then.
                for name, hasBegun in
                    [
                        "early", (fun (killed: RunPaths) -> File.Exists killed.RunInfo)
                        "late", (fun killed -> File.Exists killed.Log && KillPhase.hasCommitted 500L killed.Log)
                    ] do
                    use running = new Running(import name)
                    waitUntil name (fun () -> hasBegun (paths name))
                    running.Kill()
                    File.Delete file
                    ok (inRuns [ "resume"; name ]) |> ignore
                    expectSame (identity (paths name)) (identity (paths "whole")) name
                    File.Copy((paths name).Actor, file))
    ]
