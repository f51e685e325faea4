module NE.Actors.Tests.Environments.ExternalTests

open System
open System.Diagnostics
open System.IO
open System.IO.Pipes
open System.Text
open System.Text.RegularExpressions
open System.Threading
open Expecto
open NE.Actors.Environments
open NE.Actors.Environments.Catalogue
open NE.Actors.Environments.External
open NE.Model
open NE.Tests
open NE.Tests.Repository

let patience =
    ExternalPatience(TimeSpan.FromSeconds 120.0, TimeSpan.FromSeconds 60.0)

/// Short, but long enough for an answer of a process on a busy machine.
let private impatient =
    ExternalPatience(TimeSpan.FromSeconds 120.0, TimeSpan.FromSeconds 1.5)

let private sharp = [
    "dotnet"
    built "clients/csharp/NE.Environment.Example" "NE.Environment.Example.dll"
]

let client = Path.Combine(repository, "clients/python/ne_environment.py")

let private python (arguments: string list) =
    [ Python.interpreter; client ] @ arguments

let private pendulum =
    Path.Combine(repository, "clients/python/pendulum_example.py:Pendulum")

let private hasPython =
    try
        use probe =
            match Process.Start(ProcessStartInfo(Python.interpreter, "--version", RedirectStandardOutput = true)) with
            | null -> failwith "no process"
            | started -> started

        probe.WaitForExit()
        probe.ExitCode = 0
    with _ ->
        false

/// A test that needs python3. It is skipped, and says so, where there is none.
let pythonTest name body =
    testCase name
    <| fun _ ->
        if hasPython then
            body ()
        else
            skiptest "python3 is not installed, so the Python client was NOT tested"

let withPatience (patience: ExternalPatience) (command: string list) =
    new ExternalEnvironment(command, patience)

let started = withPatience patience

let resetDraws (seed: int64) (episode: int64) =
    Draws.At(seed, Purpose.Reset, 0L, episode, 0L)

let observe (environment: IEnvironment) : float32[] =
    Array.zeroCreate environment.Spec.ObservationSize

let reset (environment: IEnvironment) seed episode =
    let observation = observe environment
    environment.Reset(resetDraws seed episode, observation)
    observation

let private actionAt (environment: IEnvironment) (step: int) =
    Array.init environment.Spec.ActionSize (fun i ->
        0.9f
        * environment.Spec.ActionHigh[i]
        * float32 (sin (0.37 * float step + 1.7 * float i)))

let step (environment: IEnvironment) (action: float32[]) : StepResult =
    environment.Step(action, observe environment)

let private native (environment: IEnvironment) : EnvironmentSpec =
    match environment.Spec.Native with
    | null -> failtest "the actions are not rescaled"
    | native -> native

/// What an agent sees of steps [first, last].
let private steps (environment: IEnvironment) first last = [
    for step in first..last do
        let observation = observe environment
        let result = environment.Step(actionAt environment step, observation)
        yield observation, result
]

/// The message of the exception that an action must throw.
let messageOf<'E when 'E :> exn> (action: unit -> unit) : string =
    try
        action ()
        failtestf "expected %s" typeof<'E>.Name
    with :? 'E as problem ->
        problem.Message

let contains (message: string) (fragments: string list) =
    for fragment in fragments do
        Expect.stringContains message fragment "the message"

let private isAlive (pid: int) =
    try
        // A killed process that nobody has collected yet is a zombie.
        not (File.ReadAllText($"/proc/{pid}/stat").Contains ") Z ")
    with :? IOException ->
        false

let private waitUntil what (condition: unit -> bool) =
    let deadline = DateTime.UtcNow.AddSeconds 20.0

    while not (condition ()) do
        if DateTime.UtcNow > deadline then
            failtestf "waited 20 s for: %s" what

        Thread.Sleep 5

/// The number of the grandchild that a script tells of before a step that fails.
let private grandchildOf (environment: ExternalEnvironment) : int =
    try
        step environment [| 0.0f; 0.0f |] |> ignore
        failtest "expected a failure"
    with :? ExternalEnvironmentException as problem ->
        int (Regex.Match(problem.StandardError, "grandchild (\\d+)").Groups[1].Value)

