module NE.Actors.Tests.Environments.PixelEnvironmentTests

open System
open System.IO
open System.Threading.Tasks
open Expecto
open NE.Actors.Environments
open NE.Actors.Environments.Catalogue
open NE.Actors.MuJoCo
open NE.Actors.Rendering
open NE.Model
open NE.Model.Replay
open NE.Model.Tasks

let private resetDraws (episode: int64) =
    Draws.At(11L, Purpose.Reset, 0L, episode, 0L)

let private small = { Height = 20; Width = 24; Stack = 3 }

let private actionAt (spec: EnvironmentSpec) (step: int) =
    Array.init spec.ActionSize (fun i -> spec.ActionHigh[i] * float32 (sin (0.7 * float step + 1.3 * float i)))

let private task id =
    new MuJoCoEnvironment(Registry.find id |> Result.defaultWith failtest)

let private bytesOf (environment: PixelEnvironment) (memory: float32[]) =
    (PackedBytes.read environment.Shape.ObservationBytes (ReadOnlySpan memory)).ToArray()

let private reset (environment: PixelEnvironment) episode =
    let memory = Array.zeroCreate environment.Spec.ObservationSize
    environment.Reset(resetDraws episode, Span memory)
    bytesOf environment memory

let private step (environment: PixelEnvironment) number =
    let memory = Array.zeroCreate environment.Spec.ObservationSize
    let result = environment.Step(actionAt environment.Spec number, Span memory)
    bytesOf environment memory, result

/// The frames of an observation, oldest first.
let private framesOf (shape: PixelShape) (observation: byte[]) =
    Array.chunkBySize shape.FrameBytes observation

