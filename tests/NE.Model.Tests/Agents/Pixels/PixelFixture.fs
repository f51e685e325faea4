/// Small learners from pictures, and a replay memory of random ones.
module NE.Model.Tests.Agents.PixelFixture

open System
open NE.Model
open NE.Model.Agents
open NE.Model.Replay
open NE.Model.Tests.Agents.AgentFixture

/// Small networks on pictures of 21 x 21, with events and reviews within a few steps.
let drq: Settings =
    fst (
        Settings.resolve {
            Settings.defaults with
                Run.Seed = 5L
                Run.Steps = 5_000L
                Run.Method = Method.Td3
                Run.Learner = LearnerKind.Drq
                Network.Hidden = Is [ 24; 16 ]
                Learner.BatchSize = 8
                Learner.UpdatesPerStep = Is 1.0m
                Pixels.Size = 21
                Pixels.FrameStack = 2
                Pixels.Filters = 8
                Pixels.Features = 6
                Ne.GrowInterval = Is 10L
                Ne.EndStep = Is 400L
                Ne.ReviewWindow = Is 20L
                Ne.ReviewFirstStep = Is 20L
        }
    )

let drqV2 =
    fst (
        Settings.resolve {
            drq with
                Run.Learner = LearnerKind.DrqV2
                Pixels.Shifts = Auto
        }
    )

let private actions = 2

let task: AgentTask = {
    Observation = ObservationForm.Pixels drq.Pixels.Shape
    ActionSize = actions
    MaxAction = 1.0f
}

let private rows = TransitionRows.create task.Observation actions

/// What an environment shows and pays, step by step.
type Scene = {
    /// The observation at a step of an episode, uint8 [ObservationBytes], for a start that the episode drew.
    Show: Draws -> int -> byte[]
    /// The reward of an action on an observation.
    Pay: byte[] -> float32[] -> float32
    /// Steps of an episode.
    Steps: int
    /// Whether an episode ends by the task.
    Ends: bool
}

/// Rows of so many episodes under uniformly random actions.
let memoryOf (scene: Scene) episodes seed : HeldRows =
    let draws = Draws.Of(seed, Purpose.Statistics)
    let stored = ResizeArray<float32[]>()

    let linker =
        rows.CreateLinker(HeldRows([||], rows.RowFloats), { First = 0L; Head = 0L }, 1)

    let memory = Array.zeroCreate<float32>(2 * rows.RowFloats)

    let packed (bytes: byte[]) =
        let floats = Array.zeroCreate<float32>(PackedBytes.floats bytes.Length)
        bytes.CopyTo(PackedBytes.write bytes.Length (Span floats))
        floats

    for episode in 0 .. episodes - 1 do
        let start = Draws.At(seed, Purpose.Reset, 0L, int64 episode, 0L)

        for step in 0 .. scene.Steps - 1 do
            let before, after =
                scene.Show (Draws start.State) step, scene.Show (Draws start.State) (step + 1)

            let action = Array.init actions (fun _ -> 2.0f * draws.NextSingle() - 1.0f)

            let notDone = if scene.Ends && step = scene.Steps - 1 then 0.0f else 1.0f

            let count =
                rows.Write(
                    Span memory,
                    0,
                    step,
                    ReadOnlySpan(packed before),
                    ReadOnlySpan action,
                    scene.Pay before action,
                    notDone,
                    ReadOnlySpan(packed after)
                )

            for i in 0 .. count - 1 do
                let row = Array.sub memory (i * rows.RowFloats) rows.RowFloats
                linker.Link(Span row, int64 stored.Count)
                stored.Add row

    HeldRows(Array.concat stored, rows.RowFloats)

/// A stack of frames of which the newest is drawn for the step, and the others for the steps before.
let stackOf (frame: int -> byte[]) (step: int) =
    Array.concat [ for i in drq.Pixels.FrameStack - 1 .. -1 .. 0 -> frame (max 0 (step - i)) ]

/// Pictures without sense, and rewards.
let noise =
    let bytes = drq.Pixels.Shape.FrameBytes

    lazy
        (memoryOf
            {
                Show =
                    fun start step ->
                        let seed = int64 (start.NextUInt32())

                        stackOf
                            (fun at ->
                                let draws = Draws.At(seed, Purpose.Statistics, 0L, 0L, int64 at)
                                Array.init bytes (fun _ -> byte (draws.NextInt 256L)))
                            step
                Pay = fun _ action -> action[0] - action[1] * action[1]
                Steps = 30
                Ends = true
            }
            12
            3L)

let createPixels (settings: Settings) = Learners.create settings task

let stepOn (memory: HeldRows) (agent: ILearner) count =
    for _ in 1..count do
        agent.Update(memory, memory.Window)
