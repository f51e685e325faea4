/// The launcher script in a tree of its own with a `dotnet` that only writes down what it was asked.
module NE.Shell.Tests.LauncherTests

open System
open System.Diagnostics
open System.IO
open Expecto
open NE.Shell.Tests.Support

let private repository =
    Path.GetFullPath(Path.Combine(__SOURCE_DIRECTORY__, "../.."))

let private output = "bin/Release/net10.0/linux-x64"

/// `dotnet build` makes the files that a build makes (and fails where `broken` lies), and notes when nobody holds the lock; anything else is a program:
/// a test runner writes the summary that the test prepared, `ne` prints its arguments and exits with 7.
let private fakeDotnet =
    """#!/usr/bin/env bash
root="$(dirname "$(readlink -f "$0")")/.."
echo "$@" >>"$root/calls"
case "$1" in
build | publish)
    flock -n "$root/tree/.ne/lock" true && echo "$@" >>"$root/unlocked"
    [[ -e "$root/broken" ]] && { echo "error CS0001: broken on purpose"; exit 1; }
    case "$2" in
    *NE.Shell.csproj) made=.ne/published/ne.dll ;;
    *NE.Benchmarks.fsproj) made=benchmarks/NE.Benchmarks/OUTPUT/NE.Benchmarks.dll ;;
    *) exit 0 ;;
    esac
    mkdir -p "$root/tree/$(dirname "$made")" && wc -l <"$root/calls" >"$root/tree/$made" ;;
pack)
    [[ -e "$root/unpackable" ]] && { echo "error NU5000: unpackable on purpose"; exit 1; }
    exit 0 ;;
*/tests/*)
    name="$(basename "$1" .dll)"
    echo "noise of $name"
    [[ -e "$root/summary-$name" ]] && cat "$root/summary-$name" >>"$NE_TEST_SUMMARY"
    [[ -e "$root/failures-$name" ]] && cat "$root/failures-$name" >>"$NE_TEST_FAILURES"
    [[ -e "$root/exit-$name" ]] && exit "$(cat "$root/exit-$name")"
    exit 0 ;;
*/NE.Benchmarks.dll)
    [[ -e "$root/exit-$2" ]] && exit "$(cat "$root/exit-$2")"
    exit 0 ;;
*) echo "ne: ${*:2}"; exit 7 ;;
esac
"""
        .Replace("OUTPUT", output)

/// Says which libraries the linker knows: what the test wrote down, or else that OpenGL is there.
let private fakeLdconfig =
    """#!/usr/bin/env bash
root="$(dirname "$(readlink -f "$0")")/.."
if [[ -e "$root/libraries" ]]; then cat "$root/libraries"; else echo "libOSMesa.so.8"; fi
"""

/// Writes down what it was asked; `install` makes the linker know what the test prepared.
let private fakeApt =
    """#!/usr/bin/env bash
root="$(dirname "$(readlink -f "$0")")/.."
echo "$@" >>"$root/apt"
if [[ "$1" == install && -e "$root/brings" ]]; then cp "$root/brings" "$root/libraries"; else [[ "$1" != install ]]; fi
"""

