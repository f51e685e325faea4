/// How long a step of an environment in pictures takes, and what share of a run that is.
module NE.Benchmarks.PixelRendering

open System
open System.Diagnostics
open NE.Actors.Environments
open NE.Actors.Rendering
open NE.Benchmarks.Report
open NE.Model
open NE.Model.Replay
open NE.Model.Tasks

/// Steps of a round.
[<Literal>]
let private Steps = 40

let private task = "dmc/walker-walk"

/// Milliseconds of a step of the agent, round by round: the simulation of its repeats, and with a picture. The error says why none can be drawn.
let measure
    (size: int)
    (rounds: int)
    : Result<
        {|
            Simulation: float[]
            WithPicture: float[]
        |},
        string
       >
    =
    let settings = Settings.defaults.Pixels

    let found =
        match Registry.find task with
        | Ok found -> found
        | Error problem -> invalidOp problem

    let shape: PixelShape = {
        Height = size
        Width = size
        Stack = settings.FrameStack
    }

    let round (environment: IEnvironment) (repeats: int) =
        let observation = Array.zeroCreate<float32> environment.Spec.ObservationSize
        let draws = Draws.Of(3L, Purpose.Exploration)
        let action = Array.zeroCreate<float32> environment.Spec.ActionSize
        environment.Reset(Draws.Of(3L, Purpose.Reset), Span observation)
        let watch = Stopwatch.StartNew()

        for _ in 1..Steps do
            draws.FillUniform(Span action, 1.0f)

            for _ in 1..repeats do
                environment.Step(ReadOnlySpan action, Span observation) |> ignore

        watch.Elapsed.TotalMilliseconds / float Steps

    try
        use plain = new MuJoCoEnvironment(found)

        use seen =
            new PixelEnvironment(new MuJoCoEnvironment(found), shape, settings.ActionRepeat)

        round plain settings.ActionRepeat |> ignore
        round seen 1 |> ignore

        let measured =
            Array.init rounds (fun _ -> round plain settings.ActionRepeat, round seen 1)

        Ok {|
            Simulation = Array.map fst measured
            WithPicture = Array.map snd measured
        |}
    with :? RendererUnavailableException as problem ->
        Error problem.Message

/// Prints what the shares of a run are of which a step takes so many milliseconds of one core.
let print (step: float) (simulation: float) (updates: PixelUpdates.Measured list) : unit =
    printfn $"a step of {task} with two repeats and a picture: %.1f{step} ms of one core, of which %.1f{simulation} ms are the simulation"

    for found in updates do
        let learning = 1e3 * found.Seconds * found.UpdatesPerStep

        printfn
            $"  beside {found.Learner} at batch {found.Batch} on {found.Threads} threads: %.1f{100.0 * step / (step + learning)} %% of a step and the updates that it owes"
