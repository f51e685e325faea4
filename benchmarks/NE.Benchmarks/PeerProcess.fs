namespace NE.Benchmarks

open System
open System.Collections.Concurrent
open System.Diagnostics
open System.IO
open System.Runtime.InteropServices
open System.Text.Json
open NE.Benchmarks.Report

/// A child process that says one line of JSON when it is ready and answers every line with one line of JSON. It works only between a
/// question and its answer, so that several of them can take turns. It ends by itself when its standard input does, so it cannot outlive
/// this process by more than one answer.
[<Sealed>]
type PeerProcess private (name: string, child: Process) =
    static let alive = ConcurrentDictionary<PeerProcess, unit>()
    static let mutable interrupted = false
    let complaints = ConcurrentQueue<string>()

    do
        child.ErrorDataReceived.Add(fun line ->
            match line.Data with
            | null -> ()
            | text ->
                complaints.Enqueue text

                if complaints.Count > 20 then
                    complaints.TryDequeue() |> ignore)

        child.BeginErrorReadLine()

    /// Starts a program. Raises BenchmarkFailed when there is no such program.
    static member Start(name: string, start: ProcessStartInfo) : PeerProcess =
        // A killed .NET process would leave its diagnostic sockets in the temporary folder.
        start.Environment["DOTNET_EnableDiagnostics"] <- "0"
        start.RedirectStandardInput <- true
        start.RedirectStandardOutput <- true
        start.RedirectStandardError <- true

        try
            let peer = new PeerProcess(name, nonNull (Process.Start start))
            alive[peer] <- ()
            peer
        with :? ComponentModel.Win32Exception as problem ->
            raise (BenchmarkFailed $"{name}: {start.FileName} could not be started: {problem.Message}")

    /// Until it is disposed, Ctrl-C and SIGTERM kill the children that live then. Whoever waits for an answer of theirs gets a
    /// BenchmarkFailed and can clean up.
    static member KillAllOnSignals() : IDisposable =
        let killAll (context: PosixSignalContext) =
            context.Cancel <- true
            interrupted <- true

            for peer in alive.Keys do
                peer.Kill()

        let registrations = [
            PosixSignalRegistration.Create(PosixSignal.SIGINT, killAll)
            PosixSignalRegistration.Create(PosixSignal.SIGTERM, killAll)
        ]

        {
            new IDisposable with
                member _.Dispose() =
                    for registration in registrations do
                        registration.Dispose()
        }

    /// The process's number.
    member _.Id = child.Id

    /// Waits for the next line.
    member _.Read() : JsonElement =
        match child.StandardOutput.ReadLine() with
        | null when interrupted -> raise (BenchmarkFailed "The benchmark was interrupted.")
        | null ->
            child.WaitForExit()
            let words = String.concat "\n" complaints
            raise (BenchmarkFailed($"{name} ended with exit code {child.ExitCode}. {words}".Trim()))
        | line ->
            try
                JsonDocument.Parse(line).RootElement
            with :? JsonException ->
                raise (BenchmarkFailed $"{name}: expected a line of JSON, found '{line}'")

    /// Asks and waits for the answer.
    member this.Ask(line: string) : JsonElement =
        try
            child.StandardInput.WriteLine line
            child.StandardInput.Flush()
        with :? IOException ->
            () // It ended; reading says so, with its last words.

        this.Read()

    member private _.Kill() =
        try
            child.Kill true
        with :? InvalidOperationException ->
            () // It ended before.

    interface IDisposable with
        member this.Dispose() =
            alive.TryRemove this |> ignore
            this.Kill()
            child.WaitForExit()
            child.Dispose()
