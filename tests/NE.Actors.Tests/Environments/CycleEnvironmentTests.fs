module NE.Actors.Tests.Environments.CycleEnvironmentTests

open System
open Expecto
open NE.Actors.Environments
open NE.Actors.Environments.Catalogue
open NE.Model
open NE.Model.Networks
open NE.Model.Replay

let private cycle =
    lazy
        (match EnvironmentCycle.Of "cycle:Hopper-v4,InvertedPendulum-v4,Walker2d-v4" with
         | null -> failwith "no cycle"
         | cycle -> cycle)

let private padded (id: string) =
    cycle.Value.Padded(EnvironmentFactory.Create id)

let private start (environment: IEnvironment) =
    let observation = Array.create environment.Spec.ObservationSize nanf
    environment.Reset(Draws.At(3L, Purpose.Reset, 0L, 0L, 0L), Span observation)
    observation

[<Tests>]
let tests =
    testList "The environments of a cycle" [
        testCase "have the widths of the widest, and the bounds of each"
        <| fun _ ->
            let cycle = cycle.Value
            Expect.equal (cycle.ObservationSize, cycle.ActionSize) (17, 6) "Walker2d's"
            Expect.equal [ for task in cycle.Tasks -> task.ObservationSize, task.ActionSize ] [ 11, 3; 4, 1; 17, 6 ] "their own"
            Expect.equal cycle.AgentTasks.ActionSizes [| 3; 1; 6 |] "actions"
            Expect.equal cycle.AgentTasks.MaxActions [| 1.0f; 3.0f; 1.0f |] "largest actions"
            let spec = cycle.Spec 1
            Expect.equal (spec.Id, spec.ObservationSize, spec.ActionSize) ("InvertedPendulum-v4", 17, 6) "padded"
            Expect.equal spec.ActionHigh [| 3.0f; 0.0f; 0.0f; 0.0f; 0.0f; 0.0f |] "upper bounds"
            Expect.equal spec.ActionLow [| -3.0f; 0.0f; 0.0f; 0.0f; 0.0f; 0.0f |] "lower bounds"

            let whole =
                EnvironmentFactory.Describe "cycle:Hopper-v4,InvertedPendulum-v4,Walker2d-v4"

            Expect.equal (whole.Id, whole.ObservationSize) ("cycle:Hopper-v4,InvertedPendulum-v4,Walker2d-v4", 17) "as a whole"

        testCase "simulate what the task alone does, with zeros behind its observation"
        <| fun _ ->
            use alone = EnvironmentFactory.Create "Hopper-v4"
            use inCycle = padded "Hopper-v4"
            let first = start inCycle
            Expect.equal first[..10] (start alone) "the start"
            Expect.equal first[11..] (Array.zeroCreate 6) "zeros"
            let action = [| 0.3f; -0.8f; 0.1f |]
            let own, wide = Array.zeroCreate<float32> 11, Array.create 17 nanf
            let expected = alone.Step(ReadOnlySpan action, Span own)
            // What the task does not have does not reach it.
            let found =
                inCycle.Step(ReadOnlySpan(Array.append action [| 0.5f; 0.5f; 0.5f |]), Span wide)

            Expect.equal found expected "the outcome"
            Expect.equal wide[..10] own "the observation"
            Expect.equal wide[11..] (Array.zeroCreate 6) "zeros"
            use again = padded "Hopper-v4"
            let restored = Array.create 17 nanf
            again.RestoreState(ReadOnlySpan(inCycle.SaveState()), Span restored)
            Expect.equal restored wide "restored"

            Expect.throwsT<ArgumentException> (fun () -> inCycle.Step(ReadOnlySpan action, Span wide) |> ignore) "a narrow action"

        testCase "are acted in with zeros for the actions that they do not have, random or not"
        <| fun _ ->
            let settings =
                match Settings.apply [ struct ("run.steps", "1000") ] Settings.defaults with
                | Ok settings -> fst (Settings.resolve settings)
                | Error errors -> failwithf "%A" errors

            use environment = padded "InvertedPendulum-v4"
            let layout = BlockLayout.Create(1, [ 17; 8; 6 ])
            let weights = layout.Initialise(Draws.Of(1L, Purpose.Initialisation))

            let policy =
                Policy.OfBlock(layout, ReadOnlySpan weights, 3.0f, 0L).Exploring(Exploration.Gaussian 0.5f)

            let rows = TransitionRows.create (ObservationForm.Vector 17) 6

            for randomUntil in [ 50L; 0L ] do
                let worker = EnvironmentWorker(environment, settings, 0, randomUntil)
                worker.Begin 0L
                let block = TransitionBlock(0, rows, 50)
                worker.Step(StepRound(0L, 1, 50, policy, block))

                for i in 0..49 do
                    let row = block.Row(i).ToArray()
                    Expect.notEqual row[17] 0.0f "its own action"
                    Expect.equal row[18..22] (Array.zeroCreate 5) "the others"

        testCase "begin on another task with an episode that nothing was drawn for"
        <| fun _ ->
            let settings = fst (Settings.resolve Settings.defaults)
            use environment = padded "Hopper-v4"
            let worker = EnvironmentWorker(environment, settings, 0, 1000L)
            worker.Begin 4L
            Expect.equal (EnvironmentWorker.NextEpisode(ReadOnlySpan(worker.Save()))) 4L "no step was taken in it"

            let block =
                TransitionBlock(0, TransitionRows.create (ObservationForm.Vector 17) 6, 1)

            let layout = BlockLayout.Create(1, [ 17; 8; 6 ])

            let policy =
                Policy.OfBlock(layout, ReadOnlySpan(Array.zeroCreate<float32> layout.Length), 1.0f, 0L)

            worker.Step(StepRound(0L, 1, 1, policy, block))
            Expect.equal (EnvironmentWorker.NextEpisode(ReadOnlySpan(worker.Save()))) 5L "one was"

        testCase "are several, so none is made of the cycle itself"
        <| fun _ ->
            Expect.throwsT<EnvironmentUnusableException>
                (fun () -> EnvironmentFactory.Create("cycle:Hopper-v4,Ant-v4").Dispose())
                "which of them?"

            Expect.isNull (EnvironmentCycle.Of "Hopper-v4") "a single task"
    ]
