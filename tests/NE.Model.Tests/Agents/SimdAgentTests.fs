module NE.Model.Tests.Agents.SimdAgentTests

open System
open System.Threading
open Expecto
open NE.Benchmarks
open NE.Model
open NE.Model.Agents
open NE.Model.Networks
open NE.Model.Networks.Torch
open NE.Model.Networks.Simd
open NE.Model.Tests.Agents.AgentFixture

let private createOn (engine: IEngine) settings =
    Learners.createOn engine settings (AgentTask.Of(shape, MaxAction))

/// The state after 130 gradient steps, among them six topology events of either network, and a restored state.
let private digestOf (settings: Settings) (width: VectorWidth) (threads: int) =
    use agent = createOn (SimdEngine.CreateAt(width, threads)) settings
    step agent 90
    agent.Restore(agent.Save())
    step agent 40
    digest agent

[<Tests>]
let tests =
    testList "Agent on the simd engine" [
        test "the number of threads and the width of the vectors do not change one bit" {
            for settings in [ small; shaped td3 ] do
                let expected = digestOf settings (VectorWidth.best ()) 1

                for width, threads in
                    [
                        VectorWidth.Bits512, 2
                        VectorWidth.Bits512, 3
                        VectorWidth.Bits512, 7
                        VectorWidth.Bits256, 1
                        VectorWidth.Bits256, 2
                        VectorWidth.Bits128, 1
                    ] do
                    Expect.equal (digestOf settings width threads) expected $"{int width} bits, {threads} threads"
        }

        test "another engine takes other bits, and nearly the same steps" {
            let weights (engine: IEngine) =
                use agent = createOn engine td3
                step agent 30
                agent.Networks.Critics.ReadOnline Field.Weights

            let simd, torch =
                weights (SimdEngine.Create 1), weights (TorchEngine.Create("cpu", 1))

            Expect.notEqual simd torch "so a run must keep its engine"
            Expect.isLessThan (NE.Model.Tests.Networks.EngineFixture.largestDifference simd torch) 1e-4 "the same algorithm"
        }

        for name, settings in [ "ReLU", td3; "LayerNorm and CReLU", shaped td3 ] do
            test $"{name}: no thread allocates managed memory in an update once warm" {
                let engine = SimdEngine.Create 2
                use agent = createOn engine settings
                let allocated = Array.zeroCreate<int64> 2
                let arrived = ref 0

                // Neither part ends before both have begun: each thread does one.
                let read = {
                    new ILaneJob with
                        member _.First(lane, _) = lane

                        member _.Do part =
                            allocated[part] <- GC.GetAllocatedBytesForCurrentThread()
                            Interlocked.Increment &arrived.contents |> ignore

                            while Volatile.Read &arrived.contents < 2 do
                                Thread.SpinWait 4
                }

                let total () =
                    arrived.Value <- 0
                    engine.Lanes.Run read
                    Array.sum allocated

                let bytes () =
                    let before = total ()
                    step agent 100
                    total () - before

                // Warm means that the compiler has put its optimised code in place, which it does when it likes.
                let mutable tries = 1

                while bytes () > 0L && tries < 3000 do
                    tries <- tries + 1

                Expect.isLessThan tries 3000 "a hundred updates without an allocation"
            }

        test "a state that was not finite leaves no trace once a good one is restored" {
            use agent = createOn (SimdEngine.Create 1) small
            step agent 10
            let good = agent.Save()
            step agent 5
            let expected = digest agent
            let poison = Array.create agent.Networks.Critics.Layout.Length Single.NaN

            for field in [ Field.Weights; Field.FirstMoments; Field.SecondMoments ] do
                agent.Networks.Critics.WriteOnline(field, poison)

            agent.Networks.Critics.WriteTarget poison

            Expect.throwsT<NonFiniteException> (fun () -> step agent 1) "the poison works"
            agent.Restore good
            step agent 5
            Expect.equal (digest agent) expected "as if nothing had been"
        }
    ]
