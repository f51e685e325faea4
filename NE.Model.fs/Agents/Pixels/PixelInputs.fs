namespace NE.Model.Agents.Pixels

open System
open NE.Model
open NE.Model.Agents
open NE.Model.Networks
open NE.Model.Replay

/// A batch of pictures on its way to actor and critics: shifted, encoded, and through the trunks; and the gradients on their way back. `shifts`
/// draws the shifts of a batch that is learned from; of one that is only read pictures stay as they are, what is seen of s is computed as it is
/// gathered, and what is seen of s' when first asked for: most readers want s alone, and s' costs twice as much.
[<Sealed>]
type PixelInputs(networks: PixelNetworks, task: AgentTask, transitions: int, shifts: (unit -> Draws) voption) =
    let engine, settings = networks.Engine, networks.Settings
    let learns = shifts.IsSome
    let copies = if learns then settings.Pixels.Shifts.Value else 1
    let rows = transitions * copies
    let features = settings.Pixels.Features

    let frames =
        PixelFrames(settings.Pixels, task.ActionSize, settings.Learner.Discount, transitions, copies)

    let images, nextImages =
        engine.CreateImages(rows, networks.Image), engine.CreateImages(rows, networks.Image)

    // What the critics read, side by side as in a stored row of numbers.
    let shape: TransitionShape = {
        ObservationSize = features
        ActionSize = task.ActionSize
    }

    let batch = engine.CreateMinibatch(rows, shape)
    let criticState = batch.View(0, features)
    let observationAction = batch.View(0, features + task.ActionSize)
    let action = batch.View(shape.Action, task.ActionSize)
    let reward, notDone = batch.View(shape.Reward, 1), batch.View(shape.NotDone, 1)
    let nextCriticState = batch.View(shape.NextObservation, features)

    let nextObservationAction =
        batch.View(shape.NextObservation, features + task.ActionSize)

    let nextAction = batch.View(shape.StoredWidth, task.ActionSize)

    let tanh = ScaledTanh 1.0f
    let ifLearning gradient = if learns then gradient else NoGradient

    let encode ofTarget (input: IImages) gradient =
        networks.Encoder.CreatePass(ofTarget, 1, input.Matrix, Linear, gradient)

    let encoder = encode false images (ifLearning ParameterGradient)
    let nextEncoder = encode false nextImages NoGradient

    let nextTargetEncoder =
        if networks.HasTargetEncoder then
            encode true nextImages NoGradient
        else
            nextEncoder

    let featuresOf (pass: IPass) = pass.Output 0

    let actorTrunk =
        networks.ActorTrunk.CreatePass(false, 1, featuresOf encoder, tanh, ifLearning ParameterGradient)

    let nextActorTrunk =
        networks.ActorTrunk.CreatePass(false, 1, featuresOf nextEncoder, tanh, NoGradient)

    let criticTrunk =
        let encoded = (featuresOf encoder).Columns
        networks.CriticTrunk.CreatePass(false, 1, featuresOf encoder, tanh, ifLearning (BothGradients(0, encoded)))

    let nextCriticTrunk =
        networks.CriticTrunk.CreatePass(true, 1, featuresOf nextTargetEncoder, tanh, NoGradient)

    let passes =
        List.distinct [
            encoder
            nextEncoder
            nextTargetEncoder
            actorTrunk
            nextActorTrunk
            criticTrunk
            nextCriticTrunk
        ]

    // Whether s' of a batch that is only read was not encoded yet.
    let mutable isNextPending = false

    let encodeNext () =
        nextEncoder.Forward()

        if networks.HasTargetEncoder then
            nextTargetEncoder.Forward()

        nextActorTrunk.Forward()
        nextCriticTrunk.Forward()
        engine.Copy(nextCriticTrunk.Output 0, nextCriticState)

    let readForCritics () =
        criticTrunk.Forward()
        engine.Copy(criticTrunk.Output 0, criticState)

    let encodeObservation () =
        encoder.Forward()
        readForCritics ()

    /// The features are those of the encoder before its step, as the authors' code of DrQ-v2 has it.
    let encodeForActor () =
        readForCritics ()
        actorTrunk.Forward()

    let shiftOf (draws: Draws) : ImageShift =
        let places = int64 (2 * ImageShift.Padding + 1)

        {
            Down = int (draws.NextInt places)
            Right = int (draws.NextInt places)
        }

    let moved = if learns then Array.zeroCreate<ImageShift> rows else [||]

    let write (into: IImages) (pixels: byte[]) =
        if learns then
            let draws = shifts.Value()

            for row in 0 .. rows - 1 do
                moved[row] <- shiftOf draws

        into.Write(ReadOnlySpan pixels, ReadOnlySpan moved)

    let targets = Array.zeroCreate<float32> rows

    interface IActorCriticInputs with
        member _.Transitions = transitions
        member _.Rows = rows

        member _.Gather(source, numbers) =
            frames.Gather(source, numbers)
            write images frames.Observations

            if learns then
                write nextImages frames.Next

            action.Write(ReadOnlySpan frames.Actions)
            reward.Write(ReadOnlySpan frames.Rewards)
            notDone.Write(ReadOnlySpan frames.Bootstraps)

            if not learns then
                isNextPending <- true
                encodeObservation ()
                actorTrunk.Forward()

        member _.Holds(source, window, row) = frames.Holds(source, window, row)
        member _.Observation = actorTrunk.Output 0
        member _.ObservationAction = observationAction
        member _.Action = action
        member _.Reward = reward
        member _.NotDone = notDone
        member _.NextObservation = nextActorTrunk.Output 0
        member _.NextObservationAction = nextObservationAction
        member _.NextAction = nextAction
        member _.Features = features

        member _.Encoders = [
            {
                Networks = networks.Encoder
                Probe = encoder
            }
        ]

        member _.CriticsBackward =
            if learns then
                BothGradients(0, features)
            else
                ParameterGradient

        member this.ActorBackward = (this :> IActorCriticInputs).CriticsBackward

        member _.EncodeNext() =
            if learns then
                encodeNext ()
            elif isNextPending then
                write nextImages frames.Next
                encodeNext ()
                isNextPending <- false

        member _.Average given =
            if copies > 1 then
                given.Read(Span targets)

                for i in 0 .. transitions - 1 do
                    let mutable sum = 0.0f

                    for copy in 0 .. copies - 1 do
                        sum <- sum + targets[copy * transitions + i]

                    for copy in 0 .. copies - 1 do
                        targets[copy * transitions + i] <- sum / float32 copies

                given.Write(ReadOnlySpan targets)

        member _.Encode() =
            if learns then
                encodeObservation ()

        member _.LearnFromCritics critics =
            if learns then
                engine.Copy(critics.InputGradient, criticTrunk.OutputGradient 0)
                criticTrunk.Backward()
                engine.Copy(criticTrunk.InputGradient, encoder.OutputGradient 0)
                encoder.Backward()

        member _.EncodeForActor() =
            if learns then
                encodeForActor ()

        member _.LearnFromActor actor =
            if learns then
                engine.Copy(actor.InputGradient, actorTrunk.OutputGradient 0)
                actorTrunk.Backward()

        member _.Dispose() =
            for pass in passes do
                pass.Dispose()

            for matrix in
                [
                    criticState
                    observationAction
                    action
                    reward
                    notDone
                    nextCriticState
                    nextObservationAction
                    nextAction
                ] do
                matrix.Dispose()

            batch.Dispose()
            images.Dispose()
            nextImages.Dispose()
