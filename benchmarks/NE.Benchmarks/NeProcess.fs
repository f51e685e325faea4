/// `ne` of this build in a process of its own.
module NE.Benchmarks.NeProcess

open System
open System.Diagnostics
open System.IO
open NE.Benchmarks.Report

/// With its output redirected, and what else the caller asks for. Raises BenchmarkFailed when it does not start.
let start (more: ProcessStartInfo -> unit) (arguments: string list) : Process =
    let info =
        ProcessStartInfo("dotnet", Path.Combine(AppContext.BaseDirectory, "ne.dll") :: arguments, RedirectStandardOutput = true)

    more info

    match Process.Start info with
    | null -> raise (BenchmarkFailed $"`ne {arguments.Head}` did not start")
    | started -> started
