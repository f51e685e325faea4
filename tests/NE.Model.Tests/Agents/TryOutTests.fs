/// Trying out a learner in small says what making it would say.
module NE.Model.Tests.Agents.TryOutTests

open System
open Expecto
open NE.Model
open NE.Model.Agents
open NE.Model.Tests.Agents.AgentFixture
open NE.Model.Topology

let private task = AgentTask.Of(shape, MaxAction)

/// What is refused, as said; none where all is well.
let private problem (body: unit -> unit) =
    try
        body ()
        None
    with :? ArgumentException as refused ->
        Some refused.Message

let private expectAlike (settings: Settings) (what: string) =
    let made = problem (fun () -> (Learners.create settings task).Dispose())
    Expect.equal (problem (fun () -> Learners.tryOut settings task)) made what
    made

let private growing networks ends density = {
    small with
        Network.Hidden = Is [ 64; 48 ]
        Ne.Networks = networks
        Ne.DenseEnds = ends
        Ne.StartDensity = Is density
}

[<Tests>]
let tests =
    testList "A learner that is tried out" [
        test "is refused for densities that its layers cannot have, and for no others" {
            let outcomes = [
                for networks in [ Both; ActorOnly; CriticOnly ] do
                    for ends in [ DenseEnds.Auto; DenseEnds.Forced; DenseEnds.Off ] do
                        for density in [ 0.001; 0.02; 0.2; 0.5; 1.0 ] do
                            expectAlike (growing networks ends density) $"{networks}, {ends}, {density}"
            ]

            let refused = List.choose id outcomes

            for name in [ "The actor cannot start"; "The critic cannot start" ] do
                Expect.exists refused _.StartsWith(name) name

            Expect.exists outcomes _.IsNone "others can be had"
        }

        test "is refused where its networks are too large" {
            for settings in
                [
                    {
                        td3 with
                            Network.Hidden = Is [ 60_000; 60_000 ]
                    }
                    {
                        sac with
                            Network.CriticHidden = Is [ 60_000; 60_000 ]
                    }
                ] do
                Expect.isSome (expectAlike settings "too large") "refused"
        }

        test "may be any that can be made" {
            for settings in
                [
                    small
                    td3
                    shaped sac
                    shaped small
                    { td3 with Network.Scale = 2 }
                    {
                        td3 with
                            Normalise.Observations = true
                            Normalise.Rewards = true
                    }
                ] do
                Expect.isNone (expectAlike settings "made") "neither refuses"
        }
    ]
