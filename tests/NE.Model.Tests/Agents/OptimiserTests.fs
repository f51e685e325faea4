module NE.Model.Tests.Agents.OptimiserTests

open System
open Expecto
open NE.Benchmarks
open NE.Model
open NE.Model.Agents
open NE.Model.Agents.Plasticity
open NE.Model.Networks
open NE.Model.Tests.Agents.AgentFixture

let private claimOf (groups: NetworkGroup list) (taken: ResizeArray<string>) = {
    new IGradientClaim with
        member _.Groups = groups

        member _.Claims(group, t) =
            taken.Add $"{group.Networks.Name} {t}"
            t = 2L
}

[<Tests>]
let tests =
    testList "Optimiser" [
        test "a group takes its Adam step unless its gradient is taken, and only the groups of a claim are asked for" {
            use learner = create td3
            let trainee = learner.Algorithm.Trainee
            let asked = ResizeArray()

            let optimiser =
                Optimiser(trainee.Engine, [], [ "a claim", claimOf [ trainee.Critics.Networks ] asked ])

            let moves (group: TraineeGroup) t =
                group.Networks.WriteOnline(Field.Gradients, Array.create group.Networks.Layout.Length 1.0f)
                let before = group.Networks.ReadOnline Field.Weights
                optimiser.Step(group, t)
                group.Networks.ReadOnline Field.Weights <> before

            Expect.isTrue (moves trainee.Critics 1L) "not taken"
            Expect.isFalse (moves trainee.Critics 2L) "taken"
            Expect.isTrue (moves trainee.Actor 2L) "another group"
            Expect.equal (List.ofSeq asked) [ "critic 1"; "critic 2" ] "asked"
        }

        test "two claims of one gradient are refused, by the names of their techniques" {
            use learner = create td3
            let trainee = learner.Algorithm.Trainee
            let actor, critics = trainee.Actor.Networks, trainee.Critics.Networks

            let optimiser first second =
                Optimiser(
                    trainee.Engine,
                    [],
                    [
                        "one", claimOf first (ResizeArray())
                        "other", claimOf second (ResizeArray())
                    ]
                )
                |> ignore

            optimiser [ actor ] [ critics ]
            optimiser [ actor; critics ] []

            let problem =
                try
                    optimiser [ critics ] [ actor; critics ]
                    ""
                with :? ArgumentException as refused ->
                    refused.Message

            Expect.stringContains problem "one and other both take the gradient of the critic" "both"
        }

        test "an agent of two techniques that take gradients is not made, unless they take those of different networks" {
            let settings = fst (Settings.resolve td3)

            let agent first second =
                let algorithm =
                    new CloningAlgorithm(Engines.create settings.Compute, settings, shape, MaxAction) :> IAlgorithm

                let expansion technique networks =
                    technique,
                    NeuroplasticExpansion(
                        algorithm.Trainee,
                        {
                            small.Ne with
                                Rules =
                                    Is {
                                        NeRules.ours with
                                            EventBatch = EventBatch.Training
                                    }
                                Networks = networks
                        },
                        1L
                    )
                    :> Intervention

                try
                    use _ =
                        new Agent(algorithm, None, None, [], [ expansion Technique.Ne first; expansion Technique.NaiveGrowth second ], 1L)
                        :> ILearner

                    None
                with :? ArgumentException as refused ->
                    algorithm.Dispose()
                    Some refused.Message

            Expect.isNone (agent ActorOnly CriticOnly) "different networks"
            let problem = agent Both CriticOnly |> Option.defaultValue ""
            Expect.stringContains problem "ne and naive-growth both take the gradient of the critic" "named"
        }
    ]
