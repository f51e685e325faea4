/// The evaluator's actor with environments that fail, or never end.
module NE.Actors.Tests.Cast.EvaluatorActorTests

open System
open System.Diagnostics
open System.Threading
open Akka.Actor
open Expecto
open NE.Actors.Cast
open NE.Actors.Environments
open NE.Model.Networks
open NE.Tests.ActorKit

/// Long enough that only a real hang reaches it.
let private patience = TimeSpan.FromMinutes 1.0

let private policy =
    let layout = BlockLayout.Create(1, [ 1; 1 ])
    Policy.OfBlock(layout, ReadOnlySpan(Array.zeroCreate<float32> layout.Length), 1.0f, 0L)

/// Its episodes have so many steps, each with a reward of 1.
type private Counting(length: int, stepped: unit -> unit, disposed: unit -> unit) =
    let mutable taken = 0

    interface IEnvironment with
        member _.Spec = EnvironmentSpec("Counting-v0", 1, 1, [| -1f |], [| 1f |], length)
        member _.Reset(_, _) = taken <- 0

        member _.Step(_, _) =
            taken <- taken + 1
            stepped ()
            StepResult(1.0, false, (taken = length))

        member _.SaveState() = [||]
        member _.RestoreState(_, _) = ()
        member _.Dispose() = disposed ()

let private quiet = "akka { loglevel = OFF, stdout-loglevel = OFF }"

/// Plays two episodes of each policy.
let private start (kit: ActorKit) (create: unit -> IEnvironment) : IActorRef =
    kit.Sys.ActorOf(Props.Create<EvaluatorActor>(kit.TestActor, Func<IEnvironment> create, 7L, 2, Int32.MaxValue, ActivityContext()))

[<Tests>]
let tests =
    testList "the evaluator's actor" [
        actorTest "an attempt that fails is repeated on a new environment, whose episodes are the result" quiet (fun kit ->
            let mutable made = 0

            let create () : IEnvironment =
                made <- made + 1
                let number = made

                let stepped () =
                    if number = 1 then
                        failwith "the arm broke off"

                new Counting(5, stepped, ignore)

            let actor = start kit create
            actor.Tell(Evaluate(100L, policy))
            actor.Tell(Evaluate(200L, policy))

            for step in [ 100L; 200L ] do
                let evaluated = kit.ExpectMsg<Evaluated>(Nullable patience)
                Expect.equal evaluated.Step step "one after the other"
                Expect.equal evaluated.Results.Returns [| 5.0; 5.0 |] "returns"
                Expect.equal evaluated.Results.Lengths [| 5; 5 |] "lengths"

            Expect.equal made 2 "the second one is kept")

        actorTest "the third failure of an evaluation is the last, and its sentence says which policy and why" quiet (fun kit ->
            let mutable made = 0

            let create () : IEnvironment =
                made <- made + 1
                failwith $"no licence for simulator {made}"

            let actor = start kit create
            actor.Tell(Evaluate(100L, policy))
            let failed = kit.ExpectMsg<EvaluationFailed>(Nullable patience)

            Expect.equal
                failed.Reason
                "the policy of step 100 could not be evaluated in 3 attempts: no licence for simulator 3"
                "its sentence"

            Expect.equal made 3 "attempts")

        actorTest "that is stopped in the middle of an episode plays it no further, and its environment is freed" quiet (fun kit ->
            use playing = new ManualResetEventSlim(false)
            use freed = new ManualResetEventSlim(false)

            let create () : IEnvironment =
                new Counting(EnvironmentSpec.NoTimeLimit, playing.Set, freed.Set)

            let actor = start kit create
            kit.Watch actor |> ignore
            actor.Tell(Evaluate(100L, policy))
            Expect.isTrue (playing.Wait patience) "it plays"
            kit.Sys.Stop actor
            kit.ExpectTerminated(actor, Nullable patience) |> ignore
            Expect.isTrue (freed.Wait patience) "an episode that would have gone on for ever is over")

        actorTest "that is stopped ends although its environment hangs" quiet (fun kit ->
            use hang = new ManualResetEventSlim(false)
            use hangs = new ManualResetEventSlim(false)
            use freed = new ManualResetEventSlim(false)

            let stepped () =
                hangs.Set()
                hang.Wait()

            let create () : IEnvironment = new Counting(5, stepped, freed.Set)
            let actor = start kit create
            kit.Watch actor |> ignore
            actor.Tell(Evaluate(100L, policy))
            Expect.isTrue (hangs.Wait patience) "it hangs"
            kit.Sys.Stop actor
            kit.ExpectTerminated(actor, Nullable patience) |> ignore
            let ending = EndingSimulators.Of kit.Sys
            Expect.equal (ending.Wait(TimeSpan.Zero).Result) 1 "its simulator has not ended"
            Expect.equal (ending.Wait(patience).Result) 0 "nobody waits for it again"
            hang.Set()
            Expect.isTrue (freed.Wait patience) "it ends when it can")
    ]
