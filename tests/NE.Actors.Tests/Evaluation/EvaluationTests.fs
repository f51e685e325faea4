module NE.Actors.Tests.Evaluation.EvaluationTests

open System
open System.Collections.Concurrent
open System.Collections.Generic
open System.IO
open System.Threading
open Expecto
open NE.Actors.Environments
open NE.Actors.Environments.Catalogue
open NE.Actors.Evaluation
open NE.Actors.Journal
open NE.Actors.RunDirectory
open NE.Actors.Runs
open NE.Actors.Tests.Runs.Training
open NE.Model
open NE.Model.Agents
open NE.Model.Networks

/// eval.csv: step and returns of every row.
let private evaluations (paths: RunPaths) =
    let rows = File.ReadAllLines paths.Evaluations |> Array.map (_.Split(','))

    let returns =
        rows[0]
        |> Array.indexed
        |> Array.filter (fun (_, name) -> name.StartsWith "return")

    rows[1..]
    |> Array.map (fun row -> int64 row[0], returns |> Array.map (fun (at, _) -> float row[at]))

/// What the protocol says, by hand: the policy's own actions, an environment of its own, start states of seed + 100.
let private play (policy: Policy) (seed: int64) episodes =
    use environment = EnvironmentFactory.Create "HalfCheetah-v4"
    let spec = environment.Spec
    let observation = Array.zeroCreate<float32> spec.ObservationSize
    let action = Array.zeroCreate<float32> spec.ActionSize
    let scratch = policy.CreateScratch()

    Array.init episodes (fun episode ->
        environment.Reset(Draws.At((seed + 100L), Purpose.Evaluation, 0L, (int64 episode), 0L), observation)
        let mutable total = 0.0
        let mutable isLast = false

        while not isLast do
            policy.Act(ReadOnlySpan observation, Span action, scratch)
            let result = environment.Step(action, observation)
            total <- total + result.Reward
            isLast <- result.IsLast

        total)

/// Passes everything on and remembers on which threads the environment was used.
type private Seen(inner: IEnvironment, threads: ConcurrentDictionary<string, int>) =
    let note () =
        threads.AddOrUpdate(string Thread.CurrentThread.Name, 1, (fun _ count -> count + 1))
        |> ignore

    interface IEnvironment with
        member _.Spec = inner.Spec

        member _.Reset(random, observation) =
            note ()
            inner.Reset(random, observation)

        member _.Step(action, observation) =
            note ()
            inner.Step(action, observation)

        member _.SaveState() = inner.SaveState()
        member _.RestoreState(state, observation) = inner.RestoreState(state, observation)
        member _.Dispose() = inner.Dispose()

[<Tests>]
let tests =
    testList "Evaluation" [
        test "is of the policies of step 0, of every cadence and of the last step, without noise and from the start states of seed + 100" {
            inFolder (fun folder ->
                use created = create folder "protocol"

                let settings =
                    settings [
                        "schedule.kind", "serial"
                        "run.steps", "300"
                        "run.seed", "9"
                        "evaluation.episodes", "3"
                    ]

                let outcome = train toTheEnd (request created.Paths settings)
                Expect.equal outcome.Phase RunPhase.Completed $"the run completes: {outcome.Message}"
                let found = evaluations created.Paths
                Expect.equal (Array.map fst found) [| 0L; 100L; 200L; 300L |] "steps"

                use environment = EnvironmentFactory.Create settings.Run.Environment
                let spec = environment.Spec

                use fresh = TaskLearner.Create(settings, null, spec, 0)

                Expect.equal (snd found[0]) (play (fresh.Policy()) 9L 3) "the returns of step 0"
                let last = CheckpointReader.Load(created.Paths, CheckpointChoice.Last)
                let policy = Policy.OfBytes(last.Components["policy"])
                Expect.equal (snd found[3]) (play policy 9L 3) "the returns of the last step"
                Expect.notEqual (snd found[0]) (snd found[3]) "the policy learned something"

                for _, returns in found do
                    Expect.equal (Array.distinct returns).Length 3 "every episode starts elsewhere")
        }

        // An Ant that has not learned stands for all 1,000 steps, each of which takes a while: its episodes are cut short.
        for task, most in
            [
                "Hopper-v4", Int32.MaxValue
                "Ant-v4", 150
                "dmc/pendulum-swingup", Int32.MaxValue
            ] do
            test $"episodes of {task} in step are those one after the other" {
                let environments = List.init 4 (fun _ -> EnvironmentFactory.Create task)

                try
                    let spec = environments[0].Spec
                    let settings = settings [ "run.environment", task; "run.seed", "3" ]

                    use agent = TaskLearner.Create(settings, null, spec, 0)

                    let policy = agent.Policy()

                    let run (players: IEnvironment list) episodes =
                        let results = EpisodeRunner.Run(players, policy, 3L, episodes, most)
                        results.Returns, results.Lengths, results.Inverted

                    let single = EpisodeRunner.Run(environments[0], policy, 3L, 7, mostSteps = most)
                    let expected = single.Returns, single.Lengths, single.Inverted
                    Expect.equal single.Returns.Length 7 "episodes"

                    for count in 1..4 do
                        Expect.equal (run (List.truncate count environments) 7) expected $"on {count} environments"

                    let returns, _, _ = run environments 2
                    Expect.equal returns (Array.truncate 2 single.Returns) "fewer episodes than environments"

                    Expect.throwsT<ArgumentOutOfRangeException> (fun () -> run environments 0 |> ignore) "no episode"
                finally
                    environments |> List.iter _.Dispose()
            }

        test "has an environment of its own, which is never trained on" {
            inFolder (fun folder ->
                use created = create folder "separate"
                let created' = ConcurrentBag<ConcurrentDictionary<string, int>>()

                let watching =
                    RunRequest(
                        Paths = created.Paths,
                        Settings = settings [ "schedule.environments", "2"; "run.steps", "300" ],
                        ConfigurationText = "test",
                        Versions = Dictionary(),
                        CreateEnvironment =
                            fun id ->
                                let threads = ConcurrentDictionary<string, int>()
                                created'.Add threads
                                new Seen(EnvironmentFactory.Create id, threads)
                    )

                let outcome = train toTheEnd watching
                Expect.equal outcome.Phase RunPhase.Completed $"the run completes: {outcome.Message}"

                let users =
                    created'
                    |> Seq.map (fun threads -> List.ofSeq threads.Keys)
                    |> Seq.sort
                    |> List.ofSeq

                Expect.equal users [ [ "environment 0" ]; [ "environment 1" ]; [ "evaluation" ] ] "who used which environment"

                let evaluated =
                    created' |> Seq.find (fun threads -> threads.ContainsKey "evaluation")
                // HalfCheetah's episodes have 1,000 steps; one reset each.
                Expect.equal evaluated["evaluation"] (4 * 1001) "whole episodes at steps 0, 100, 200 and 300")
        }
    ]