type private Tree() =
    let folder = new TemporaryFolder()
    let file (name: string) = folder.File name

    let write (name: string) (text: string) =
        let path = file name
        Directory.CreateDirectory(nonNull (Path.GetDirectoryName path)) |> ignore
        File.WriteAllText(path, text)

    let executable =
        UnixFileMode.UserRead ||| UnixFileMode.UserWrite ||| UnixFileMode.UserExecute

    do
        write "tree/ne" (File.ReadAllText(Path.Combine(repository, "ne")))
        write "bin/dotnet" fakeDotnet
        write "bin/ldconfig" fakeLdconfig
        write "bin/apt-get" fakeApt

        for name in [ "tree/ne"; "bin/dotnet"; "bin/ldconfig"; "bin/apt-get" ] do
            File.SetUnixFileMode(file name, executable)

        for source in
            [
                "NE.Shell/A.cs"
                "NE.Actors/A.cs"
                "NE.Model.fs/A.fs"
                "presets/a.yaml"
                "seq/a.json"
                "benchmarks/peers/a.py"
                "Directory.Build.props"
                "global.json"
            ] do
            write $"tree/{source}" ""

        for project in [ "NE.A.Tests"; "NE.EndToEnd" ] do
            write $"tree/tests/{project}/{project}.fsproj" ""

        Directory.CreateDirectory(file "home") |> ignore

    member _.File name = file name
    member _.Write(name, text) = write name text

    /// A program that is found before the machine's own.
    member _.Program(name: string, text: string) =
        write $"bin/{name}" text
        File.SetUnixFileMode(file $"bin/{name}", executable)

    member _.Calls =
        if File.Exists(file "calls") then
            File.ReadAllLines(file "calls")
        else
            [||]

    /// What apt-get was asked to install.
    member _.Installed =
        if File.Exists(file "apt") then
            File.ReadAllLines(file "apt")
            |> Array.filter _.StartsWith("install")
            |> Array.map (fun line -> line.Replace("install -y --no-install-recommends ", ""))
        else
            [||]

    /// Makes the launcher believe that this user runs it: 0 is root.
    member _.User(number: int) =
        write "bin/id" $"#!/bin/sh\necho {number}\n"
        File.SetUnixFileMode(file "bin/id", executable)

    /// Builds of the executable or of the benchmarks, with their options.
    member this.Builds =
        this.Calls
        |> Array.filter (fun call -> call.StartsWith "build" || call.StartsWith "publish")

    /// Exit code, standard output and standard error of a command in a folder of its own.
    member _.Run(command: string, [<ParamArray>] arguments: string[]) =
        let start =
            ProcessStartInfo(
                command,
                arguments,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                WorkingDirectory = file "home"
            )

        start.Environment["PATH"] <- file "bin" + ":" + Environment.GetEnvironmentVariable "PATH"
        start.Environment["HOME"] <- file "home"
        // The library is not what these tests are about.
        start.Environment["MUJOCO_PATH"] <- file "home"
        start.Environment.Remove "NE_TEST_SUMMARY" |> ignore
        use running = nonNull (Process.Start start)
        let errors = running.StandardError.ReadToEndAsync()
        let text = running.StandardOutput.ReadToEnd()
        running.WaitForExit()
        running.ExitCode, text, errors.Result

    member this.Ne([<ParamArray>] arguments: string[]) = this.Run(file "tree/ne", arguments)

    interface IDisposable with
        member _.Dispose() = (folder :> IDisposable).Dispose()

let private lastLine (text: string) =
    text.Split('\n', StringSplitOptions.RemoveEmptyEntries) |> Array.last

[<Tests>]
let completion =
    test "what bash completes are words, and nothing in them is evaluated" {
        use tree = new Tree()
        let _, script, _ = shell [ "completion"; "bash" ]
        tree.Write("completion", script)
        tree.Program("words", "#!/bin/sh\nprintf '%s\\n' 'a$(touch evaluated)' 'a`touch evaluated`' 'a b' '*' other\n")

        let asked =
            "source ../completion; COMP_LINE='ne resume a' COMP_POINT=11 COMP_WORDS=(ne resume a) COMP_CWORD=2; "
            + "_ne words; printf '%s\\n' \"${COMPREPLY[@]}\""

        let code, text, errors = tree.Run("bash", "-c", asked)
        Expect.equal (code, text) (0, "a$(touch evaluated)\na`touch evaluated`\na b\n") errors
        Expect.isFalse (File.Exists(tree.File "home/evaluated")) "a name was evaluated"
    }

