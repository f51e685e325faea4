module NE.Actors.Tests.Environments.PluginTests

open System
open System.IO
open Expecto
open NE.Actors.Environments
open NE.Actors.Environments.Catalogue
open NE.Actors.Environments.Plugins
open NE.Actors.Video
open NE.Model
open NE.Actors.Tests.Runs
open NE.Tests.Repository

let private dll = built "tests/NE.TestPlugin" "NE.TestPlugin.dll"

let private slide = $"plugin:{dll}#NE.TestPlugin.Slide"

/// Lies on its back, can be looked at, and does nothing else.
type private Shown() =
    interface IEnvironment with
        member _.Spec = EnvironmentSpec("Shown", 1, 1, [| -1f |], [| 1f |], 10)
        member _.IsInverted = Nullable true
        member _.Reset(_, _) = ()
        member _.Step(_, _) = StepResult(0.0, false, false)
        member _.SaveState() = [||]
        member _.RestoreState(_, _) = ()
        member _.Dispose() = ()

    interface IRenderable with
        member _.Renders = true
        member _.SecondsPerStep = Nullable 0.5
        member _.Render(_, _, rgb) = rgb.Fill 7uy

let private refused (id: string) : string =
    try
        EnvironmentFactory.Create(id).Dispose()
        failtest "expected an EnvironmentUnusableException"
    with :? EnvironmentUnusableException as problem ->
        problem.Message

[<Tests>]
let tests =
    testList "a plug-in" [
        testCase "is loaded by its path, shares our types, and keeps its own bounds for itself"
        <| fun _ ->
            Expect.isTrue (File.Exists(Path.Combine(Path.GetDirectoryName dll |> string, "NE.Model.dll"))) "a copy of ours lies beside it"
            use environment = EnvironmentFactory.Create slide
            let observation = [| 0.0f |]
            environment.Reset(Draws.At(1L, Purpose.Reset, 0L, 0L, 0L), observation)
            let before = observation[0]
            let most = [| 1.0f |]
            environment.Step(most, observation) |> ignore
            Expect.floatClose Accuracy.high (float observation[0]) (float (before + 0.3f)) "1 is the upper bound, 3"
            Expect.isNotNull environment.Spec.Fingerprint "fingerprint"
            Expect.equal (EnvironmentFactory.Describe slide).Fingerprint environment.Spec.Fingerprint "described"

        testCase "with several environments must be told which"
        <| fun _ ->
            let message = refused $"plugin:{dll}"
            Expect.stringContains message "6 environments" "count"
            Expect.stringContains message $"plugin:{dll}#NE.TestPlugin." "what to write"
            Expect.stringContains (refused $"plugin:{dll}#NE.TestPlugin.Slid") "did you mean NE.TestPlugin.Slide?" "nearest"

        testCase "whose constructor fails says why"
        <| fun _ ->
            Expect.stringContains
                (refused $"plugin:{dll}#NE.TestPlugin.Broken")
                "InvalidOperationException: the licence is missing"
                "reason"

        testCase "that is no assembly, has no environment or is not there is refused"
        <| fun _ ->
            Training.inFolder (fun folder ->
                let file = Path.Combine(folder, "text.dll")
                File.WriteAllText(file, "not an assembly")
                Expect.stringContains (refused $"plugin:{file}") "cannot be loaded" "no assembly"
                Expect.stringContains (refused $"plugin:{folder}/nothing.dll") "nothing.dll" "not there")

            let ownLibrary = Path.Combine(AppContext.BaseDirectory, "YamlDotNet.dll")
            Expect.stringContains (refused $"plugin:{ownLibrary}") "found none" "no environment"

        testCase "continues a saved episode exactly, and a changed assembly is refused"
        <| fun _ ->
            let settings = Training.settings []
            use environment = EnvironmentFactory.Create slide
            let worker = EnvironmentWorker(environment, settings, 0)
            worker.Begin 2L
            let state = worker.Save()
            use other = EnvironmentFactory.Create slide
            let resumed = EnvironmentWorker(other, settings, 0)
            resumed.Restore state
            Expect.equal (resumed.Save()) state "the same state"

            Training.inFolder (fun folder ->
                let copy = Path.Combine(folder, "NE.TestPlugin.dll")
                // What follows the image belongs to no section: another file, the same code.
                File.WriteAllBytes(copy, Array.append (File.ReadAllBytes dll) [| 0uy |])
                use changed = EnvironmentFactory.Create $"plugin:{copy}#NE.TestPlugin.Slide"

                try
                    EnvironmentWorker(changed, settings, 0).Restore state
                    failtest "expected a refusal"
                with :? EnvironmentUnusableException as problem ->
                    Expect.stringContains problem.Message "the plug-in (was sha256" "what changed")

        testCase "that gives a number that is not finite fails at once"
        <| fun _ ->
            use environment = EnvironmentFactory.Create slide
            let observation, action = [| 0.0f |], [| infinityf |]
            environment.Reset(Draws.At(1L, Purpose.Reset, 0L, 0L, 0L), observation)

            try
                environment.Step(action, observation) |> ignore
                failtest "expected a failure"
            with :? InvalidOperationException as problem ->
                Expect.stringContains problem.Message "as observation 0; expected a finite number" "what and where"

        testCase "that forgets a number, or gives a reward that 32 bits cannot hold, fails in its first steps, before there is a run"
        <| fun _ ->
            let tried name =
                try
                    EnvironmentFactory.Try(Training.settings [], $"plugin:{dll}#NE.TestPlugin.{name}")
                    |> ignore

                    failtest "expected a refusal"
                with :? EnvironmentUnusableException as problem ->
                    problem.Message

            Expect.stringContains (tried "Unwritten") "its first reset failed" "what"
            Expect.stringContains (tried "Unwritten") "The environment Unwritten gave NaN as observation 1" "which number"
            Expect.stringContains (tried "Generous") "its first step failed" "what"
            Expect.stringContains (tried "Generous") "The environment Generous gave the reward 1E+39" "the value"
            Expect.equal (EnvironmentFactory.Try(Training.settings [], slide)).Id "Slide" "one that is as it must be"

        testCase "that can be looked at, or says how it lies, does so for others"
        <| fun _ ->
            let inner: IEnvironment = new Shown()
            use environment = new PluginEnvironment(inner, inner.Spec)
            Expect.equal (environment :> IEnvironment).IsInverted (Nullable true) "on its back"
            let view = EpisodeVideo.View environment
            Expect.equal view.SecondsPerStep (Nullable 0.5) "time"
            let frame: byte[] = Array.zeroCreate 3
            view.Render(1, 1, frame)
            Expect.equal frame [| 7uy; 7uy; 7uy |] "a picture"
            use other = EnvironmentFactory.Create slide
            Expect.isFalse other.IsInverted.HasValue "one that does not say"
            Expect.throwsT<VideoException> (fun () -> EpisodeVideo.View other |> ignore) "one that cannot be looked at"

        testCase "trains"
        <| fun _ ->
            Training.inFolder (fun folder ->
                let settings =
                    Training.settings [ "run.environment", slide; "run.steps", "200"; "checkpoint.every", "100" ]

                use created = Training.create folder "run"

                let outcome =
                    Training.train Training.toTheEnd (Training.request created.Paths settings)

                Expect.equal outcome.Phase NE.Actors.Runs.RunPhase.Completed $"{outcome}")
    ]
