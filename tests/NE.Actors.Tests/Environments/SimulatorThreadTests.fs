module NE.Actors.Tests.Environments.SimulatorThreadTests

open System
open System.IO
open System.Threading
open System.Threading.Tasks
open Expecto
open NE.Model
open NE.Actors.Environments
open NE.Actors.Environments.Catalogue
open NE.Actors.MuJoCo
open NE.Model.Tasks

/// Long enough that only a real hang reaches it.
let private patience = TimeSpan.FromSeconds 60.0

let private zeros (size: int) : float32[] = Array.zeroCreate size

let private within (task: Task<'T>) = task.WaitAsync(patience).Result

/// An environment that counts and does nothing.
type private Idle(onDispose: unit -> unit) =
    interface IEnvironment with
        member _.Spec = EnvironmentSpec("Idle-v0", 1, 1, [| -1f |], [| 1f |], 10)
        member _.Reset(_, _) = ()
        member _.Step(_, _) = StepResult(0.0, false, false)
        member _.SaveState() = [||]
        member _.RestoreState(_, _) = ()
        member _.Dispose() = onDispose ()

/// A robot whose solver does not get the memory it needs: stepping it in contact is a real "stack overflow" error of MuJoCo.
type private Starved() =
    let model =
        let xml = Robots.read "humanoid"
        let starved = xml.Replace("<size ", "<size nstack=\"900\" ")
        Expect.notEqual starved xml "the robot has its sizes where the test looks for them"
        MuJoCoModel.FromXml("starved", starved)

    let simulator = new Simulator(model)

    interface IEnvironment with
        member _.Spec = EnvironmentSpec("Starved-v0", 1, 17, [||], [||], 10)
        member _.Reset(_, _) = ()

        member _.Step(_, _) =
            let controls: float[] = Array.zeroCreate simulator.NU

            for _ in 1..2000 do
                simulator.Step(controls, 1, Stepping.Gymnasium)

            StepResult(0.0, false, false)

        member _.SaveState() = simulator.SaveState()
        member _.RestoreState(_, _) = ()
        member _.Dispose() = simulator.Dispose()

let private ask (thread: SimulatorThread) (question: IEnvironment -> 'T) : Task<'T> =
    let answer =
        TaskCompletionSource<'T>(TaskCreationOptions.RunContinuationsAsynchronously)

    thread.Post(fun environment -> answer.SetResult(question environment))
    answer.Task

let private faultless (fault: exn) = failtestf "unexpected fault: %O" fault

let private started (name: string) (create: unit -> IEnvironment) =
    let faults =
        TaskCompletionSource<exn>(TaskCreationOptions.RunContinuationsAsynchronously)

    let count = ref 0

    let thread =
        new SimulatorThread(
            name,
            create,
            fun fault ->
                Interlocked.Increment count |> ignore
                faults.TrySetResult fault |> ignore
        )

    thread, faults.Task, count

[<Tests>]
let tests =
    testList "a simulator thread" [
        test "work runs in order on the named thread, which also creates and frees the environment" {
            let names = ResizeArray<string | null>()

            let note () =
                lock names (fun () -> names.Add Thread.CurrentThread.Name)

            let create () =
                note ()
                new Idle(note) :> IEnvironment

            let order = ResizeArray<int>()

            using (new SimulatorThread("env-7", create, faultless)) (fun thread ->
                for i in 1..1000 do
                    thread.Post(fun _ -> order.Add i)

                ask thread (fun _ -> note ()) |> within)

            Expect.equal (List.ofSeq order) [ 1..1000 ] "order"
            Expect.equal (List.ofSeq names) [ "env-7"; "env-7"; "env-7" ] "create, work, dispose"
        }

        test "work posted from several threads while it sleeps and wakes is done exactly once" {
            let sum = ref 0L

            using (new SimulatorThread("env", (fun () -> new Idle(ignore)), faultless)) (fun thread ->
                let posters = [
                    for _ in 0..3 ->
                        Task.Run(fun () ->
                            for i in 1..2000 do
                                if i % 97 = 0 then
                                    within (ask thread (fun _ -> sum.Value <- sum.Value + 1L))
                                else
                                    thread.Post(fun _ -> sum.Value <- sum.Value + 1L))
                ]

                Task.WaitAll(Array.ofList posters)
                within (ask thread ignore))

            Expect.equal sum.Value 8000L "all work"
        }

        test "an exception of the factory is reported once and work is dropped" {
            let thread, fault, count = started "env" (fun () -> failwith "no environment here")
            use thread = thread
            Expect.equal (within fault).Message "no environment here" "fault"
            thread.Post(fun _ -> failtest "must not run")
            Expect.isTrue thread.IsFaulted "faulted"
            Expect.equal count.Value 1 "once"
        }

        test "an exception of work is reported once, the environment is freed, later work is dropped" {
            let disposed = ref 0

            let thread, fault, count =
                started "env" (fun () -> new Idle(fun () -> disposed.Value <- disposed.Value + 1))

            let later = ref false
            use gate = new ManualResetEventSlim()

            thread.Post(fun _ ->
                gate.Wait()
                invalidOp "broken")

            thread.Post(fun _ -> later.Value <- true)
            gate.Set()
            Expect.equal (within fault).Message "broken" "fault"
            thread.Dispose()
            Expect.equal disposed.Value 1 "freed once"
            Expect.isFalse later.Value "dropped"
            Expect.equal count.Value 1 "once"
        }

        test "after Dispose nothing can be posted, and Dispose can be repeated" {
            let thread, _, _ = started "env" (fun () -> new Idle(ignore))
            thread.Dispose()
            thread.Dispose()
            Expect.throwsT<ObjectDisposedException> (fun () -> thread.Post(fun _ -> ())) "disposed"
        }

        test "a thread can dispose itself from its own work" {
            let freed = TaskCompletionSource<unit>()
            let thread, _, _ = started "env" (fun () -> new Idle(fun () -> freed.SetResult()))
            thread.Post(fun _ -> thread.Dispose())
            within freed.Task
        }

        test "a fatal MuJoCo error parks its thread and is reported; the process and other environments go on" {
            let starved, fault, count = started "starved" (fun () -> new Starved())
            let healthy, _, _ = started "healthy" (fun () -> EnvironmentFactory.Create "Ant-v4")

            let episode (environment: IEnvironment) =
                let observation = zeros environment.Spec.ObservationSize
                environment.Reset(Draws.At(1L, Purpose.Reset, 0L, 0L, 0L), observation)
                let result = environment.Step(zeros 8, observation)
                result.Reward

            let before = within (ask healthy episode)
            starved.Post(fun environment -> environment.Step(ReadOnlySpan<float32>(), Span<float32>()) |> ignore)
            let error = within fault
            Expect.isTrue (error :? MuJoCoErrorException) $"a MuJoCo error: {error}"
            Expect.stringContains error.Message "starved" "names the thread"
            Expect.stringContains error.Message "overflow" "MuJoCo's own words"
            Expect.isTrue starved.IsFaulted "faulted"
            starved.Post(fun _ -> failtest "must not run")
            Expect.equal (within (ask healthy episode)) before "the other environment goes on"
            GC.Collect()
            GC.WaitForPendingFinalizers()
            starved.Dispose()
            healthy.Dispose()
            let again, _, _ = started "again" (fun () -> EnvironmentFactory.Create "Ant-v4")
            Expect.equal (within (ask again episode)) before "new environments can be made"
            again.Dispose()
            Expect.equal count.Value 1 "reported once"
            Expect.isFalse (File.Exists "MUJOCO_LOG.TXT") "no log file of MuJoCo's own"
        }
    ]