[<Tests>]
let tests =
    testList "the launcher" [
        for script in [ "ne"; ".ci/run" ] do
            test $"{script} is valid bash" {
                use running = Process.Start("bash", [| "-n"; Path.Combine(repository, script) |])
                running.WaitForExit()
                Expect.equal running.ExitCode 0 "bash -n"
            }

        test "builds once, then runs the executable with its arguments and exit code" {
            use tree = new Tree()
            let code, text, errors = tree.Ne("train", "Hopper-v4", "--name", "a b")
            Expect.equal (code, text) (7, "ne: train Hopper-v4 --name a b\n") errors
            Expect.hasLength (errors.Split('\n', StringSplitOptions.RemoveEmptyEntries)) 1 "one line of progress"
            let _, _, second = tree.Ne "status"
            Expect.equal (tree.Builds.Length, second) (1, "") "no second build, no line"
        }

        for name, change in
            [
                "a changed source", (fun (tree: Tree) -> tree.Write("tree/NE.Model.fs/A.fs", "x"))
                "a new source", (fun tree -> tree.Write("tree/NE.Actors/Deep/B.cs", ""))
                "a deleted source", (fun tree -> File.Delete(tree.File "tree/NE.Shell/A.cs"))
                "a changed project setting", (fun tree -> tree.Write("tree/Directory.Build.props", "x"))
                "a deleted build", (fun tree -> File.Delete(tree.File "tree/.ne/app/ne.dll"))
            ] do
            test $"{name} means a new build" {
                use tree = new Tree()
                tree.Ne "status" |> ignore
                change tree
                tree.Ne "status" |> ignore
                Expect.hasLength tree.Builds 2 "builds"
            }

        test "a new build leaves a program that runs the files that it began with" {
            use tree = new Tree()
            let program = tree.File "tree/.ne/app/ne.dll"
            tree.Ne "status" |> ignore
            use running = new StreamReader(File.OpenRead program)
            let began = File.ReadAllText program
            tree.Write("tree/NE.Actors/A.cs", "x")
            tree.Ne "status" |> ignore
            Expect.notEqual (File.ReadAllText program) began "another build"
            Expect.equal (running.ReadToEnd()) began "the old one"
        }

        test "what a build leaves behind is no change" {
            use tree = new Tree()
            tree.Ne "status" |> ignore
            tree.Write("tree/NE.Actors/obj/x.cs", "")
            File.SetLastWriteTime(tree.File "tree/NE.Actors", DateTime.Now.AddDays -1.0)
            tree.Ne "status" |> ignore
            Expect.hasLength tree.Builds 1 "builds"
        }

        test "works through a symbolic link from another folder" {
            use tree = new Tree()
            File.CreateSymbolicLink(tree.File "home/link", tree.File "tree/ne") |> ignore
            let code, text, errors = tree.Run(tree.File "home/link", "status")
            Expect.equal (code, text) (7, "ne: status\n") errors
        }

        test "a failing build shows its output and exits with 2" {
            use tree = new Tree()
            tree.Write("broken", "")
            let code, text, errors = tree.Ne "status"
            Expect.equal (code, text) (2, "") "exit code"
            Expect.stringContains errors "error CS0001: broken on purpose" "the log"
        }

        test "a build whose files cannot be put in place is a failure, and is made again" {
            use tree = new Tree()
            tree.Write("tree/.ne/app/ne.dll/in the way", "")
            let code, text, errors = tree.Ne "status"
            Expect.equal (code, text) (2, "") errors
            Expect.stringContains errors "ne.dll" "the log"
            Directory.Delete(tree.File "tree/.ne/app/ne.dll", true)
            let code, _, errors = tree.Ne "status"
            Expect.equal (code, tree.Builds.Length) (7, 2) errors
        }

        test "what can follow on a line is asked of what is there, and nothing is built for it" {
            use tree = new Tree()
            let nothing, text, errors = tree.Ne("complete", "ne tr")
            Expect.equal (nothing, text, errors, tree.Calls) (0, "", "", [||]) "nothing is there"
            tree.Ne "status" |> ignore
            tree.Write("tree/NE.Model.fs/A.fs", "x")
            let code, text, errors = tree.Ne("complete", "ne tr")
            Expect.equal (code, text, errors) (7, "ne: complete ne tr\n", "") "what is there, though a source is newer"
            Expect.hasLength tree.Builds 1 "builds"
        }

        test "charts that npm cannot bring are tried once for the same sources" {
            use tree = new Tree()
            tree.Program("npm", "#!/bin/sh\nexit 1\n")

            for command in [ "train"; "serve"; "serve" ] do
                let code, _, errors = tree.Ne command
                Expect.equal code 7 errors

            Expect.hasLength tree.Builds 1 "the first build had tried"
            tree.Write("tree/NE.Shell/A.cs", "x")
            tree.Ne "serve" |> ignore
            tree.Ne "serve" |> ignore
            Expect.hasLength tree.Builds 2 "other sources are another try"
        }

        test "what was built before there was npm is built again for the charts" {
            use tree = new Tree()
            tree.Program("npm", "#!/bin/sh\nexit 1\n")
            tree.Ne "status" |> ignore
            // As a build without npm leaves it.
            File.Delete(tree.File "tree/.ne/without-charts")
            tree.Ne "status" |> ignore
            Expect.hasLength tree.Builds 1 "not where no page is asked for"
            tree.Ne "serve" |> ignore
            Expect.hasLength tree.Builds 2 "for a page"
            File.WriteAllText(tree.File "tree/.ne/without-charts", "")
            tree.Ne "serve" |> ignore
            Expect.hasLength tree.Builds 3 "an npm that has come since is another try"
            tree.Write("tree/NE.Shell/obj/page/node_modules/uplot/dist/uPlot.esm.js", "")
            File.Delete(tree.File "tree/.ne/without-charts")
            tree.Ne "serve" |> ignore
            Expect.hasLength tree.Builds 3 "the charts are there"
        }

        test "another accelerator is another build" {
            use tree = new Tree()
            tree.Ne "status" |> ignore
            tree.Run("env", "NE_ACCELERATOR=cuda", tree.File "tree/ne", "status") |> ignore
            Expect.hasLength tree.Builds 2 "builds"
            Expect.stringContains (Array.last tree.Builds) "-p:Accelerator=cuda" "passed on"
        }

        testList "OpenGL" [
            let mesa = "libegl1 libegl-mesa0 libgl1-mesa-dri"

            for command, expected in
                [
                    "train dmc/walker-walk --pixels", [| mesa |]
                    "train Hopper-v4 --video-every 50000", [| mesa |]
                    "train Hopper-v4 --video-every=50000", [| mesa |]
                    "resume a-run video.every=50000", [| mesa |]
                    "env run Hopper-v4 --video x.mp4", [| mesa |]
                    "record a-run", [| mesa |]
                    "train dmc/walker-walk --learner drqv2", [| mesa |]
                    "import a.safetensors dmc/walker-walk run.learner=drq", [| mesa |]
                    "torture", [| mesa |]
                    "sweep paper/pixels", [| mesa |]
                    "sweep paper/states", [||]
                    "resume of-pictures", [| mesa |]
                    "resume of-states", [||]
                    "test", [| mesa + " libosmesa6" |]
                    "train Hopper-v4", [||]
                    "train Hopper-v4 --pixels --dry-run", [||]
                    "record --help", [||]
                    "doctor", [||]
                    "compare a b --pixels", [||]
                ] do
                test $"'ne {command}' as root brings {expected.Length} lists of packages" {
                    use tree = new Tree()
                    tree.User 0
                    tree.Write("libraries", "libc.so.6\n")
                    tree.Write("brings", "libEGL.so.1\nlibOSMesa.so.8\n")
                    tree.Write("tree/presets/paper/pixels.yaml", "keys:\n  run.learner: [td3, drq]\n")
                    tree.Write("tree/presets/paper/states.yaml", "keys:\n  run.learner: sac\n")
                    // Every stored configuration has the keys of all learners.
                    tree.Write("home/runs/of-pictures/config.yaml", "run:\n  learner: drqv2\ndrqv2:\n  noiseClip: 0.3\n")
                    tree.Write("home/runs/of-states/config.yaml", "run:\n  learner: td3\ndrqv2:\n  noiseClip: 0.3\n")
                    let _, _, errors = tree.Ne(command.Split ' ')
                    Expect.equal tree.Installed expected errors
                    Expect.isFalse (errors.Contains "pictures need") errors
                }

            for what, libraries in
                [
                    "OSMesa", "libOSMesa.so.8 (libc6,x86-64)"
                    "a graphics card's EGL", "libEGL.so.1 (libc6)\nlibEGL_nvidia.so.0 (libc6)"
                ] do
                test $"nothing is brought where {what} is there" {
                    use tree = new Tree()
                    tree.User 0
                    tree.Write("libraries", libraries)
                    let code, _, errors = tree.Ne("record", "a-run")
                    Expect.equal (tree.Installed, code) ([||], 7) errors
                }

            for what, user, libraries in
                [
                    "without rights", 1000, "libc.so.6"
                    "when the packages cannot be brought", 0, "libc.so.6"
                    "with a libEGL that has no driver", 1000, "libEGL.so.1"
                ] do
                test $"{what} it says what to install and goes on to the executable" {
                    use tree = new Tree()
                    tree.User user
                    tree.Write("libraries", libraries)
                    let code, text, errors = tree.Ne("record", "a-run")
                    Expect.equal (code, text) (7, "ne: record a-run\n") errors
                    Expect.stringContains errors $"Install it: apt-get install {mesa}\n" "what to install"
                    Expect.equal (tree.Installed.Length > 0) (user = 0) "only root installs"
                }
        ]

        testList "test" [
            let prepared (summaries: (string * string) list) (exits: (string * int) list) =
                let tree = new Tree()

                for name, summary in summaries do
                    tree.Write($"summary-{name}", summary + "\n")

                for name, code in exits do
                    tree.Write($"exit-{name}", string code)

                tree

            for name, summaries, exits, arguments, expectedCode, expectedLine in
                [
                    "adds up",
                    [
                        "NE.A.Tests", "3 passed, 0 failed, 1 skipped"
                        "NE.EndToEnd", "2 passed, 0 failed, 0 skipped"
                    ],
                    [],
                    [],
                    0,
                    "5 passed, 0 failed"
                    "--unit leaves the end-to-end tests out",
                    [ "NE.A.Tests", "3 passed, 0 failed, 1 skipped" ],
                    [],
                    [ "--unit" ],
                    0,
                    "3 passed, 0 failed"
                    "a failed test fails",
                    [
                        "NE.A.Tests", "3 passed, 1 failed, 0 skipped"
                        "NE.EndToEnd", "2 passed, 0 failed, 0 skipped"
                    ],
                    [ "NE.A.Tests", 1 ],
                    [],
                    1,
                    "5 passed, 1 failed"
                    "a runner without a summary fails",
                    [ "NE.A.Tests", "3 passed, 0 failed, 0 skipped" ],
                    [ "NE.EndToEnd", 134 ],
                    [],
                    1,
                    "3 passed, 1 failed"
                    "a runner that crashes after its summary fails",
                    [ "NE.A.Tests", "3 passed, 0 failed, 0 skipped" ],
                    [ "NE.A.Tests", 139 ],
                    [ "--unit" ],
                    1,
                    "3 passed, 1 failed"
                    "no test at all fails",
                    [ "NE.A.Tests", "0 passed, 0 failed, 0 skipped" ],
                    [ "NE.A.Tests", 2 ],
                    [ "--unit"; "--filter"; "x" ],
                    1,
                    "0 passed, 0 failed"
                    "a filter may leave a runner without tests",
                    [
                        "NE.A.Tests", "1 passed, 0 failed, 0 skipped"
                        "NE.EndToEnd", "0 passed, 0 failed, 0 skipped"
                    ],
                    [ "NE.EndToEnd", 2 ],
                    [ "--filter"; "x" ],
                    0,
                    "1 passed, 0 failed"
                ] do
                test name {
                    use tree = prepared summaries exits
                    let code, text, errors = tree.Ne(Array.ofList ("test" :: arguments))
                    Expect.equal (code, lastLine text) (expectedCode, expectedLine) errors
                }

            test "a suite is a line, and its failures in full; everything else goes to a file that is named" {
                use tree =
                    prepared [
                        "NE.A.Tests", "3 passed, 1 failed, 0 skipped"
                        "NE.EndToEnd", "2 passed, 0 failed, 0 skipped"
                    ] [ "NE.A.Tests", 1 ]

                tree.Write("failures-NE.A.Tests", "FAILED a.b\nexpected 1, found 2\n")
                let _, text, _ = tree.Ne "test"
                let lines = text.Split('\n', StringSplitOptions.RemoveEmptyEntries)
                Expect.equal (lines.Length, Array.last lines) (6, "5 passed, 1 failed") "the closing line"
                // They end in any order, but a report is in one piece.
                let suite =
                    lines
                    |> Array.findIndex _.StartsWith("NE.A.Tests             3 passed, 1 failed, 0 skipped, ")

                Expect.equal lines[suite + 1 .. suite + 2] [| "FAILED a.b"; "expected 1, found 2" |] "its failures"
                Expect.stringContains lines[suite + 3] ".ne/test-NE.A.Tests.log" "where the rest is"

                let other =
                    lines
                    |> Array.findIndex _.StartsWith("NE.EndToEnd            2 passed, 0 failed, 0 skipped, ")

                Expect.isTrue (other = 0 || other = 4) "the other suite"
                Expect.isFalse (text.Contains "noise") "quiet"
            }

            test "a runner that dies without a summary shows its last lines" {
                use tree =
                    prepared [ "NE.EndToEnd", "2 passed, 0 failed, 0 skipped" ] [ "NE.A.Tests", 134 ]

                let _, _, errors = tree.Ne "test"
                Expect.stringContains errors "noise of NE.A.Tests" "its output"
                Expect.stringContains errors "exit code 134" "and how it ended"
            }

            test "a failing build is a failure" {
                use tree = prepared [] []
                tree.Write("broken", "")
                let code, text, _ = tree.Ne "test"
                Expect.equal (code, lastLine text) (2, "0 passed, 1 failed") "summary"
            }

            test "what it has built under the lock need not be built again" {
                use tree = prepared [ "NE.A.Tests", "3 passed, 0 failed, 0 skipped" ] []
                let code, _, errors = tree.Ne("test", "--unit")
                Expect.equal code 0 errors
                let built = tree.Builds
                let code, _, errors = tree.Ne "status"
                Expect.equal (code, tree.Builds) (7, built) errors
                Expect.isFalse (File.Exists(tree.File "unlocked")) "built while nobody held the lock"
            }

            test "what it has built in half is built again" {
                use tree = prepared [] []
                tree.Ne "status" |> ignore
                tree.Write("broken", "")
                tree.Ne "test" |> ignore
                File.Delete(tree.File "broken")
                let before = tree.Builds.Length
                let code, _, errors = tree.Ne "status"
                Expect.equal (code, tree.Builds.Length) (7, before + 1) errors
            }
        ]

        testList "pack" [
            test "packs the two libraries and the tool from what was built, once" {
                use tree = new Tree()
                let code, text, errors = tree.Ne("pack", "-o", "x")
                Expect.equal (code, text) (0, "") errors
                tree.Ne "pack" |> ignore
                Expect.hasLength tree.Builds 1 "builds"

                let packed = tree.Calls |> Array.filter _.StartsWith("pack")

                Expect.equal
                    [ for call in packed[..2] -> Path.GetFileName(call.Split(' ')[1]) ]
                    [ "NE.Model.fs"; "NE.Actors"; "NE.Shell" ]
                    "projects"

                Expect.all packed[..2] _.EndsWith("-o x") "options are passed on"
                Expect.all packed _.Contains("--no-build") "of what was built"
            }

            test "a package that cannot be made is a failure with its output" {
                use tree = new Tree()
                tree.Write("unpackable", "")
                let code, _, errors = tree.Ne "pack"
                Expect.equal code 2 errors
                Expect.stringContains errors "error NU5000: unpackable on purpose" "the log"
            }
        ]

        testList "bench" [
            let measured (tree: Tree) =
                tree.Calls
                |> Array.filter (fun call -> not (call.StartsWith "build"))
                |> Array.map (fun call -> call.Substring(call.LastIndexOf "NE.Benchmarks.dll" + 18))

            test "builds the benchmarks and passes a benchmark its options" {
                use tree = new Tree()
                let code, text, errors = tree.Ne("bench", "task", "Hopper-v4", "--json", "a b.json")
                Expect.equal (code, text) (0, "") errors
                Expect.stringContains tree.Calls[0] "build" "first the build"
                Expect.stringContains tree.Calls[0] "benchmarks/NE.Benchmarks/NE.Benchmarks.fsproj" "of the benchmarks"
                Expect.equal (measured tree) [| "task Hopper-v4 --json a b.json" |] "what ran"
            }

            test "is built once, and again when a source or the accelerator changes" {
                use tree = new Tree()
                tree.Ne("bench", "task") |> ignore
                let _, _, second = tree.Ne("bench", "task")
                Expect.equal (tree.Builds.Length, second) (1, "") "no second build, no line"
                tree.Write("tree/benchmarks/peers/a.py", "x")
                tree.Ne("bench", "task") |> ignore
                Expect.hasLength tree.Builds 2 "a changed peer"

                tree.Run("env", "NE_ACCELERATOR=cuda", tree.File "tree/ne", "bench", "task")
                |> ignore

                Expect.hasLength tree.Builds 3 "another accelerator"
                Expect.equal (measured tree).Length 4 "it ran each time"
            }

            for arguments in [ [ "bench" ]; [ "bench"; "all" ] ] do
                test $"{arguments} runs every benchmark, each with its report" {
                    use tree = new Tree()
                    let code, _, errors = tree.Ne(Array.ofList arguments)
                    Expect.equal code 0 errors

                    Expect.equal
                        (measured tree)
                        [|
                            "learner --json results/benchmarks/learner.json"
                            "pixels --json results/benchmarks/pixels.json"
                            "run --json results/benchmarks/run.json"
                            "environments --json results/benchmarks/environments.json"
                            "task --json results/benchmarks/task.json"
                            "inference --json results/benchmarks/inference.json"
                            "memory --json results/benchmarks/memory.json"
                            "page --json results/benchmarks/page.json"
                            "fleet --json results/benchmarks/fleet.json"
                        |]
                        "what ran"
                }

            test "a benchmark that fails does not keep the others from running, and is named" {
                use tree = new Tree()
                tree.Write("exit-run", "2")
                let code, _, errors = tree.Ne "bench"
                Expect.equal (code, (measured tree).Length) (2, 9) errors
                Expect.stringContains errors "failed: run\n" "its name"
            }

            test "the exit code is the benchmark's" {
                use tree = new Tree()
                tree.Write("exit-task", "1")
                let code, _, errors = tree.Ne("bench", "task", "--rounds")
                Expect.equal code 1 errors
            }

            test "all takes no options" {
                use tree = new Tree()
                let code, _, errors = tree.Ne("bench", "all", "--rounds", "3")
                Expect.equal (code, tree.Calls) (1, [||]) errors
                Expect.stringContains errors "takes no options" "message"
            }

            test "a failing build measures nothing" {
                use tree = new Tree()
                tree.Write("broken", "")
                let code, _, errors = tree.Ne("bench", "task")
                Expect.equal (code, measured tree) (2, [||]) errors
                Expect.stringContains errors "error CS0001: broken on purpose" "the log"
            }

            test "its help is the executable's" {
                use tree = new Tree()
                let code, text, errors = tree.Ne("bench", "--help")
                Expect.equal (code, text) (7, "ne: bench --help\n") errors
            }
        ]
    ]
