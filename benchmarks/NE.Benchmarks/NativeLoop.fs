namespace NE.Benchmarks

open System
open System.Diagnostics
open System.Globalization
open System.IO
open NE.Actors.MuJoCo
open NE.Model.Tasks

/// What a number of control steps took.
[<Struct>]
type Duration = {
    /// Seconds that passed.
    Wall: float
    /// Seconds of the processor: what other programs take from a busy machine is not in them.
    Cpu: float
}

/// environment_loop.c as a child process: the same physics in plain C.
[<Sealed>]
type NativeLoop private (child: Process) =

    /// Starts a program and gives its process, or None when it is not there.
    static let start (program: string) (arguments: string list) (libraries: string option) =
        let info =
            ProcessStartInfo(program, arguments, RedirectStandardInput = true, RedirectStandardOutput = true)

        libraries
        |> Option.iter (fun folder -> info.Environment["LD_LIBRARY_PATH"] <- folder)

        try
            Process.Start info |> Option.ofObj
        with :? ComponentModel.Win32Exception ->
            None

    /// Compiles the loop into a folder and gives the program's path; the error says why there is none.
    static member Compile(folder: string) : Result<string, string> =
        let source = Path.Combine(AppContext.BaseDirectory, "environment_loop.c")
        let program = Path.Combine(folder, "environment_loop")

        match start "gcc" [ "-O2"; "-std=gnu11"; "-o"; program; source; "-ldl" ] None with
        | None -> Error "no gcc here"
        | Some compiler ->
            use compiler = compiler
            compiler.WaitForExit()

            if compiler.ExitCode = 0 then
                Ok program
            else
                Error $"gcc failed with exit code {compiler.ExitCode}; its messages are above"

    /// Starts the compiled program so many times on one tape, whose files are written into the folder.
    static member Start(program: string, folder: string, tape: EnvironmentTape, count: int) : NativeLoop[] =
        let model, file = Path.Combine(folder, "model.xml"), Path.Combine(folder, "tape")
        File.WriteAllText(model, Robots.read tape.Task.Info.Robot)
        tape.Write file
        let library = MuJoCoLibrary.Current.Path

        // The libraries that libmujoco needs may lie beside it.
        let beside =
            Path.GetDirectoryName library
            |> Option.ofObj
            |> Option.filter (String.IsNullOrEmpty >> not)

        let one _ =
            match start program [ library; model; file ] beside with
            | Some child -> new NativeLoop(child)
            | None -> failwith $"{program} cannot be started."

        let loops = Array.init count one
        // The next task overwrites the files, so they must have been read.
        loops |> Array.iter (fun loop -> loop.Play 0 |> ignore)
        loops

    member private _.Ask(question: string) : string =
        let ended () =
            failwith "The C loop ended; its message is above."

        try
            child.StandardInput.WriteLine question
            child.StandardInput.Flush()
        with :? IOException ->
            ended ()

        match child.StandardOutput.ReadLine() with
        | null -> ended ()
        | answer -> answer

    /// Plays the tape once and gives the bits of its final state.
    member this.FinalBits() : string = this.Ask "END"

    /// Plays this many control steps from the tape's beginning.
    member this.Play(steps: int) : Duration =
        let numbers =
            (this.Ask(string steps)).Split ' '
            |> Array.map (fun text -> Double.Parse(text, CultureInfo.InvariantCulture))

        { Wall = numbers[0]; Cpu = numbers[1] }

    interface IDisposable with
        member _.Dispose() =
            try
                child.StandardInput.Close()
            with :? IOException ->
                () // It ended before.

            child.WaitForExit()
            child.Dispose()