/// What both clients must do, with the example of each.
let private clientLaws (name: string) (command: string list) =
    let case =
        if name = "Python" then
            pythonTest
        else
            (fun title body -> testCase title (fun _ -> body ()))

    [
        case $"the {name} client: the same seed gives the same episode, another one another"
        <| fun () ->
            use environment = started command

            let episode seed =
                let first = reset environment seed 0L
                first, steps environment 0 20

            let one = episode 1L
            Expect.equal (episode 1L) one "the same"
            Expect.notEqual (fst (episode 2L)) (fst one) "another seed"

        case $"the {name} client: another process continues a saved episode exactly"
        <| fun () ->
            use environment = started command
            reset environment 3L 0L |> ignore
            let before = steps environment 0 12 |> List.last |> fst
            let state = environment.SaveState()
            let expected = steps environment 13 40
            use other = started command
            let observation = observe other
            other.RestoreState(state, observation)
            Expect.equal observation before "the last observation"
            Expect.equal (steps other 13 40) expected "further steps"
            let foreign: byte[] = Array.zeroCreate 40
            Expect.throwsT<InvalidDataException> (fun () -> other.RestoreState(foreign, observation)) "something else"

        case $"the {name} client: the time limit truncates and ends the episode"
        <| fun () ->
            use environment = started command
            let limit = environment.Spec.TimeLimit
            reset environment 1L 0L |> ignore
            let still: float32[] = Array.zeroCreate environment.Spec.ActionSize

            let results = [ for _ in 1..limit -> environment.Step(still, observe environment) ]

            Expect.equal (results |> List.tryFindIndex _.Truncated) (Some(limit - 1)) "the last step"
            Expect.isFalse (List.last results).Terminated "not terminated"

            Expect.throwsT<InvalidOperationException> (fun () -> environment.Step(still, observe environment) |> ignore) "over"

        case $"the {name} client renders a frame of the asked size"
        <| fun () ->
            use environment = started command
            reset environment 1L 0L |> ignore
            let frame = environment.Render(32, 24)
            Expect.equal frame.Length (3 * 32 * 24) "bytes"
            Expect.isTrue (Array.contains 255uy frame && Array.contains 0uy frame) "something is to be seen"

        case $"the {name} client: what else reads standard input or prints is not between the frames"
        <| fun () ->
            use environment = started command

            let link (descriptor: int) =
                FileInfo($"/proc/{environment.ProcessId}/fd/{descriptor}").LinkTarget |> string

            Expect.equal (link 0) "/dev/null" "standard input is empty"
            Expect.equal (link 1) (link 2) "standard output is standard error"

        case $"the {name} client ends when it is asked to"
        <| fun () ->
            let environment = started command
            let pid = environment.ProcessId
            reset environment 1L 0L |> ignore
            (environment :> IDisposable).Dispose()
            waitUntil "the process to be gone" (fun () -> not (isAlive pid))
    ]

let private stepOf behaviour (patience: ExternalPatience) =
    use environment = withPatience patience (Misbehaving.command behaviour)
    reset environment 1L 0L |> ignore

    let message =
        messageOf<ExternalEnvironmentException>(fun () -> step environment [| 0.0f; 0.0f |] |> ignore)

    Expect.stringContains message Misbehaving.Argument "the command"
    waitUntil "the process to be killed" (fun () -> not (isAlive environment.ProcessId))

    let again =
        messageOf<ExternalEnvironmentException>(fun () -> reset environment 1L 0L |> ignore)

    Expect.stringContains again "started anew" "a failed environment stays failed"
    message

let startOf (command: string list) (patience: ExternalPatience) =
    messageOf<EnvironmentUnusableException>(fun () ->
        use _ = withPatience patience command
        ())

