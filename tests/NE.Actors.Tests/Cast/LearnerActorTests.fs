/// The learner's actor with a learner that learns nothing: it knows what ILearner says, and no algorithm.
module NE.Actors.Tests.Cast.LearnerActorTests

open System
open System.Threading
open Akka.Actor
open Expecto
open NE.Actors.Cast
open NE.Model
open NE.Model.Agents
open NE.Model.History
open NE.Model.Networks
open NE.Model.Replay
open NE.Model.Runs
open NE.Tests.ActorKit

let private window: Window = { First = 0L; Head = 100L }

let private noRows = {
    new ITransitionSource with
        member _.Gather(_, _, _) = ()
        member _.Row _ = ReadOnlySpan<float32>()
}

/// Counts its steps, has a topology event at every seventh, and diverges at a step of the test's choice.
type private Counting(divergesAt: int64) =
    let layout = BlockLayout.Create(1, [ 2; 1 ])

    let policy =
        Policy.OfBlock(layout, ReadOnlySpan(Array.zeroCreate<float32> layout.Length), 1.0f, 0L)

    let mutable step = 0L
    let mutable changes: TopologyChanged list = []
    member val Disposed = new ManualResetEventSlim()
    member val NonFinite: string | null = null with get, set

    interface ILearner with
        member _.GradientStep = step

        member _.Update(_, rows) =
            if rows <> window then
                failwith "another window"

            step <- step + 1L

            if step = divergesAt then
                raise (NonFiniteException("The critics' loss", step))

            if step % 7L = 0L then
                changes <- [
                    {
                        Step = step
                        Network = "critic"
                        Layers = [||]
                        OutputShift = 0.0
                    }
                ]

        member _.Policy() = policy
        member _.Adopt _ = ()
        member _.SwitchTask _ = ()

        member _.TakeTopologyChanges() =
            let taken = Array.ofList changes
            changes <- []
            taken

        member _.Masks() = [||]

        member _.Measure(_, _, probe) = {
            Metrics = [|
                struct ("step", float step)
                struct ("probe", (if probe then 1.0 else 0.0))
            |]
            Layers = [||]
        }

        member _.Probe(_, _) = [||]
        member _.Gradients _ = [||]
        member this.FindNonFinite() = this.NonFinite

        member _.Save() =
            AgentState [ struct ("counters", BitConverter.GetBytes step) ]

        member _.Restore _ = ()
        member this.Dispose() = this.Disposed.Set()

let private usual = (fst (Settings.resolve Settings.defaults)).Learner

let private rates = {
    usual with
        ActorLearningRate = Is 2e-3
        CriticLearningRate = Is 1e-4
}

let private actorOf (kit: ActorKit) (learner: Counting) =
    kit.Sys.ActorOf(Props.Create<LearnerActor>(kit.TestActor, (learner :> ILearner), noRows, "run", rates, Diagnostics.ActivityContext()))

/// So many gradient steps; measured and probed before them or not.
let private learn updates measure probe =
    Learn {
        Window = window
        Updates = updates
        Measure = measure
        Probe = probe
    }

let private patience = Nullable(TimeSpan.FromSeconds 20.0)

[<Tests>]
let tests =
    testList "the learner's actor" [
        testCase "takes the steps that it is asked for, measured before the first, and answers with policy and events in order"
        <| fun () ->
            use kit = new ActorKit("")
            let learner = new Counting 0L
            let actor = actorOf kit learner
            actor.Tell(learn 5L false false, kit.TestActor)
            let first = kit.ExpectMsg<Learned> patience
            Expect.equal (first.GradientSteps, first.Changes.Length) (5L, 0) "five steps"
            Expect.isNull first.Metrics "not asked for"
            actor.Tell(learn 25L true true, kit.TestActor)
            let second = kit.ExpectMsg<Learned> patience
            Expect.equal second.GradientSteps 30L "all steps"
            Expect.equal (second.Changes |> Array.map _.Step) [| 7L; 14L; 21L; 28L |] "events"
            Expect.isTrue (obj.ReferenceEquals(second.Policy, (learner :> ILearner).Policy())) "its policy"

            match second.Metrics with
            | null -> failtest "no measurement"
            | metrics -> Expect.equal metrics.Metrics [| struct ("step", 5.0); struct ("probe", 1.0) |] "before the first step"

        testCase "captures the state and the policy's bytes, unless something is not finite"
        <| fun () ->
            use kit = new ActorKit("")
            let learner = new Counting 0L
            let actor = actorOf kit learner
            actor.Tell(CaptureLearner(), kit.TestActor)
            let captured = kit.ExpectMsg<LearnerCaptured> patience
            Expect.equal (captured.State.Find "counters") (BitConverter.GetBytes 0L) "state"
            Expect.equal captured.Policy ((learner :> ILearner).Policy().ToBytes()) "policy"
            learner.NonFinite <- "critic 2, layer 1 weights"
            actor.Tell(CaptureLearner(), kit.TestActor)
            let failed = kit.ExpectMsg<LearnerFailed> patience
            Expect.stringContains failed.Reason "critic 2, layer 1 weights is not a finite number at gradient step 0" "named"
            Expect.stringEnds failed.Reason "the present rate, 1e-5: ne resume run learner.criticLearningRate=1e-5" "what to do"
            learner.NonFinite <- "actor target, layer 3 biases"
            actor.Tell(CaptureLearner(), kit.TestActor)
            let other = kit.ExpectMsg<LearnerFailed> patience
            Expect.stringEnds other.Reason "2e-4: ne resume run learner.actorLearningRate=2e-4" "the rate of that network"

        testCase "a loss that is no number ends the run with its message, and the learner is disposed with the actor"
        <| fun () ->
            use kit = new ActorKit("")
            let learner = new Counting 3L
            let actor = actorOf kit learner
            actor.Tell(learn 8L false false, kit.TestActor)
            let failed = kit.ExpectMsg<LearnerFailed> patience
            Expect.stringContains failed.Reason "The critics' loss is not a finite number at gradient step 3" "its message"
            Expect.stringEnds failed.Reason "ne resume run learner.criticLearningRate=1e-5" "what to do, as at a barrier"
            kit.Sys.Stop actor
            Expect.isTrue (learner.Disposed.Wait(TimeSpan.FromSeconds 20.0)) "disposed"
    ]
