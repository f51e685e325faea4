/// Small agents and replay buffers for the tests of agents.
module NE.Model.Tests.Agents.AgentFixture

open System
open NE.Benchmarks
open NE.Model
open NE.Model.Agents
open NE.Model.Agents.Td3
open NE.Model.Networks
open NE.Model.Replay
open NE.Model.Topology

let shape: TransitionShape = { ObservationSize = 7; ActionSize = 3 }

[<Literal>]
let MaxAction = 0.8f

/// Shared by all tests: reading is all that an agent does to it.
let replay = lazy (new RandomReplay(shape, 3000, MaxAction, 11L))

/// A resolved configuration of a small NE run: an event every 20 gradient steps up to 400, review from step 40 on.
let small: Settings =
    fst (
        Settings.resolve {
            Settings.defaults with
                Run.Seed = 5L
                Network.Hidden = Is [ 24; 16 ]
                Learner.BatchSize = 32
                Ne.GrowInterval = Is 20L
                Ne.EndStep = Is 400L
                Ne.PruneBatch = Is 512
                Ne.ReviewWindow = Is 40L
                Ne.ReviewFirstStep = Is 40L
        }
    )

/// The same settings on either engine, and on CUDA where there is a device.
let onEachEngine (settings: Settings) =
    [
        "Torch", EngineKind.Torch, "cpu"
        "Simd", EngineKind.Simd, "cpu"
        if Engines.hasCuda () then
            "CUDA", EngineKind.Torch, "cuda"
    ]
    |> List.map (fun (name, engine, device) ->
        name,
        {
            settings with
                Compute.Engine = Is engine
                Compute.Device = device
        })

/// A measurement as text, in which NaN equals NaN.
let shown (measurement: Measurement) =
    let metrics =
        measurement.Metrics
        |> Array.map (fun struct (name, value) -> $"{name} {System.BitConverter.DoubleToInt64Bits value}")

    metrics, $"%A{measurement.Layers}"

let td3 = { small with Run.Method = Method.Td3 }

let sac = {
    td3 with
        Run.Learner = LearnerKind.Sac
}

/// With a LayerNorm and CReLU in every hidden layer.
let shaped (settings: Settings) = {
    settings with
        Network.LayerNorm = LayerNorm.All
        Network.Activation = Activation.Crelu
}

let create (settings: Settings) =
    Learners.create settings (AgentTask.Of(shape, MaxAction))

/// Working memory of TD3 for so many rows of numbers.
let td3Workspace (networks: ActorCriticNetworks) rows =
    new Td3Workspace(networks, new VectorInputs(networks.Engine, rows, networks.Task.Shape))

/// Observations that are read as they are.
let numbers (engine: IEngine) (settings: Settings) : IPerception =
    new VectorPerception(engine, shape, settings.Learner.Discount)

let step (agent: ILearner) count =
    for _ in 1..count do
        agent.Update(replay.Value, replay.Value.Window)

/// Every stored byte of an agent.
let digest (agent: ILearner) =
    agent.Save().Components
    |> Array.map (fun struct (name, bytes) -> name, Convert.ToHexString(Security.Cryptography.SHA256.HashData bytes))

let groups (agent: ILearner) =
    agent.Algorithm.Trainee.Groups |> List.map _.Networks

/// Silences neurons of a hidden layer: no weight to it has a value, and its bias is negative.
let kill (group: NetworkGroup) stack layer (neurons: int seq) =
    let slot = group.Layout.Slot(stack, layer)
    let weights = group.ReadOnline Field.Weights

    for neuron in neurons do
        Array.fill weights (slot.Weights + neuron * slot.Inputs) slot.Inputs 0.0f
        weights[slot.Biases + neuron] <- -0.01f

    group.WriteOnline(Field.Weights, weights)

/// Active weights of a group, all layers.
let activeCount (group: NetworkGroup) =
    group.Masks |> Seq.concat |> Seq.sumBy _.ActiveCount

/// Whether the mask has a weight of a slot.
let isActive (group: NetworkGroup) (slot: LayerSlot) index =
    let masks = group.Masks[slot.Stack]
    let mask: LayerMask = masks[slot.Layer]
    mask[index]
