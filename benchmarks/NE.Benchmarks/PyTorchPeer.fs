namespace NE.Benchmarks

open System
open System.Diagnostics
open System.Globalization
open System.IO
open System.Runtime.Intrinsics.X86
open NE.Model
open NE.Benchmarks.Report

/// What the PyTorch program does in a step.
type PyTorchWork =
    /// A gradient step on a full replay buffer of random rows.
    | Learner of LearnerKind
    /// Actions for so many observations at a time; a step is one action.
    | Act of rows: int
    /// Act, step MuJoCo, store, one gradient step. The library's path and the MJCF file are those that we use.
    | Loop of library: string * model: string * frameSkip: int * timeLimit: int

/// Sizes and threads of the PyTorch program.
type PyTorchOptions = {
    Work: PyTorchWork
    Observation: int
    Action: int
    Hidden: int list
    Batch: int
    MaxAction: float
    ReplayRows: int
    /// Threads of torch, and of its BLAS.
    Threads: int
    /// Where gradient steps are computed: cpu, cuda or cuda:N.
    Device: string
    /// The Python that has PyTorch.
    Python: string
} with

    member this.OnCpu = (this.Device = "cpu")

/// What answered.
type PyTorchVersions = {
    Torch: string
    Python: string
    /// The file of the BLAS; the GPU's name where that computes.
    Blas: string
    /// The kernel that OpenBLAS was told to use.
    Kernel: string
    Threads: int
}

/// One turn of the PyTorch program.
[<Struct>]
type PyTorchRound = {
    Steps: int
    Seconds: float
} with

    member this.StepsPerSecond = float this.Steps / this.Seconds

/// td3_pytorch.py or sac_pytorch.py as a child process that takes turns.
[<Sealed>]
type PyTorchPeer private (peer: PeerProcess, versions: PyTorchVersions) =
    /// Debian's, whose PyTorch computes on the CPU.
    static member Python = "/usr/bin/python3"

    /// What to do for the columns of PyTorch.
    static member Install = "apt-get install python3-torch libopenblas0-pthread"

    /// The fastest kernels of OpenBLAS on this processor. Left alone, version 0.3.21 does not know newer processors and falls back to
    /// old kernels.
    static member Kernel: string option =
        if Avx512F.VL.IsSupported && Avx512BW.VL.IsSupported && Avx512DQ.VL.IsSupported then
            Some "SkylakeX"
        elif Avx2.IsSupported then
            Some "Haswell"
        else
            None

    /// A script beside this program, on so many threads.
    static member private Script(name: string, python: string, threads: int, arguments: string list) : ProcessStartInfo =
        let start =
            ProcessStartInfo(python, Path.Combine(AppContext.BaseDirectory, name) :: arguments)

        let set name (value: string option) =
            match value with
            | Some value -> start.Environment[name] <- value
            | None -> start.Environment.Remove name |> ignore

        set "OPENBLAS_CORETYPE" PyTorchPeer.Kernel
        set "OPENBLAS_L2_SIZE" None
        set "OPENBLAS_NUM_THREADS" (Some(string threads))
        set "OMP_NUM_THREADS" (Some(string threads))
        start

    /// Starts a program that uses PyTorch; `accept` reads its first line. The error says what to install when PyTorch is not there.
    static member private Launch(python: string, start: ProcessStartInfo, accept: PeerProcess -> Result<'T, string>) : Result<'T, string> =
        if not (File.Exists python) then
            Error $"{python} was not found: {PyTorchPeer.Install}"
        else
            let peer = PeerProcess.Start("PyTorch", start)

            let stop problem =
                (peer :> IDisposable).Dispose()
                Error problem

            try
                match accept peer with
                | Ok accepted -> Ok accepted
                | Error problem -> stop problem
            with BenchmarkFailed problem ->
                if problem.Contains "No module named" then
                    stop $"{python} has no PyTorch: {PyTorchPeer.Install}"
                else
                    stop problem

    /// Starts another of our scripts, which says a line when it is ready and then answers a number of seconds with what they brought.
    static member StartScript(name: string, python: string, threads: int, arguments: string list) : Result<PeerProcess, string> =
        PyTorchPeer.Launch(
            python,
            PyTorchPeer.Script(name, python, threads, arguments),
            (fun peer ->
                peer.Read() |> ignore
                Ok peer)
        )

    static member private Command(options: PyTorchOptions) : ProcessStartInfo =
        let mode, more =
            match options.Work with
            | Learner _ -> "learner", []
            | Act rows -> "act", [ "--rows"; string rows ]
            | Loop(library, model, frameSkip, timeLimit) ->
                "loop",
                [
                    "--library"
                    library
                    "--model"
                    model
                    "--frame-skip"
                    string frameSkip
                    "--time-limit"
                    string timeLimit
                ]

        let sizes = [
            "--observation"
            string options.Observation
            "--action"
            string options.Action
            "--hidden"
            options.Hidden |> List.map string |> String.concat ","
            "--batch"
            string options.Batch
            "--max-action"
            options.MaxAction.ToString("R", CultureInfo.InvariantCulture)
            "--replay"
            string options.ReplayRows
            "--threads"
            string options.Threads
            "--device"
            options.Device
        ]

        let learner =
            match options.Work with
            | Learner learner -> learner
            | Act _
            | Loop _ -> LearnerKind.Td3

        let start =
            PyTorchPeer.Script($"{LearnerKind.nameOf learner}_pytorch.py", options.Python, options.Threads, mode :: sizes @ more)

        match options.Work with
        | Loop(library, _, _, _) ->
            // The libraries that libmujoco needs may lie beside it.
            Path.GetDirectoryName library
            |> Option.ofObj
            |> Option.filter (String.IsNullOrEmpty >> not)
            |> Option.iter (fun folder -> start.Environment["LD_LIBRARY_PATH"] <- folder)
        | _ -> ()

        start

    /// Starts it and waits until it is ready, which takes seconds. The error says what to install when PyTorch or a fast BLAS is not there.
    static member Start(options: PyTorchOptions) : Result<PyTorchPeer, string> =
        PyTorchPeer.Launch(
            options.Python,
            PyTorchPeer.Command options,
            (fun peer ->
                let ready = peer.Read()
                let text (name: string) = string (ready.GetProperty name)

                let versions = {
                    Torch = text "torch"
                    Python = text "python"
                    Blas = text "blas"
                    Kernel = text "openblasKernel"
                    Threads = ready.GetProperty("threads").GetInt32()
                }

                if not options.OnCpu || versions.Blas.Contains "openblas" then
                    Ok(new PyTorchPeer(peer, versions))
                else
                    // Twenty times slower, so no fair opponent.
                    Error $"PyTorch uses the reference BLAS ({versions.Blas}), which is no fair comparison: {PyTorchPeer.Install}")
        )

    member _.Versions = versions

    /// The process's number.
    member _.Id = peer.Id

    /// Works for about so many seconds.
    member _.Round(seconds: float) : PyTorchRound =
        let answer = peer.Ask(seconds.ToString("R", CultureInfo.InvariantCulture))

        {
            Steps = answer.GetProperty("steps").GetInt32()
            Seconds = answer.GetProperty("seconds").GetDouble()
        }

    interface IDisposable with
        member _.Dispose() = (peer :> IDisposable).Dispose()