let private failures = [
    for behaviour, patience, fragments in
        [
            "dies", patience, [ "expected an answer to Step"; "exit code 7"; "the arm broke off" ]
            "hangs",
            impatient,
            [
                "expected an answer to Step within 1.5 s"
                "external.stepTimeout"
                "thinking"
            ]
            "half an answer", impatient, [ "within 1.5 s" ]
            "prints", patience, [ "as text 'step'"; "nothing but frames" ]
            "empty frame", patience, [ "length of 0" ]
            "wrong size", patience, [ "21 bytes for 3 observations"; "found 17" ]
            "not a number", patience, [ "finite"; "NaN as observation 1" ]
            "infinite reward", patience, [ "finite reward" ]
            "odd flags", patience, [ "flags of 0 to 3"; "found 8" ]
            "another message", patience, [ "expected Stepped"; "0x82" ]
            "cannot", patience, [ "could not do Step"; "the motor is too hot" ]
            "cannot, at length", patience, [ "Step: the motor is too hot: \u00e4"; "\u00e4 ... (4024 more bytes)" ]
            "talks much", patience, [ "exit code 1"; "more characters" ]
        ] do
        testCase $"a child that {behaviour}: the failure is clear, and the process is gone"
        <| fun _ ->
            let message = stepOf behaviour patience
            contains message fragments
            Expect.isLessThan message.Length 15000 "a bounded message"
]

let private badStarts = [
    for title, command, patience, fragments in
        [
            "is not there", [ "no-such-program-7" ], patience, [ "no-such-program-7"; "cannot be started" ]
            "exits at once",
            [ "sh"; "-c"; "echo the licence has run out >&2; exit 3" ],
            patience,
            [ "expected an answer to Hello"; "exit code 3"; "the licence has run out" ]
            "says nothing",
            [ "sleep"; "1000" ],
            ExternalPatience(TimeSpan.FromMilliseconds 200.0, TimeSpan.FromSeconds 1.0),
            [ "within 0.2 s"; "external.startTimeout" ]
            "greets in words", [ "echo"; "hello, world" ], patience, [ "as text 'hell'" ]
            "has an old version", Misbehaving.command "old version", patience, [ "protocol version 1"; "found 7" ]
            "contradicts itself", Misbehaving.command "contradicting sizes", patience, [ "4 observations" ]
            "has no bounds", Misbehaving.command "infinite action", patience, [ "finite bounds"; "upper bound of action 1" ]
            "has a short schema", Misbehaving.command "short schema", patience, [ "too few" ]
        ] do
        testCase $"a program that {title} is refused with the reason"
        <| fun _ -> contains (startOf command patience) fragments
]

