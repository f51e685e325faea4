module NE.Shell.Tests.EnvironmentCommandTests

open System.IO
open System.Text.Json
open System.Text.RegularExpressions
open Expecto
open NE.Actors.Rendering
open NE.Model.Tasks
open NE.Shell.Host
open NE.Shell.Tests.Support
open NE.Tests

let private json (text: string) = JsonDocument.Parse(text).RootElement

let private ok (arguments: string list) =
    let code, output, errors = shell arguments
    Expect.equal (code, errors) (ExitCode.Ok, "") $"{arguments}"
    output

let private refused (arguments: string list) =
    let code, output, errors = shell arguments
    Expect.equal (code, output) (ExitCode.UserError, "") errors
    errors

[<Tests>]
let tests =
    testList "environments" [
        for name, arguments in
            [
                "env-show", [ "env"; "show"; "Hopper-v4" ]
                "env-show-pixels", [ "env"; "show"; "dmc/walker-walk"; "--pixels" ]
                "env-show-json", [ "env"; "show"; "Reacher-v4"; "--json" ]
            ] do
            test name { golden name (ok arguments) }

        for pixels in [ []; [ "--pixels" ] ] do
            test $"""the list has every task in one line each{String.concat " " (" " :: pixels)}""" {
                let lines = (ok ([ "env"; "list" ] @ pixels)).TrimEnd().Split '\n'
                let ids = [ for line in List.tail (List.ofArray lines) -> line.Split(' ').[0] ]
                Expect.equal ids Registry.ids "ids"
                Expect.all lines (fun line -> line.Length <= 160) "the width of the output"
                let listed = json (ok ([ "env"; "list"; "--json" ] @ pixels))
                Expect.equal [ for entry in listed.EnumerateArray() -> string (entry.GetProperty "id") ] Registry.ids "ids in JSON"
            }

        test "a cycle is shown with the spaces of its tasks and the padded ones" {
            let id = "cycle:HalfCheetah-v4,Humanoid-v4,Ant-v4,Hopper-v4"
            golden "env-show-cycle" (ok [ "env"; "show"; id ])
            let shown = json (ok [ "env"; "show"; id; "--json" ])
            let number (name: string) (of': JsonElement) = (of'.GetProperty name).GetInt32()
            Expect.equal (number "observationSize" shown, number "actionSize" shown) (376, 17) "padded"

            Expect.equal
                [
                    for task in (shown.GetProperty "tasks").EnumerateArray() -> string (task.GetProperty "id"), number "actionSize" task
                ]
                [ "HalfCheetah-v4", 6; "Humanoid-v4", 17; "Ant-v4", 8; "Hopper-v4", 3 ]
                "tasks"
        }

        test "a cycle that cannot be, and what cannot be done with one, says why" {
            for arguments, fragment in
                [
                    [ "env"; "show"; "cycle:Hopper-v4" ], "two tasks or more"
                    [ "env"; "show"; "cycle:Hopper-v4,Ant-v4"; "--pixels" ], "a cycle has no picture"
                    [ "env"; "show"; "cycle:Hopper-v4,Ant-v4"; "--image"; "a.png" ], "a cycle has no picture"
                    [ "env"; "run"; "cycle:Hopper-v4,Ant-v4" ], "give one of them: Hopper-v4, Ant-v4"
                    [ "train"; "cycle:Hopper-v4,Hoper-v4"; "--dry-run" ], "did you mean Hopper-v4"
                    [ "train"; "Hopper-v4"; "--cycles"; "2"; "--dry-run" ], "not a cycle"
                    [
                        "train"
                        "cycle:Hopper-v4,Ant-v4"
                        "--steps"
                        "1000000"
                        "cycle.steps=1000"
                        "--dry-run"
                    ],
                    "take 6000"
                ] do
                Expect.stringContains (refused arguments) fragment $"{arguments}"
        }

        test "a narrow output has no room for sentences" {
            let narrow =
                NE.Shell.Host.ShellHost(
                    Output = new StringWriter(NewLine = "\n"),
                    Error = TextWriter.Null,
                    DefaultRuns = "runs",
                    FleetKey = "/nonexistent/fleet.pem",
                    Width = 80
                )

            let _, output, _ = execute narrow [ "env"; "list" ]
            Expect.hasLength (output.TrimEnd().Split '\n') (1 + Registry.ids.Length) "one line each"
            Expect.isFalse (output.Contains "TASK") "no sentence"
        }

        test "an environment that is not there is refused with the nearest" {
            for verb in [ "show"; "run" ] do
                Expect.stringContains (refused [ "env"; verb; "Hoper-v4" ]) "did you mean Hopper-v4" verb
        }

        test "a picture of the start state has the size that was asked for, and is the same again" {
            use folder = new TemporaryFolder()

            let draw file =
                ok [ "env"; "show"; "Hopper-v4"; "--image"; file; "--size"; "64x48" ] |> ignore
                PngPicture.Read(file, 64, 48)

            let first = draw (folder.File "a.png")
            Expect.isGreaterThan (Array.distinct first).Length 50 "there is something to see"
            Expect.equal (draw (folder.File "b.png")) first "drawn again"
        }

        test "a picture that is there already, has another ending or cannot be written is refused" {
            use folder = new TemporaryFolder()
            let file = folder.File "a.png"
            File.WriteAllText(file, "mine")

            let show image more =
                [ "env"; "show"; "Hopper-v4"; "--size"; "64x48"; "--image"; image ] @ more

            Expect.stringContains (refused (show file [])) "exists already" "there"
            Expect.equal (File.ReadAllText file) "mine" "untouched"
            ok (show file [ "--overwrite" ]) |> ignore
            Expect.equal (PngPicture.Read(file, 64, 48)).Length (3 * 64 * 48) "replaced"
            Expect.stringContains (refused (show (folder.File "a.jpg") [])) "a picture is a .png" "ending"
            Expect.stringContains (refused (show (folder.File "none/a.png") [])) "cannot be written" "folder"
        }

        test "the page of environments has every task, with a picture of every robot" {
            let docs = Path.Combine(__SOURCE_DIRECTORY__, "../../docs")
            let page = File.ReadAllText(Path.Combine(docs, "environments.md"))

            for task in Registry.all do
                Expect.stringContains page $"| `{task.Info.Id}` | {task.Info.ObservationSize} | {task.Info.ActionSize} in" task.Info.Id
                Expect.stringContains (page.Replace("&#124;", "|")) $"| {task.Info.Reward} | {task.Info.Termination} |" task.Info.Id

            let pictures =
                Regex.Matches(page, @"\]\((images/[^)]+)\)")
                |> Seq.map _.Groups[1].Value
                |> List.ofSeq

            Expect.equal pictures.Length 25 "robots"
            Expect.all pictures (fun picture -> File.Exists(Path.Combine(docs, picture))) "files"
        }

        test "a learner from numbers is refused pictures, and one from pictures a cycle and tasks that are not drawn here" {
            Expect.equal
                (refused [ "train"; "Hopper-v4"; "--pixels"; "--learner"; "sac" ])
                "ne: sac learns from numbers; from pictures learn --learner drq and --learner drqv2\n"
                "numbers"

            Expect.stringContains
                (refused [ "train"; "cycle:Hopper-v4,Ant-v4"; "--pixels"; "--dry-run" ])
                "a cycle of tasks is learned from numbers"
                "a cycle"

            Expect.stringContains
                (refused [ "train"; "external:true"; "--learner"; "drqv2"; "--dry-run" ])
                "Pictures can be observed of our own tasks"
                "a program of one's own"
        }

        test "--pixels means drq unless a file or the command line names a learner" {
            use folder = new TemporaryFolder()
            let file = folder.File "a.yaml"

            let train (text: string) (more: string list) =
                File.WriteAllText(file, text)

                let _, output, errors =
                    shell ([ "train"; "Hopper-v4"; "--pixels"; "--config"; file; "--dry-run" ] @ more)

                output + errors

            let short = "run.steps: 20000\n"
            Expect.isMatch (train short []) @"run\.learner +drq +--pixels" "a file that names none"
            Expect.isMatch (train short [ "run.learner=drqv2" ]) @"run\.learner +drqv2 " "the command line"
            Expect.isMatch (train (short + "run.learner: drqv2\n") []) @"run\.learner +drqv2 " "a file"

            Expect.stringContains
                (train (short + "run.learner: sac\n") [])
                "sac learns from numbers; from pictures learn --learner drq and --learner drqv2"
                "a file that names one from numbers"
        }

        test "random actions: steps, episodes, speed" {
            let run =
                json (ok [ "env"; "run"; "Hopper-v4"; "--steps"; "200"; "--seed"; "3"; "--json" ])

            let number (name: string) = run.GetProperty(name).GetDouble()
            Expect.equal (number "steps") 200.0 "steps"
            Expect.isGreaterThan (number "episodes") 2.0 "Hopper falls"

            let returns = [
                for value in run.GetProperty("returns").EnumerateArray() -> value.GetDouble()
            ]

            Expect.floatClose Accuracy.high (number "meanReturn") (List.average returns) "mean"
            Expect.isGreaterThan (number "controlStepsPerSecond") 0.0 "speed"
            Expect.equal (run.GetProperty("framesPerSecond").ValueKind) JsonValueKind.Null "no frames"
            let text = ok [ "env"; "run"; "Hopper-v4"; "--steps"; "3" ]
            Expect.stringContains text "none complete; more --steps" "what to do"
        }

        test "random actions on pixels: frames, and a video of it" {
            use folder = new TemporaryFolder()
            let file = folder.File "a.png"

            let arguments = [
                "env"
                "run"
                "Hopper-v4"
                "--pixels"
                "--steps"
                "5"
                "--video"
                file
                "--size"
                "64x48"
                "--json"
            ]

            let run = json (ok arguments)
            Expect.isGreaterThan (run.GetProperty("framesPerSecond").GetDouble()) 0.0 "frames per second"
            Expect.equal (run.GetProperty("video").GetString()) file "the video"
            Expect.isTrue (File.Exists file) "the video is there"
            Expect.stringContains (refused arguments) "--overwrite" "a second time"
            ok (arguments @ [ "--overwrite" ]) |> ignore
        }

        test "a video that cannot be made is refused before anything is done" {
            // The host of these tests has no PATH, hence no ffmpeg.
            Expect.stringContains (refused [ "env"; "run"; "Hopper-v4"; "--video"; "a.mp4" ]) "apt-get install ffmpeg" "no ffmpeg"
            Expect.stringContains (refused [ "env"; "run"; "Hopper-v4"; "--video"; "a.txt" ]) "'a.txt'" "no format"

            let code, _, errors =
                shell [ "env"; "run"; "Hopper-v4"; "--steps"; "1"; "--video"; "/dev/null/a.png" ]

            Expect.equal code ExitCode.Failed "a place where nothing can be written"
            Expect.stringContains errors "/dev/null/a.png cannot be written" "which file"
        }

        test "an environment of one's own is shown, tried and filmed like ours" {
            use folder = new TemporaryFolder()

            let task =
                Path.Combine(__SOURCE_DIRECTORY__, "../../examples/reaching-arm/reaching-arm.yaml")

            Expect.stringContains (ok [ "env"; "show"; task ]) "A hanging arm of two links" "its own description"
            let file = folder.File "arm.png"

            let run =
                json (
                    ok [
                        "env"
                        "run"
                        task
                        "--steps"
                        "3"
                        "--video"
                        file
                        "--size"
                        "64x48"
                        "--json"
                    ]
                )

            Expect.equal (run.GetProperty("videoFrames").GetInt32()) 4 "the start and three steps"
            Expect.isTrue (File.Exists file) "the video is there"
            Expect.stringContains (refused [ "env"; "show"; "none.yaml" ]) "there is no task file" "a file that is not there"
        }

        test "a program that renders is filmed, one that does not is shown and tried" {
            use folder = new TemporaryFolder()
            let clients = Path.Combine(__SOURCE_DIRECTORY__, "../../clients/python")

            let id (environment: string) =
                $"external:{Python.interpreter} {clients}/ne_environment.py {environment}"

            let file = folder.File "a.png"

            let film (environment: string) =
                shell [
                    "env"
                    "run"
                    id environment
                    "--steps"
                    "3"
                    "--video"
                    file
                    "--size"
                    "64x48"
                    "--json"
                ]

            let _, filmed, errors = film (Path.Combine(clients, "pendulum_example.py:Pendulum"))

            Expect.equal ((json filmed).GetProperty("videoFrames").GetInt32()) 4 errors
            Expect.isTrue (File.Exists file) "the video is there"
            File.Delete file

            let blind = folder.File "blind.py"

            File.WriteAllText(
                blind,
                """
class Space:
    low, high, shape = [-1.0], [1.0], (1,)

class Blind:
    action_space = observation_space = Space()
    def reset(self, seed=None):
        return [0.0], {}
    def step(self, action):
        return [0.0], 1.0, False, False, {}
"""
            )

            let id = id $"{blind}:Blind"
            let shown = json (ok [ "env"; "show"; id; "--json" ])
            Expect.equal (shown.GetProperty("camera").ValueKind) JsonValueKind.Null "what is not known"
            let run = json (ok [ "env"; "run"; id; "--steps"; "5"; "--json" ])
            Expect.equal (run.GetProperty("steps").GetInt32()) 5 "steps"
            let code, _, errors = film $"{blind}:Blind"
            Expect.equal code ExitCode.Failed errors
            Expect.stringContains errors "cannot be recorded: it does not render" "why"
            Expect.stringContains (refused [ "env"; "show"; id; "--pixels" ]) "Pictures can be observed of our own tasks" "no pictures"
            Expect.equal (Directory.GetFiles folder.Path) [| blind |] "no part of a video is left"
        }
    ]
