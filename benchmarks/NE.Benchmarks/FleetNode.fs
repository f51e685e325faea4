namespace NE.Benchmarks

open System
open System.Text.RegularExpressions
open System.Threading
open NE.Benchmarks.Report

/// A machine of a fleet: `ne node` in a process of its own on this one, at a free port.
[<Sealed>]
type FleetNode(keyFile: string, name: string, arguments: string list) =
    static let patience = TimeSpan.FromSeconds 60.0
    let said = Text.StringBuilder()

    let started =
        NeProcess.start
            (fun info ->
                info.RedirectStandardInput <- true
                info.RedirectStandardError <- true)
            [
                "node"
                "--name"
                name
                "--port"
                "0"
                "--fleet-key"
                keyFile
                "--stop-at-eof"
                yield! arguments
            ]

    let address =
        // Its first line says that it has joined, and where it is.
        use joined = new ManualResetEventSlim()

        let hear (line: string | null) =
            lock said (fun () -> said.AppendLine line |> ignore)

        started.OutputDataReceived.Add(fun line ->
            hear line.Data
            joined.Set())

        started.ErrorDataReceived.Add(fun line -> hear line.Data)
        started.BeginOutputReadLine()
        started.BeginErrorReadLine()
        joined.Wait patience |> ignore

        match Regex.Match(lock said said.ToString, @" is at (\S+?),") with
        | found when found.Success -> found.Groups[1].Value
        | _ -> raise (BenchmarkFailed $"`ne node` did not join: {lock said said.ToString}")

    /// Where the others reach it, HOST:PORT.
    member _.Address: string = address

    /// Ends it as kill -9 does.
    member _.Kill() : unit = started.Kill()

    interface IDisposable with
        member _.Dispose() =
            started.Kill()
            started.WaitForExit()
            started.Dispose()