[<Tests>]
let tests =
    testList "an external environment" [
        yield! clientLaws "C#" sharp
        yield! clientLaws "Python" (python [ pendulum ])
        yield! failures
        yield! badStarts

        testCase "a child that hangs does not hold up the end of its thread, nor while it starts"
        <| fun _ ->
            for command in [ Misbehaving.command "hangs"; [ "sleep"; "1000" ] ] do
                let endless = ExternalPatience(TimeSpan.FromHours 1.0, TimeSpan.FromHours 1.0)

                use working = new ManualResetEventSlim()
                let mutable fault: exn option = None

                let thread =
                    new SimulatorThread(
                        "hanging",
                        (fun () ->
                            working.Set()
                            withPatience endless command :> IEnvironment),
                        (fun problem -> fault <- Some problem)
                    )

                thread.Post(fun environment ->
                    reset environment 1L 0L |> ignore
                    step environment [| 0.0f; 0.0f |] |> ignore)

                working.Wait()
                thread.Dispose()
                waitUntil "the fault" (fun () -> fault.IsSome)
                Expect.equal (fault.Value.GetType()) typeof<OperationCanceledException> $"{fault}"

        testCase "Dispose on another thread ends a wait and kills the process"
        <| fun _ ->
            let environment =
                withPatience (ExternalPatience(TimeSpan.FromSeconds 20.0, TimeSpan.FromHours 1.0)) (Misbehaving.command "hangs")

            reset environment 1L 0L |> ignore
            let mutable fault: exn option = None
            use stepping = new ManualResetEventSlim()

            let stepper =
                Thread(fun () ->
                    try
                        stepping.Set()
                        step environment [| 0.0f; 0.0f |] |> ignore
                    with problem ->
                        fault <- Some problem)

            stepper.Start()
            stepping.Wait()
            (environment :> IDisposable).Dispose()
            Expect.isTrue (stepper.Join(TimeSpan.FromSeconds 20.0)) "the wait is over"
            Expect.isSome fault "by an exception"
            waitUntil "the process to be killed" (fun () -> not (isAlive environment.ProcessId))

        testCase "a child that will not close is killed with its descendants"
        <| fun _ ->
            // The number of the grandchild is in what the message quotes.
            let script =
                "sleep 1000 & echo grandchild $! >&2; "
                + String.concat " " (Misbehaving.command "hangs")

            use environment = withPatience impatient [ "sh"; "-c"; script ]
            reset environment 1L 0L |> ignore
            let grandchild = grandchildOf environment
            waitUntil "all of them to be gone" (fun () -> not (isAlive grandchild) && not (isAlive environment.ProcessId))
            let stays = started (Misbehaving.command "stays")
            let pid = stays.ProcessId
            (stays :> IDisposable).Dispose()
            waitUntil "the one that stays" (fun () -> not (isAlive pid))

        testCase "what a child that ended by itself left behind is killed"
        <| fun _ ->
            match ProcessGroup.Words([ "sh" ], Environment.GetEnvironmentVariable "PATH") with
            | null -> skiptest "setsid is not installed"
            | _ -> ()

            // Of the pipes it holds that of standard error alone.
            let script =
                "sleep 1000 >/dev/null & echo grandchild $! >&2; exec "
                + String.concat " " (Misbehaving.command "dies")

            use environment = started [ "sh"; "-c"; script ]
            reset environment 1L 0L |> ignore
            let grandchild = grandchildOf environment
            waitUntil "the one that was left behind to be gone" (fun () -> not (isAlive grandchild))

        testCase "a program leads a session of its own where there is setsid; elsewhere, and when it is not there, it is started as it is"
        <| fun _ ->
            NE.Actors.Tests.Runs.Training.inFolder (fun folder ->
                let words (command: string list) (searchPath: string | null) =
                    match ProcessGroup.Words(command, searchPath) with
                    | null -> []
                    | words -> List.ofSeq words

                let executable name =
                    let file = Path.Combine(folder, name)
                    File.WriteAllText(file, "#!/bin/sh\n")
                    File.SetUnixFileMode(file, UnixFileMode.UserRead ||| UnixFileMode.UserExecute)
                    file

                let program = executable "my-simulator"
                Expect.equal (words [ program ] folder) [] "no setsid"
                let setsid = executable "setsid"
                Expect.equal (words [ "my-simulator"; "-c"; "a b" ] folder) [ setsid; program; "-c"; "a b" ] "by its name"
                Expect.equal (words [ program ] $"/nowhere:{folder}") [ setsid; program ] "by its path"
                Expect.equal (words [ "no-such-program-7" ] folder) [] "not there"
                Expect.equal (words [ program ] null) [] "no search path")

        testCase "the reader of standard error lets go of a pipe that somebody holds open"
        <| fun _ ->
            let reader = new AnonymousPipeServerStream(PipeDirection.In)
            let pipe = reader.SafePipeHandle

            use writer =
                new AnonymousPipeClientStream(PipeDirection.Out, reader.ClientSafePipeHandle)

            let lines = LastLines(reader, pipe, "nobody", null)
            writer.Write(Encoding.UTF8.GetBytes "a last w\u00f6rd\n")
            waitUntil "the line" (fun () -> lines.Text(TimeSpan.Zero) = "a last w\u00f6rd")
            Expect.isFalse pipe.IsClosed "there may be more"
            lines.End(TimeSpan.Zero)
            waitUntil "the pipe to be closed" (fun () -> pipe.IsClosed)

        testCase "an answer too many is a failure before it is taken for the next one"
        <| fun _ ->
            use environment = started (Misbehaving.command "answers twice")
            reset environment 1L 0L |> ignore
            step environment [| 0.0f; 0.0f |] |> ignore

            contains (messageOf<ExternalEnvironmentException>(fun () -> step environment [| 0.0f; 0.0f |] |> ignore)) [
                "expected no bytes before Step was sent"
                "found bytes that answer nothing (bytes 1600000083"
            ]

            waitUntil "the process to be killed" (fun () -> not (isAlive environment.ProcessId))

        testCase "an environment that cannot save its state says so, and begins the next episode at a resume"
        <| fun _ ->
            use environment = started (Misbehaving.command "well")
            Expect.isFalse environment.Spec.SavesState "the spec"
            Expect.throwsT<NotSupportedException> (fun () -> environment.SaveState() |> ignore) "saving"
            Expect.throwsT<NotSupportedException> (fun () -> environment.Render(8, 8) |> ignore) "rendering"
            let settings = NE.Actors.Tests.Runs.Training.settings []
            let worker = EnvironmentWorker(environment, settings, 0)
            worker.Begin 4L
            use other = started (Misbehaving.command "well")
            let resumed = EnvironmentWorker(other, settings, 0)
            resumed.Restore(worker.Save())
            Expect.equal resumed.Episode 5L "the next episode"

        testCase "a resume on a program that says something else about itself is refused"
        <| fun _ ->
            use environment = started (Misbehaving.command "well")
            let settings = NE.Actors.Tests.Runs.Training.settings []
            let worker = EnvironmentWorker(environment, settings, 0)
            worker.Begin 0L
            use other = started (Misbehaving.command "saves")
            let resumed = EnvironmentWorker(other, settings, 0)

            contains (messageOf<EnvironmentUnusableException>(fun () -> resumed.Restore(worker.Save()))) [
                "what the program says about itself"
                "start a new run"
            ]

        testCase "wrong memory and impossible actions are refused before anything is sent"
        <| fun _ ->
            use environment = started sharp
            reset environment 1L 0L |> ignore
            Expect.throwsT<ArgumentException> (fun () -> step environment [| 0.0f |] |> ignore) "too short"
            Expect.throwsT<ArgumentException> (fun () -> step environment [| nanf; 0.0f |] |> ignore) "NaN"
            let short: float32[] = Array.zeroCreate 3
            Expect.throwsT<ArgumentException> (fun () -> environment.Reset(resetDraws 1L 0L, short)) "short memory"
            step environment [| 0.0f; 0.0f |] |> ignore

        pythonTest "a Python environment with bounds of its own is rescaled, and its pickled state goes on exactly"
        <| fun () ->
            let id = EnvironmentId.External(python [ pendulum; "--pickle-state" ]).Text
            use environment = EnvironmentFactory.Create id
            Expect.equal environment.Spec.ActionLow [| -1.0f |] "for the agent"
            let native = native environment
            Expect.equal (native.ActionLow, native.ActionHigh) ([| -2.0f |], [| 1.0f |]) "its own"
            reset environment 3L 0L |> ignore
            steps environment 0 5 |> ignore
            let state = environment.SaveState()
            let expected = steps environment 6 20
            use other = EnvironmentFactory.Create id
            other.RestoreState(state, observe other)
            Expect.equal (steps other 6 20) expected "further steps"
            let described = EnvironmentFactory.Describe id
            Expect.equal described.Fingerprint environment.Spec.Fingerprint "described"

        pythonTest "what a Python environment prints does not get between the frames, and its exceptions are told"
        <| fun () ->
            NE.Actors.Tests.Runs.Training.inFolder (fun folder ->
                let file = Path.Combine(folder, "loud.py")

                File.WriteAllText(
                    file,
                    """
import os, sys
class Box:
    low, high = [-1.0], [1.0]
class Loud:
    action_space = Box
    def __init__(self): print("made"); os.system("echo from a shell")
    def reset(self, seed=None): print("reset", seed); return [0.5], {}
    def step(self, action):
        if action[0] > 0.5: raise RuntimeError("too fast")
        return [action[0]], 1, False, True, {}
"""
                )

                use environment = started (python [ file + ":Loud" ])
                Expect.equal environment.Spec.Id "Loud" "id"
                Expect.equal environment.Spec.TimeLimit EnvironmentSpec.NoTimeLimit "no time limit"
                Expect.isFalse environment.Spec.SavesState "state"
                Expect.equal (reset environment 1L 0L) [| 0.5f |] "observation"
                Expect.isTrue (step environment [| 0.25f |]).Truncated "its own truncation"
                reset environment 1L 1L |> ignore

                try
                    step environment [| 0.75f |] |> ignore
                    failtest "expected a failure"
                with :? ExternalEnvironmentException as problem ->
                    Expect.stringEnds problem.Message "it could not do Step: RuntimeError: too fast." "one sentence"
                    contains problem.StandardError [ "reset "; "Traceback"; "RuntimeError: too fast" ])

        pythonTest "the Python client says what is wrong with its arguments"
        <| fun () ->
            contains (startOf (python [ "Pendulum" ]) patience) [ "gym:ID"; "'Pendulum'" ]
            contains (startOf (python [ "nowhere_to_be_found:Thing" ]) patience) [ "nowhere_to_be_found" ]
    ]
