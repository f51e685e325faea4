module NE.Model.Tests.Agents.ActorImportTests

open System
open System.Collections.Generic
open Expecto
open NE.Benchmarks
open NE.Model
open NE.Model.Agents
open NE.Model.Networks
open NE.Model.Tests.Agents.AgentFixture
open NE.Model.Tests.Agents.PixelFixture

let private seeded seed (settings: Settings) = { settings with Run.Seed = seed }

let private tensors (policy: Policy) : Dictionary<string, GivenTensor> =
    Dictionary(
        dict [
            for network in (policy.Portable()).Networks do
                for tensor in network.Tensors ->
                    tensor.Name,
                    {
                        Shape = Array.ofList tensor.Shape
                        Values = network.Read tensor
                    }
        ]
    )

/// Weights of every network, online and target.
let private weights (learner: ILearner) = [
    for group in groups learner @ learner.Algorithm.Bodies -> group.Name, group.ReadOnline Field.Weights, group.ReadTarget()
]

/// The bytes of a policy without its version.
let private bits (policy: Policy) = [
    for network in (policy.Portable()).Networks -> network.Name, Array.map BitConverter.SingleToInt32Bits network.Values
]

let private refuses (learner: ILearner) (given: Dictionary<string, GivenTensor>) (fragments: string list) =
    let before = digest learner

    let message =
        try
            learner.Adopt given
            failtest "it was taken"
        with :? ArgumentException as problem ->
            problem.Message

    for fragment in fragments do
        Expect.stringContains message fragment "why"

    Expect.equal (digest learner) before "nothing has changed"

let private pixels = [ "drq", drq; "drqv2", drqV2 ]

let private kinds = [
    for name, settings in
        [
            "td3", td3
            "sac", sac
            "td3 with LayerNorm and CReLU", shaped td3
            "sac with LayerNorm and CReLU", shaped sac
            "ne that grows its critics alone", { small with Ne.Networks = CriticOnly }

            "ne that begins dense",
            {
                small with
                    Ne.StartDensity = Is 1.0
                    Ne.FinalDensity = 1.0
            }
        ] do
        name, settings, create, (fun learner count -> step learner count)
    for name, settings in pixels do
        name, settings, createPixels, (fun learner count -> stepOn noise.Value learner count)
]

[<Tests>]
let tests =
    testList "An actor from elsewhere" [
        for name, settings, create, step in kinds do
            test $"{name}: acts as the one that it was, targets are equal, and nothing else has changed" {
                use teacher = create (seeded 9L settings)
                step teacher 12
                use learner = create settings
                let before = weights learner
                learner.Adopt(tensors (teacher.Policy()))
                Expect.equal (bits (learner.Policy())) (bits (teacher.Policy())) "the policy"
                let ofActor = [ "actor"; "encoder"; "actor trunk" ]

                for (name, online, target), (_, oldOnline, oldTarget) in List.zip (weights learner) before do
                    if List.contains name ofActor then
                        Expect.equal target online $"the target of the {name}"
                        Expect.notEqual online oldOnline name
                    else
                        Expect.equal (online, target) (oldOnline, oldTarget) name

                step learner 12
                use restored = create settings
                restored.Restore(learner.Save())
                step learner 8
                step restored 8
                Expect.equal (digest restored) (digest learner) "it is part of the stored state"
            }

        test "a sparse actor keeps the weights that its method drew, and says which ones begin dense" {
            use teacher = create (seeded 9L td3)
            use learner = create small
            refuses learner (tensors (teacher.Policy())) [ "begins with 25 % of its weights"; "ne.networks=critic"; "--method none" ]
        }

        test "other names, shapes and numbers are refused, each in words" {
            use teacher = create (seeded 9L td3)
            use learner = create td3
            let given () = tensors (teacher.Policy())

            let changed change =
                let tensors = given ()
                change tensors
                tensors

            refuses learner (changed (fun t -> t.Remove "actor.0.weight" |> ignore)) [ "It lacks actor.0.weight [24 x 7]" ]
            refuses learner (changed (fun t -> t["kept.0.weight"] <- t["actor.0.weight"])) [ "has no kept.0.weight [24 x 7]" ]

            refuses
                learner
                (changed (fun t ->
                    t["actor.2.weight"] <- {
                        t["actor.2.weight"] with
                            Shape = [| 24; 16 |]
                    }))
                [ "actor.2.weight is [24 x 16]; the actor of this run has [16 x 24]" ]

            refuses
                learner
                (changed (fun t ->
                    t["actor.4.bias"] <- {
                        Shape = [| 3 |]
                        Values = [| 0.0f; nanf; 1.0f |]
                    }))
                [ "Element 1 of actor.4.bias is NaN" ]

            use gaussian = create sac
            refuses gaussian (given ()) [ "It lacks log_deviation.weight [3 x 16], log_deviation.bias [3]" ]

            use clipped = create { td3 with Network.WeightClip = 1e-3 }

            refuses clipped (given ()) [ "network.weightClip" ]

            learner.Adopt(
                changed (fun t ->
                    t["action.scale"] <- {
                        Shape = [| 3 |]
                        Values = [| 1.0f; 1.0f; 1.0f |]
                    })
            )
        }

        test "a learner that has learned takes none" {
            use learner = create td3
            let given = tensors (learner.Policy())
            step learner 1
            Expect.throwsT<InvalidOperationException> (fun () -> learner.Adopt given) "a gradient step was taken"
        }

        test "nor does one of several tasks" {
            let tasks: AgentTasks = {
                Shape = shape
                ActionSizes = [| 3; 2 |]
                MaxActions = [| MaxAction; MaxAction |]
            }

            use learner = Learners.createInCycle td3 tasks 0
            use teacher = create (seeded 9L td3)
            refuses learner (tensors (teacher.Policy())) [ "heads for several tasks" ]
        }
    ]
