module NE.Actors.Tests.Evaluation.FallTests

open System
open Expecto
open NE.Actors.Environments
open NE.Actors.Environments.Catalogue
open NE.Actors.Evaluation
open NE.Model
open NE.Model.Networks

/// Turns the robot by an angle about its pitch axis, at some height.
let private turn (environment: MuJoCoEnvironment) (angle: float) =
    let simulator = environment.Simulator
    let positions = simulator.QPos0.ToArray()
    positions[1] <- 0.5
    positions[2] <- angle
    simulator.SetState(ReadOnlySpan positions, ReadOnlySpan(Array.zeroCreate<float> simulator.NV))
    simulator.Forward()

let private make (id: string) =
    EnvironmentFactory.Create id :?> MuJoCoEnvironment

let private zeroPolicy (spec: EnvironmentSpec) =
    let layout = BlockLayout.Create(1, [ spec.ObservationSize; 4; spec.ActionSize ])
    Policy.OfBlock(layout, ReadOnlySpan(Array.zeroCreate<float32> layout.Length), spec.ActionHigh[0], 0L)

[<Tests>]
let tests =
    testList "Falls" [
        for id in [ "HalfCheetah-v4"; "dmc/cheetah-run"; "dmc/walker-walk"; "dmc/hopper-hop" ] do
            test $"{id} is upside down beyond a right angle" {
                use environment = make id
                let observation = Array.zeroCreate<float32> environment.Spec.ObservationSize
                (environment :> IEnvironment).Reset(Draws.At(0L, Purpose.Reset, 0L, 0L, 0L), observation)

                for angle, expected in [ 0.0, false; 1.5, false; 1.7, true; Math.PI, true; -1.7, true; 4.8, false ] do
                    turn environment angle
                    Expect.equal environment.IsInverted (Nullable expected) $"{angle} rad"
            }

        for id in [ "dmc/humanoid-walk"; "dmc/quadruped-run" ] do
            test $"{id} is upside down beyond a right angle to the side, seen through rescaled actions too" {
                use environment = EnvironmentFactory.Create id

                let simulator =
                    match environment with
                    | :? RescaledEnvironment as rescaled -> (rescaled.Inner :?> MuJoCoEnvironment).Simulator
                    | own -> (own :?> MuJoCoEnvironment).Simulator

                for angle, expected in [ 0.0, false; 1.5, false; 1.7, true; Math.PI, true; -1.7, true ] do
                    let positions = simulator.QPos0.ToArray()
                    positions[3] <- cos (angle / 2.0)
                    positions[4] <- sin (angle / 2.0)
                    simulator.SetState(ReadOnlySpan positions, ReadOnlySpan(Array.zeroCreate<float> simulator.NV))
                    simulator.Forward()
                    Expect.equal environment.IsInverted (Nullable expected) $"{angle} rad"
            }

        test "a task whose episodes end with a fall says nothing" {
            use environment = make "Hopper-v4"
            Expect.isFalse environment.IsInverted.HasValue "Hopper"
            let results = EpisodeRunner.Run(environment, zeroPolicy environment.Spec, 0L, 1)
            Expect.isEmpty results.Inverted "no column"
        }

        test "an episode counts the steps on its back up to its end" {
            use environment = make "HalfCheetah-v4"
            let seen = ResizeArray<bool>()

            // The first episode is thrown on its back at its start, the second in the middle and back again.
            let watch (moment: EpisodeMoment) =
                if moment.Step = 0 then
                    seen.Clear()
                else
                    seen.Add(environment.IsInverted.GetValueOrDefault())

                match moment.Episode, moment.Step with
                | 0, 0 -> turn environment Math.PI
                | 1, 400 -> turn environment Math.PI
                | 1, 500 -> turn environment 0.0
                | _ -> ()

                if moment.IsLast then
                    let trailing = seen |> Seq.rev |> Seq.takeWhile id |> Seq.length
                    Expect.hasLength seen 1000 "steps"

                    if moment.Episode = 0 then
                        Expect.isGreaterThan trailing 500 "a cheetah that does nothing stays on its back"
                    else
                        Expect.isTrue (Seq.contains true seen) "it was on its back"
                        Expect.equal trailing 0 "and is not at the end"

            let results =
                EpisodeRunner.Run(environment, zeroPolicy environment.Spec, 0L, 2, Action<EpisodeMoment> watch)

            Expect.isGreaterThan results.Inverted[0] 500 "first"
            Expect.equal results.Inverted[1] 0 "second"
        }
    ]
