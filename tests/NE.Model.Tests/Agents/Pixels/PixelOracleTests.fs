/// The learners from pictures beside their equations.
module NE.Model.Tests.Agents.Pixels.PixelOracleTests

open System
open Expecto
open NE.Benchmarks
open NE.Model
open NE.Model.Agents
open NE.Model.Agents.DrqV2
open NE.Model.Agents.Sac
open NE.Model.Networks
open NE.Model.Replay
open NE.Model.Tests.Agents.AgentFixture
open NE.Model.Tests.Agents.PixelFixture
open NE.Model.Tests.Agents.Pixels.EagerDrq
open NE.Model.Tests.Networks

/// Actions that are not within [-1, 1], so that a missing factor shows.
let private task = { task with MaxAction = 0.8f }

/// Gradient steps that are compared.
let private updates = 8L

/// No two rates are the same, and targets follow quickly, so that one in the wrong place shows. DrQ-v2's noise falls from mostly cut to
/// seldom cut, and its schedule ends within the updates. Adam's epsilon is as large as small gradients are: with a tiny one an entry whose
/// whole gradient is rounding moves by the learning rate all the same.
let private telling (settings: Settings) = {
    settings with
        Learner.ActorLearningRate = Is 2e-4
        Learner.CriticLearningRate = Is 1e-4
        Learner.AdamEpsilon = 1e-4
        Learner.Discount = 0.9
        Learner.Polyak = Is 0.05
        Learner.StartSteps = Is 0L
        Sac.Temperature = Is 0.3
        Sac.TemperatureLearningRate = Is 1e-2
        DrqV2.FirstNoise = 0.8
        DrqV2.LastNoise = 0.2
        DrqV2.NoiseSteps = 6L
}

/// Rows of an episode of the fixture's memory: the frame of its reset, and one for each of its steps.
let private episodeRows = 31L

/// Draws the rows of a batch. The first one ends an episode, and the task with it. The second one is the first row of an episode that
/// ends a transition: what was seen before it is the frame of the reset alone.
let private choose (settings: Settings) (batch: Batch) (t: int64) =
    let window = noise.Value.Window
    batch.Draw(Whole, noise.Value, window, Draws.Of(t, Purpose.Batch))
    let first = episodeRows * (t % (window.Head / episodeRows))
    batch.RowNumbers[0] <- first + episodeRows - 1L
    batch.RowNumbers[1] <- first + int64 settings.Pixels.ReturnSteps

/// Half of what the actor of drq puts out for its first log sigma is beyond the upper bound.
let private raiseLogSigma (actor: NetworkGroup) =
    let output = actor.Layout.Slot(0, actor.Layout.Layers - 1)
    let weights = actor.ReadOnline Field.Weights
    weights[output.Biases + 1] <- 2.0f
    actor.WriteOnline(Field.Weights, weights)

/// The largest difference, as a share of the largest value.
let private share (found: float32[]) (expected: float[]) =
    let largest = expected |> Array.map abs |> Array.max

    let difference =
        Seq.zip found expected |> Seq.map (fun (a, b) -> abs (float a - b)) |> Seq.max

    difference / largest

/// The same of the layer in which it is largest.
let private worst (group: NetworkGroup) (found: float32[]) (expected: float[]) =
    EagerNetwork.worst group.Layout found (Array.map float32 expected)

/// alpha; 0 of a learner without.
let private temperature (trainee: Trainee) =
    (trainee.Report()).Later
    |> Array.tryPick (fun struct (name, value) -> if name = "temperature" then Some value else None)
    |> Option.defaultValue 0.0

/// L_pi of the last update, with the alpha of before it.
let private actorLoss (work: ActorCriticWorkspace) (alpha: float) =
    match work with
    | :? SacWorkspace as work -> alpha * work.Actions.MeanLogProbability - work.LeastOfActor.Mean
    | :? DrqV2Workspace as work -> -work.LeastOfActor.Mean
    | other -> failtestf "%s has no actor's loss." (other.GetType().Name)

let private follow (settings: Settings) =
    LibTorch.ensureLoaded ()
    use agent = Learners.create settings task
    let algorithm = agent.Algorithm
    let trainee = algorithm.Trainee
    let groups = (trainee.Groups |> List.map _.Networks) @ algorithm.Bodies
    Expect.equal [ for group in groups -> group.Name ] [ "actor"; "critic"; "encoder"; "actor trunk"; "critic trunk" ] "groups"

    if settings.Run.Learner.HasTemperature then
        raiseLogSigma groups.Head

    let eager =
        EagerDrq(groups, settings, task, logSigma settings.Sac.LogDeviation.Value)

    let optimiser = Optimiser(trainee.Engine, [], [])
    let work = algorithm.Batch false :?> ActorCriticWorkspace

    let shifts, normals =
        Draws.Of(settings.Run.Seed, Purpose.ImageShift), Draws.Of(settings.Run.Seed, Purpose.PolicyDraws)

    for t in 1L .. updates do
        choose settings work t
        work.Gather noise.Value

        let transitions =
            work.RowNumbers |> Array.map (transition settings task.ActionSize noise.Value)

        Expect.equal transitions[0].Bootstrap 0.0 "the task ended"
        let alpha = temperature trainee
        let expected = eager.Update(transitions, t, shifts, normals)
        algorithm.Update(t, optimiser)

        let targets = Array.zeroCreate<float32> work.Inputs.Rows
        work.Target.Read(Span targets)
        Expect.isLessThan (share targets expected.Targets) 1e-5 $"y of update {t}"
        let accuracy = { absolute = 1e-5; relative = 1e-5 }
        Expect.floatClose accuracy work.Loss.Value expected.CriticLoss $"L_Q of update {t}"
        Expect.floatClose accuracy (actorLoss work alpha) expected.ActorLoss $"L_pi of update {t}"

        // Adam takes little notice of a gradient's scale, so gradients are compared themselves. Where nearly all of a sum cancels, as in a
        // LayerNorm over few features, single precision comes to 1e-5.
        if t = 1L then
            for group, expected in List.zip groups eager.Groups do
                Expect.isLessThan (worst group (group.ReadOnline Field.Gradients) expected.Gradient) 3e-5 $"gradient of the {group.Name}"

    for group, expected in List.zip groups eager.Groups do
        Expect.isLessThan (worst group (group.ReadOnline Field.Weights) expected.Online) 1e-5 group.Name
        Expect.isLessThan (worst group (group.ReadTarget()) expected.Target) 1e-5 $"target of the {group.Name}"

    Expect.floatClose { absolute = 0.0; relative = 1e-5 } (temperature trainee) eager.Temperature "temperature"

[<Tests>]
let tests =
    testList "the equations of learners from pictures" [
        // Rounding alone stays far below these bounds. But an input of a ReLU may be so near to 0 that single precision decides otherwise, and with
        // twenty updates one in fifty seeds met one, whence so few: then all is right up to some update, and another seed is needed.
        for name, settings in
            [
                "drqv2", drqV2
                "drq",
                {
                    drq with
                        Sac.LogDeviation = Is LogDeviation.Tanh
                }
                "drq with log sigma cut",
                {
                    drq with
                        Sac.LogDeviation = Is LogDeviation.Clamped
                }
            ] do
            for engineName, settings in onEachEngine (telling settings) do
                test $"{name}, on {engineName}: {updates} updates give their losses, targets and parameters" { follow settings }
    ]
