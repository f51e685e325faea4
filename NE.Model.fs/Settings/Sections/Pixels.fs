namespace NE.Model

open NE.Model.KeyKinds
open NE.Model.Keys
open NE.Model.Replay

/// Pictures of a task, as an agent sees them.
type PictureForm = {
    /// Sizes of an observation.
    Shape: PixelShape
    /// Control steps of the task per step of the agent.
    ActionRepeat: int
}

/// What learners from pictures see, and what they make of it (docs/algorithm.md 2.14).
type PixelSettings = {
    /// Height and width of a frame.
    Size: int
    /// Frames of an observation.
    FrameStack: int
    /// Control steps of the task per step of the agent, with one action.
    ActionRepeat: int
    /// n of the n-step return.
    ReturnSteps: int
    /// K and M of DrQ: shifted copies of every picture in a batch.
    Shifts: Derived<int>
    /// Filters of each convolution.
    Filters: int
    /// Features between the encoder and the networks of actor and critics.
    Features: int
} with

    /// Sizes of an observation.
    member this.Shape: PixelShape = {
        Height = this.Size
        Width = this.Size
        Stack = this.FrameStack
    }

[<RequireQualifiedAccess>]
module internal PixelSettings =

    let private key name =
        Keys.key<PixelFacts, PixelSettings, _> name

    let private count low high = int32Of (wholeNumber low high)

    let section =
        Section.ofLearners [ LearnerKind.Drq; LearnerKind.DrqV2 ] [
            key "pixels.size" (Cited "DrQ") (count 21L 1_024L) 84 _.Size (fun v s -> { s with Size = v })
            |> isFixed
            |> inUnit "pixels"
            |> says "Height and width of a frame."

            key "pixels.frameStack" (Cited "DrQ") (count 1L 16L) 3 _.FrameStack (fun v s -> { s with FrameStack = v })
            |> isFixed
            |> inUnit "frames"
            |> says "Frames of an observation, the last ones."

            key "pixels.actionRepeat" (Cited "DrQ-v2") (count 1L 100L) 2 _.ActionRepeat (fun v s -> { s with ActionRepeat = v })
            |> isFixed
            |> inUnit "control steps"
            |> says "Control steps of the task per step of the agent: every key in steps counts those of the agent."

            key "pixels.returnSteps" Paper (count 1L 100L) 3 _.ReturnSteps (fun v s -> { s with ReturnSteps = v })
            |> isFixed
            |> inUnit "steps"
            |> check (fun facts pixels ->
                let least = int64 pixels.ReturnSteps * int64 facts.Environments

                if facts.Learner.SeesPixels && facts.StartSteps < least then
                    Some
                        $"learning begins at step {facts.StartSteps} (learner.startSteps), where no transition of {pixels.ReturnSteps} steps is complete; give learner.startSteps={least} or more"
                else
                    None)
            |> check (fun facts pixels ->
                let least =
                    int64 (pixels.ReturnSteps + pixels.FrameStack) * int64 facts.Environments

                if facts.Learner.SeesPixels && facts.BufferSize < least then
                    Some
                        $"the last {facts.BufferSize} frames of {facts.Environments} environments (learner.bufferSize) hold no transition of {pixels.ReturnSteps} steps between {pixels.FrameStack} frames; give learner.bufferSize={least} or more"
                else
                    None)
            |> says "n of the n-step return."

            key "pixels.shifts" (Cited "DrQ") (derived (count 1L 16L)) Auto _.Shifts (fun v s -> { s with Shifts = v })
            |> isFixed
            |> inUnit "copies"
            |> auto "drq 2, drqv2 1" (fun facts _ -> if facts.Learner = LearnerKind.Drq then 2 else 1)
            |> says
                "Shifted copies of every picture in a batch, over which targets and losses are averaged (K and M); auto: drq 2, drqv2 1."

            key "pixels.filters" (Cited "DrQ") (count 8L 1_024L) 32 _.Filters (fun v s -> { s with Filters = v })
            |> isFixed
            |> check (fun _ pixels ->
                if pixels.Filters % 8 <> 0 then
                    Some "no multiple of 8"
                else
                    None)
            |> says "Filters of each of the four convolutions, a multiple of 8."

            key "pixels.features" Paper (count 1L 4_096L) 50 _.Features (fun v s -> { s with Features = v })
            |> isFixed
            |> inUnit "features"
            |> says "Features that actor and critics see of the encoder's."
        ]
