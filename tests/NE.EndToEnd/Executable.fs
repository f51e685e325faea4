/// The real executable, as a user starts it.
module NE.EndToEnd.Executable

open System
open System.Diagnostics
open System.IO
open System.Text
open System.Threading

/// What users start, when `./ne test` says where it is; else the same code, not compiled ahead of time.
let private program =
    match Environment.GetEnvironmentVariable "NE_TEST_EXECUTABLE" with
    | null
    | "" -> Path.Combine(AppContext.BaseDirectory, "ne.dll")
    | path -> path

/// How an execution ended and what it wrote.
type Execution = {
    ExitCode: int
    Output: string
    Error: string
}

/// A started process whose output is collected; `through` is a command that starts the one that follows it.
type Running(through: string list, environment: (string * string) list, arguments: string list) =
    let output, error = StringBuilder(), StringBuilder()

    let command = through @ [ "dotnet"; program ] @ arguments

    let info =
        ProcessStartInfo(
            command.Head,
            command.Tail,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true
        )

    do
        for name, value in environment do
            info.Environment[name] <- value

    let started =
        match Process.Start info with
        | null -> failwith "the executable did not start"
        | started -> started

    let collect (target: StringBuilder) (line: string | null) =
        match line with
        | null -> ()
        | line -> lock target (fun () -> target.AppendLine line |> ignore)

    do
        started.OutputDataReceived.Add(fun e -> collect output e.Data)
        started.ErrorDataReceived.Add(fun e -> collect error e.Data)
        started.BeginOutputReadLine()
        started.BeginErrorReadLine()
        started.StandardInput.Close()

    new(environment, arguments) = new Running([], environment, arguments)
    new(arguments: string list) = new Running([], [], arguments)

    member _.HasExited = started.HasExited

    /// What it has written to its standard output so far.
    member _.Printed = lock output output.ToString

    member _.Id = started.Id

    /// Paths of the files mapped into its memory, native libraries among them.
    member _.MappedFiles = File.ReadAllText $"/proc/{started.Id}/maps"

    /// kill -9.
    member _.Kill() =
        started.Kill()
        started.WaitForExit()

    /// SIGTERM, as a scheduler or `kill` sends it.
    member _.Terminate() =
        use kill = Process.Start("kill", [ "-TERM"; string started.Id ])
        kill.WaitForExit()

    member _.Wait(patience: TimeSpan) : Execution =
        if not (started.WaitForExit patience) then
            started.Kill()
            failwithf "%s did not end within %O:\n%O\n%O" (String.concat " " arguments) patience output error

        started.WaitForExit()

        {
            ExitCode = started.ExitCode
            Output = lock output output.ToString
            Error = lock error error.ToString
        }

    interface IDisposable with
        member this.Dispose() =
            if not started.HasExited then
                this.Kill()

            started.Dispose()

/// Runs to the end, with some environment variables set.
let neWith (environment: (string * string) list) (arguments: string list) : Execution =
    use running = new Running(environment, arguments)
    running.Wait(TimeSpan.FromMinutes 3.0)

/// Runs to the end.
let ne (arguments: string list) : Execution = neWith [] arguments

/// Runs to the end, with what a folder's permissions forbid forbidden to root, too.
let neWithoutOverride (arguments: string list) : Execution =
    let through =
        if Environment.UserName = "root" then
            [ "setpriv"; "--bounding-set=-dac_override,-dac_read_search" ]
        else
            []

    use running = new Running(through, [], arguments)
    running.Wait(TimeSpan.FromMinutes 3.0)

/// A folder for runs, deleted afterwards.
let inRuns (body: string -> 'T) : 'T =
    let folder = Directory.CreateTempSubdirectory("ne-e2e-").FullName

    try
        body folder
    finally
        Directory.Delete(folder, true)

let private waitFor (minutes: float) (what: string) (condition: unit -> bool) =
    let deadline = DateTime.UtcNow.AddMinutes minutes

    while not (condition ()) do
        if DateTime.UtcNow > deadline then
            failwithf "waited %.0f minutes for: %s" minutes what

        // What is looked at may be a journal or all processes of the machine, so looking takes a while, too.
        Thread.Sleep 20

/// Waits for a condition, not for a time.
let waitUntil = waitFor 2.0

/// The same of something that takes minutes.
let waitLong = waitFor 20.0

/// State and parent of a process; nothing when there is none.
let private stat (pid: int) : (string * int) option =
    let status =
        try
            File.ReadAllText $"/proc/{pid}/stat"
        with _ ->
            ""

    // The name is in brackets and may contain anything; state and parent follow it.
    match status.Substring(status.LastIndexOf ')' + 1).Split(' ', StringSplitOptions.RemoveEmptyEntries) with
    | fields when fields.Length > 1 -> Some(fields[0], int fields[1])
    | _ -> None

/// Whether a process is there and has not ended.
let isAlive (pid: int) : bool =
    match stat pid with
    | Some(state, _) -> state <> "Z"
    | None -> false

/// The processes that a process has started.
let childrenOf (parent: int) : int list = [
    for folder in Directory.GetDirectories "/proc" do
        match Int32.TryParse(Path.GetFileName folder) with
        | true, pid ->
            match stat pid with
            | Some(state, found) when found = parent && state <> "Z" -> pid
            | _ -> ()
        | _ -> ()
]