[<Tests>]
let tests =
    testList "a pixel environment" [
        test "the factory makes nine channels of 84 x 84 and repeats actions twice" {
            use environment = EnvironmentFactory.CreatePixels "dmc/walker-walk"
            let spec = environment.Spec
            let shape = environment.Shape
            Expect.equal spec.Observation (ObservationForm.Pixels shape) "form"
            Expect.equal (shape.Channels, shape.Height, shape.Width) (9, 84, 84) "shape"
            Expect.equal (spec.ActionRepeat, spec.TimeLimit, spec.ActionSize) (2, 500, 6) "repeat, limit, action"
            Expect.equal (shape.ObservationBytes, spec.ObservationSize) (63_504, 15_876) "bytes, four to a float"

            let described =
                EnvironmentFactory.DescribePixels(spec.Id, PixelDefaults.Shape, PixelDefaults.ActionRepeat)

            Expect.equal (described.TimeLimit, described.ActionHigh) (spec.TimeLimit, spec.ActionHigh) "described without a simulator"
            let first = reset environment 0L
            let frames = framesOf shape first
            Expect.equal frames[0] frames[2] "the first frame three times"
            let next, result = step environment 0
            let after = framesOf shape next
            Expect.equal after[0..1] frames[1..2] "the older frames"
            Expect.notEqual after[2] frames[2] "a new one"
            Expect.isFalse result.IsLast "goes on"
        }

        test "rewards and pictures are those of the task stepped twice by hand" {
            use pixels = new PixelEnvironment(task "HalfCheetah-v4", small, 2)
            use plain = task "HalfCheetah-v4"
            let state = Array.zeroCreate plain.Spec.ObservationSize
            let first = reset pixels 3L
            plain.Reset(resetDraws 3L, Span state)

            use renderer =
                new Renderer(plain.Simulator, small.Width, small.Height, plain.Camera)

            let image = Array.zeroCreate renderer.FrameBytes
            let frames = FrameStack small
            renderer.Render(Span image)
            frames.Begin(ReadOnlySpan image)
            Expect.equal first (frames.Observation.ToArray()) "reset"

            for i in 0..4 do
                let observation, result = step pixels i
                let action = actionAt pixels.Spec i
                let one = plain.Step(action, Span state).Reward
                let two = plain.Step(action, Span state).Reward
                renderer.Render(Span image)
                frames.Push(ReadOnlySpan image)
                Expect.equal result.Reward (one + two) "reward"
                Expect.equal observation (frames.Observation.ToArray()) "picture"
        }

        test "an episode has ceil(limit / repeat) steps, the last one shorter" {
            for id, repeat, expected in [ "Reacher-v4", 2, 25; "Reacher-v4", 7, 8 ] do
                use environment = new PixelEnvironment(task id, small, repeat)
                Expect.equal environment.Spec.TimeLimit expected "time limit"
                reset environment 0L |> ignore
                let results = [ for i in 1..expected -> snd (step environment i) ]
                Expect.equal (results |> List.map _.Truncated) (List.init expected (fun i -> i = expected - 1)) "truncated"
                Expect.equal environment.Task.Elapsed 50 "control steps"
                Expect.throwsT<InvalidOperationException> (fun () -> step environment 0 |> ignore) "over"
                reset environment 1L |> ignore
                Expect.isFalse (snd (step environment 0)).IsLast "the next episode"
        }

        test "a task that ends within the repeats ends the step, and its picture is the last one" {
            use environment = new PixelEnvironment(task "Hopper-v4", small, 50)
            reset environment 0L |> ignore

            let steps =
                Seq.initInfinite (fun i -> snd (step environment i))
                |> Seq.takeWhile (fun result -> not result.IsLast)
                |> Seq.length

            Expect.isLessThan steps 20 "the hopper falls"
            Expect.notEqual (environment.Task.Elapsed % 50) 0 "within the repeats"
            Expect.isLessThan environment.Task.Elapsed environment.Task.Spec.TimeLimit "not by the time limit"
        }

        test "a divergence shows the last sound picture, has no reward and truncates" {
            use environment = new PixelEnvironment(task "HalfCheetah-v4", small, 2)
            reset environment 0L |> ignore
            let before, _ = step environment 0
            environment.Task.Simulator.Velocities.Fill 1e11
            let after, result = step environment 1
            Expect.equal result (StepResult(0., false, true, true)) "result"
            let older, newer = framesOf small before, framesOf small after
            Expect.equal newer [| older[1]; older[2]; older[2] |] "the newest picture again"
            reset environment 1L |> ignore
            Expect.isFalse (snd (step environment 0)).IsLast "goes on after a reset"
        }

        for id in [ "dmc/reacher-easy"; "HalfCheetah-v4" ] do
            test $"{id}: a restored environment shows the same pictures and rewards as the uninterrupted one" {
                use environment = new PixelEnvironment(task id, small, 2)
                reset environment 5L |> ignore

                for i in 0..3 do
                    step environment i |> ignore

                let last, _ = step environment 4
                let state = environment.SaveState()
                let expected = [ for i in 5..12 -> step environment i ]
                // One that never drew anything, then one in the middle of another episode.
                use fresh = new PixelEnvironment(task id, small, 2)
                reset environment 99L |> ignore

                for other in [ fresh; environment ] do
                    let shown = Array.zeroCreate other.Spec.ObservationSize
                    other.RestoreState(state, Span shown)
                    Expect.equal (bytesOf other shown) last "the last observation"
                    Expect.equal (other.SaveState()) state "all bytes"
                    Expect.equal [ for i in 5..12 -> step other i ] expected "eight more steps"
            }

        test "a state that is damaged, of another task or of other pictures is refused, and memory of a wrong size too" {
            use environment = new PixelEnvironment(task "HalfCheetah-v4", small, 2)
            reset environment 0L |> ignore
            let shown = Array.zeroCreate environment.Spec.ObservationSize
            let state = environment.SaveState()

            let refuses (bytes: byte[]) what =
                Expect.throwsT<InvalidDataException> (fun () -> environment.RestoreState(bytes, Span shown)) what

            refuses [||] "empty"
            refuses state[..100] "cut within the pictures"
            refuses state[.. state.Length - 2] "cut within the state"
            use repeats = new PixelEnvironment(task "HalfCheetah-v4", small, 3)
            refuses (repeats.SaveState()) "other repeats"

            use wider =
                new PixelEnvironment(task "HalfCheetah-v4", { small with Width = 25 }, 2)

            refuses (wider.SaveState()) "another width"
            use hopper = new PixelEnvironment(task "Hopper-v4", small, 2)
            refuses (hopper.SaveState()) "another task"
            Expect.equal (environment.SaveState()) state "unchanged"
            let short: float32[] = Array.zeroCreate 5
            Expect.throwsT<ArgumentException> (fun () -> environment.Reset(resetDraws 0L, Span short)) "reset"
            Expect.throwsT<ArgumentException> (fun () -> environment.Step(actionAt environment.Spec 0, Span short) |> ignore) "step"

            Expect.throwsT<ArgumentException>
                (fun () ->
                    environment.Step(ReadOnlySpan [| nanf; 0f; 0f; 0f; 0f; 0f |], Span shown)
                    |> ignore)
                "action"

            Expect.throwsT<ArgumentOutOfRangeException> (fun () -> new PixelEnvironment(task "Hopper-v4", small, 0) |> ignore) "repeats"
        }

        test "a step makes no garbage" {
            use environment = new PixelEnvironment(task "HalfCheetah-v4", small, 2)
            reset environment 0L |> ignore
            let observation = Array.zeroCreate environment.Spec.ObservationSize
            let action = actionAt environment.Spec 0

            for _ in 1..3 do
                environment.Step(action, Span observation) |> ignore

            let before = GC.GetAllocatedBytesForCurrentThread()

            for _ in 1..10 do
                environment.Step(action, Span observation) |> ignore

            // The run-time itself may allocate a little while it recompiles; a picture has 1,440 bytes.
            Expect.isLessThan (GC.GetAllocatedBytesForCurrentThread() - before) 500L "bytes"
        }

        test "on a thread of its own it draws, and is freed there" {
            let answer =
                TaskCompletionSource<byte[]>(TaskCreationOptions.RunContinuationsAsynchronously)

            let create () =
                new PixelEnvironment(task "HalfCheetah-v4", small, 2)

            let thread =
                new SimulatorThread("pixels", (fun () -> create ()), fun error -> answer.TrySetException error |> ignore)

            thread.Post(fun environment ->
                let environment = environment :?> PixelEnvironment
                reset environment 0L |> ignore
                answer.TrySetResult(fst (step environment 0)) |> ignore)

            let seen = answer.Task.WaitAsync(TimeSpan.FromSeconds 60.).Result
            thread.Dispose()
            Expect.isFalse thread.IsFaulted "freed on its own thread"
            use other = create ()
            reset other 0L |> ignore
            Expect.equal seen (fst (step other 0)) "the same pictures on this thread"
        }

        test "without OpenGL the first reset says what to install, and the environment can be freed" {
            let none = OpenGlKind("none", fun () -> raise (OpenGlException "not here"))
            use environment = new PixelEnvironment(task "HalfCheetah-v4", small, 2, [ none ])

            try
                reset environment 0L |> ignore
                failtest "expected an error"
            with :? RendererUnavailableException as error ->
                Expect.stringContains error.Message "none: not here" "what was tried"
                Expect.stringContains error.Message "libegl1" "packages"
        }
    ]
