module NE.Model.Tests.Agents.TorchLifetimeTests

open System
open System.Threading
open Expecto
open NE.Benchmarks
open NE.Model
open NE.Model.Agents
open NE.Model.Networks
open NE.Model.Networks.Torch
open NE.Model.Tests.Agents.AgentFixture

/// Works while another thread collects garbage and runs finalizers without a pause.
let private amidCollections (work: unit -> 'T) : 'T =
    use ended = new ManualResetEventSlim()

    let collector =
        Thread(fun () ->
            while not ended.IsSet do
                GC.Collect 0
                GC.WaitForPendingFinalizers())

    collector.Start()

    try
        work ()
    finally
        ended.Set()
        collector.Join()

[<Tests>]
let tests =
    // Alone: TorchSharp's own optimizer, the oracle of other tests, would not bear it.
    testSequenced
    <| testList "Lifetimes in torch" [
        test "a garbage collection in the middle of an operation changes no bit" {
            let digestAfter steps =
                use agent =
                    Learners.createOn
                        (TorchEngine.CreateWithTorchOperations())
                        {
                            small with
                                Network.LayerNorm = LayerNorm.All
                        }
                        (AgentTask.Of(shape, MaxAction))

                step agent steps
                digest agent

            let steps = 400
            let expected = digestAfter steps
            Expect.equal (amidCollections (fun () -> digestAfter steps)) expected "every stored byte"
        }
    ]
