module NE.Actors.Tests.Video.EpisodeVideoTests

open System
open System.IO
open System.Threading
open Akka.Actor
open Expecto
open NE.Actors.Cast
open NE.Actors.Environments
open NE.Actors.Environments.Catalogue
open NE.Actors.Evaluation
open NE.Actors.Video
open NE.Tests.ActorKit
open NE.Actors.Tests.Video.Support

let private size = VideoSize(84, 84)

/// A real task that nobody can look at.
type private Unseen(id: string) =
    let inner = EnvironmentFactory.Create id

    interface IEnvironment with
        member _.Spec = inner.Spec
        member _.Reset(random, observation) = inner.Reset(random, observation)
        member _.Step(action, observation) = inner.Step(action, observation)
        member _.SaveState() = inner.SaveState()
        member _.RestoreState(state, observation) = inner.RestoreState(state, observation)
        member _.Dispose() = inner.Dispose()

let private film folder (id: string) (episodes: int) =
    let file = Path.Combine(folder, "a.png")
    use environment = EnvironmentFactory.Create id

    use video =
        new EpisodeVideo(EpisodeVideo.View environment, VideoTarget(file, size, null), [| "title" |], Nullable episodes)

    let policy = policy environment.Spec.ObservationSize environment.Spec.ActionSize 1L

    let results =
        EpisodeRunner.Run(environment, policy, 7L, episodes, Action<_> video.Watch)

    video.Finish()
    results, video, file

let private play (id: string) episodes =
    use environment = EnvironmentFactory.Create id
    let policy = policy environment.Spec.ObservationSize environment.Spec.ActionSize 1L
    EpisodeRunner.Run(environment, policy, 7L, episodes)

[<Tests>]
let tests =
    testList "The video of an episode" [
        testCase "changes no return, and shows the first state, every third and the last"
        <| fun _ ->
            inFolder (fun folder ->
                let watched, video, file = film folder "Hopper-v4" 2
                let plain = play "Hopper-v4" 2
                Expect.equal (watched.Returns, watched.Lengths) (plain.Returns, plain.Lengths) "the episodes"

                let expected = watched.Lengths |> Array.sumBy (fun steps -> 1 + (steps + 2) / 3)

                let animation = readAnimation file
                Expect.equal (video.Frames, animation.Frames.Length) (expected, expected) "frames"
                Expect.floatClose Accuracy.high video.Seconds (0.024 * float expected) "seconds"
                Expect.all animation.Delays (fun delay -> delay = 0.024) "three control steps each"
                Expect.hasLength (List.distinct animation.Frames) expected "something moves in every frame")

        testCase "of an environment that does not render is refused"
        <| fun _ ->
            use environment = new Unseen("Hopper-v4") :> IEnvironment

            Expect.equal
                (refusal (fun () -> EpisodeVideo.View environment |> ignore))
                "Hopper-v4 cannot be recorded: it does not render."
                "the message"

        testCase "of pictures shows the task, a step of the agent at a time"
        <| fun _ ->
            inFolder (fun folder ->
                use environment = EnvironmentFactory.CreatePixels "Hopper-v4"
                let view = environment :> IRenderable
                let file = Path.Combine(folder, "a.png")

                use video =
                    new EpisodeVideo(view, VideoTarget(file, VideoSize(120, 100), null), [| "title" |], Nullable())

                let results = RandomPlay.Run(environment, 0L, 8L, Action<_> video.Watch)
                video.Finish()
                Expect.equal results.Steps 8L "steps"
                let animation = readAnimation file
                Expect.equal (animation.Width, animation.Height) (120, 100) "the video's own size"
                Expect.all animation.Delays (fun delay -> delay = 0.032) "two agent steps of two control steps")
    ]

let private finished (kit: ActorKit) (actor: IActorRef) =
    actor.Tell(FinishVideo(), kit.TestActor)

    kit.ExpectMsg<VideoFinished>(TimeSpan.FromMinutes 1.0 |> Nullable) |> ignore

let private start (kit: ActorKit) folder (create: unit -> IEnvironment) =
    let target (step: int64) =
        VideoTarget(Path.Combine(folder, $"{step}.png"), size, null)

    kit.Sys.ActorOf(Props.Create<VideoActor>(Func<_> create, 7L, "run", Func<_, _> target, Int32.MaxValue))

let private files folder =
    Directory.GetFiles folder
    |> Array.map (fun file -> Path.GetFileName(file: string))
    |> Array.sort

[<Tests>]
let actor =
    testList "The video actor" [
        actorTest "leaves out a policy that comes while another one is filmed, and takes the next" "akka.loglevel = OFF" (fun kit ->
            inFolder (fun folder ->
                use gate = new ManualResetEventSlim(false)

                let create () =
                    gate.Wait()
                    EnvironmentFactory.Create "Hopper-v4"

                let actor = start kit folder create
                let policy = policy 11 3 1L
                actor.Tell(RecordVideo(1L, policy))
                actor.Tell(RecordVideo(2L, policy))
                gate.Set()
                finished kit actor
                actor.Tell(RecordVideo(3L, policy))
                finished kit actor
                Expect.equal (files folder) [| "1.png"; "3.png" |] "videos"

                let frames step =
                    (readAnimation (Path.Combine(folder, $"{step}.png"))).Frames.Length

                Expect.equal (frames 1) (frames 3) "the same episode"
                kit.Sys.Stop actor))

        actorTest "answers at once when there is nothing to film" "akka.loglevel = OFF" (fun kit ->
            finished kit (start kit "/nonexistent" (fun () -> failwith "not needed")))

        actorTest "warns once of what goes wrong, and tries again" "akka.loglevel = WARNING" (fun kit ->
            inFolder (fun folder ->
                kit.Sys.EventStream.Subscribe(kit.TestActor, typeof<Akka.Event.Warning>)
                |> ignore

                let mutable attempts = 0

                let create () =
                    attempts <- attempts + 1

                    if attempts <= 2 then
                        failwith "no picture today"

                    EnvironmentFactory.Create "Hopper-v4"

                let actor = start kit folder create

                for step in 1L .. 3L do
                    actor.Tell(RecordVideo(step, policy 11 3 1L))

                    if step = 1L then
                        let warning =
                            kit.ExpectMsg<Akka.Event.Warning>(TimeSpan.FromMinutes 1.0 |> Nullable)

                        Expect.stringContains (string warning.Message) "no picture today" "the reason"

                    finished kit actor

                Expect.equal (files folder) [| "3.png" |] "the third attempt"
                kit.Sys.Stop actor))

        actorTest "that is stopped gives up what it films and leaves no part of it" "akka.loglevel = OFF" (fun kit ->
            inFolder (fun folder ->
                use filming = new ManualResetEventSlim(false)

                let create () =
                    let inner = EnvironmentFactory.Create "dmc/cheetah-run"
                    filming.Set()
                    inner

                let actor = start kit folder create
                kit.Watch actor |> ignore
                actor.Tell(RecordVideo(1L, policy 17 6 1L))
                filming.Wait()
                kit.Sys.Stop actor
                kit.ExpectTerminated(actor, TimeSpan.FromMinutes 1.0 |> Nullable) |> ignore
                Expect.equal ((EndingSimulators.Of kit.Sys).Wait(TimeSpan.FromMinutes 1.0).Result) 0 "its thread has ended"
                Expect.isEmpty (files folder) "an episode of 1000 steps was not finished"))
    ]
