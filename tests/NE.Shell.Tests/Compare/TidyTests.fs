module NE.Shell.Tests.Compare.TidyTests

open System.Diagnostics
open System.IO
open Expecto
open NE.Shell.Reports.Compare.Data
open NE.Shell.Tests.Compare.RunFiles
open NE.Shell.Tests.Support
open NE.Tests

let private clients =
    Path.GetFullPath(Path.Combine(__SOURCE_DIRECTORY__, "../../../clients/python"))

/// Exit code, output and errors of Python with these arguments; skipped where there is none.
let private python (arguments: string list) =
    if not (File.Exists Python.interpreter) then
        skiptest "there is no Python"

    let info =
        ProcessStartInfo(Python.interpreter, arguments, RedirectStandardOutput = true, RedirectStandardError = true)

    info.Environment["PYTHONPATH"] <- clients
    info.Environment["PYTHONDONTWRITEBYTECODE"] <- "1"

    match Process.Start info with
    | null -> failtest "python3 did not start"
    | started ->
        let errors = started.StandardError.ReadToEndAsync()
        let output = started.StandardOutput.ReadToEnd()
        started.WaitForExit()
        started.ExitCode, output, errors.Result

/// What tidy calls the runs of a folder.
let private algorithms (runs: string) =
    let code, output, errors = python [ Path.Combine(clients, "ne_runs.py"); runs ]
    Expect.equal code 0 errors

    [
        for curves in ReferenceFile.Parse(output, "curves").Curves -> curves.Algorithm, curves.Seeds.Count
    ]

let private growing (omega: string) (every: string) = {
    run with
        Method = "ne"
        Keys = [ "ne.omega", omega; "checkpoint.every", every ]
}

[<Tests>]
let tests =
    testList "tidy curves in Python" [
        test "two arms of one method have two names, and the seeds of one arm have one" {
            use folder = new TemporaryFolder()
            arm folder.Path "a" (growing "0.2" "7") [ 0L ] (fun _ -> 1.0) |> ignore
            arm folder.Path "b" (growing "0.2" "8") [ 1L ] (fun _ -> 1.0) |> ignore
            arm folder.Path "c" (growing "0.4" "7") [ 0L ] (fun _ -> 2.0) |> ignore
            arm folder.Path "d" run [ 0L; 1L ] (fun _ -> 3.0) |> ignore
            Expect.equal (algorithms folder.Path) [ "ne omega=0.2", 2; "ne omega=0.4", 1; "td3", 2 ] "as `ne report` labels them"
        }

        test "runs that differ in nothing have their own names" {
            use folder = new TemporaryFolder()
            write folder.Path run |> ignore
            write folder.Path { run with Name = "b" } |> ignore
            Expect.equal (algorithms folder.Path) [ "td3 a", 1; "td3 b", 1 ] "names"
        }

        test "a label of one's own may not make one curve of two" {
            use folder = new TemporaryFolder()
            write folder.Path run |> ignore
            write folder.Path { run with Name = "b" } |> ignore

            let tidy (label: string) =
                let program =
                    $"import ne_runs, sys; print(sorted({{row['algorithm'] for row in ne_runs.tidy(ne_runs.load(sys.argv[1]), label={label})}}))"

                python [ "-c"; program; folder.Path ]

            let code, output, errors = tidy "lambda run: run.name.upper()"
            Expect.equal (code, output.Trim()) (0, "['A', 'B']") errors
            let code, output, errors = tidy "lambda run: run.info['method']"
            Expect.equal (code, output) (1, "") "stopped"
            Expect.stringContains errors "are both seed 0 of 'td3' on Hopper-v4" "which"
        }

        test "a run that is named twice is refused in one line" {
            use folder = new TemporaryFolder()
            let name = write folder.Path run

            let code, output, errors =
                python [
                    Path.Combine(clients, "ne_runs.py")
                    folder.Path
                    Path.Combine(folder.Path, name)
                ]

            Expect.equal (code, output, errors.TrimEnd().Split('\n').Length) (1, "", 1) errors
            Expect.stringContains errors "ne_runs: " "message"
        }
    ]
