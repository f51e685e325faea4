/// The figures of the task benchmark, from the rounds of its contenders.
module NE.Benchmarks.TaskReport

open System
open NE.Benchmarks.Report

/// One contender after the last round.
type Contender = {
    Name: string
    /// Environment steps per second, round by round.
    Rates: float[]
    UpdatesPerStep: float
    /// The rounds of a run of ours; none of PyTorch.
    Rounds: RunRound[]
    Memory: ProcessMemory.Resident
}

/// Microseconds of one control step (physics, observation, reward) and of one gradient step (dense TD3), each alone, round by round.
type Parts = { Physics: float[]; Gradient: float[] }

/// How many times faster a loop can be when physics and gradient steps overlap completely: 1 / (1 - the smaller one's share).
let overlapBound (physics: float) (gradient: float) : float =
    1.0 / (1.0 - min physics gradient / (physics + gradient))

let private rounded (digits: int) (value: float option) =
    value |> Option.map (fun value -> Math.Round(value, digits))

let private medianOf (figure: RunRound -> float) (rounds: RunRound[]) =
    if rounds.Length = 0 then
        None
    else
        Some(rounds |> Seq.map figure |> median)

let private waiting (contender: Contender) =
    match contender.Rounds |> Array.choose _.LearnerWaiting with
    | [||] -> None
    | found -> Some(median found)

/// Quotients of neighbouring rounds, and what they are of.
let private quotients (contenders: Contender list) : (string * float[]) list =
    let find name =
        contenders |> List.tryFind (fun contender -> contender.Name = name)

    [
        for above, below in
            [
                "td3 serial", "pytorch"
                "td3 pipelined", "pytorch"
                "ne pipelined", "pytorch"
                "td3 pipelined", "td3 serial"
                "ne pipelined", "td3 pipelined"
            ] do
            match find above, find below with
            | Some one, Some other -> $"{above} / {below}", Array.map2 (/) one.Rates other.Rates
            | _ -> ()
    ]

/// Prints the figures and gives them for the JSON report.
let publish (contenders: Contender list) (parts: Parts) =
    let show (format: string) (value: float option) =
        match value with
        | Some number -> number.ToString format
        | None -> "-"

    printfn "%-20s %11s %9s %9s %9s %11s %9s %9s" "contender" "env steps/s" "updates/s" "waiting %" "pause ms" "bytes/step" "MB" "- replay"

    let found = [
        for contender in contenders do
            let rate = median contender.Rates
            let waiting = waiting contender
            let pause = medianOf _.PauseMilliseconds contender.Rounds
            let bytes = medianOf _.BytesPerStep contender.Rounds

            printfn
                "%-20s %11.1f %9.1f %9s %9s %11s %9.0f %9.0f"
                contender.Name
                rate
                (rate * contender.UpdatesPerStep)
                (waiting |> Option.map ((*) 100.0) |> show "F1")
                (show "F1" pause)
                (show "F0" bytes)
                contender.Memory.Whole
                contender.Memory.BesideReplay

            {|
                name = contender.Name
                stepsPerSecond = figures 1 contender.Rates
                updatesPerSecond = Math.Round(rate * contender.UpdatesPerStep, 1)
                learnerWaiting = rounded 4 waiting
                checkpointPauseMilliseconds = rounded 2 pause
                managedBytesPerStep = rounded 0 bytes
                residentMegabytes = contender.Memory.Rounded
            |}
    ]

    let ratios =
        quotients contenders
        |> List.map (fun (name, rounds) ->
            printfn $"{name, -30} {median rounds:F3}  [{Seq.min rounds:F3} .. {Seq.max rounds:F3}]"
            name, figures 4 rounds)
        |> dict

    let physics, gradient = median parts.Physics, median parts.Gradient
    let bound = overlapBound physics gradient

    let serial =
        contenders
        |> List.tryFind (fun contender -> contender.Name = "td3 serial")
        |> Option.map (fun contender -> 1e6 / median contender.Rates)

    printfn
        $"""a control step takes {physics:F1} us, a gradient step {gradient:F1} us, a serial step of the run {show "F1" serial} us: overlap can give {bound:F3} at most"""

    {|
        contenders = found
        ratios = ratios
        physicsMicroseconds = figures 2 parts.Physics
        gradientStepMicroseconds = figures 2 parts.Gradient
        serialStepMicroseconds = rounded 1 serial
        overlapBound = Math.Round(bound, 4)
    |}
