/// A PostgreSQL server of the tests' own: a new cluster in a folder of its own on a free port of loopback, gone with the process that asked for it.
module NE.Tests.PostgresServer

open System
open System.Diagnostics
open System.IO
open System.Net
open System.Net.Sockets
open System.Threading
open Expecto
open Npgsql

let private programs = "/usr/lib/postgresql/15/bin"

/// Its user and password. They are looked for where no login may be, so no other text has them.
let user = "tester7f3"

let password = "pa ss/w@rd:7f3"

let private started (info: ProcessStartInfo) =
    match Process.Start info with
    | null -> failwithf "%s did not start" info.FileName
    | started -> started

/// Runs a program to its end; what it wrote on failure.
let private completed (command: string list) =
    use running =
        started (ProcessStartInfo(command.Head, command.Tail, RedirectStandardOutput = true, RedirectStandardError = true))

    let error = running.StandardError.ReadToEndAsync()
    running.StandardOutput.ReadToEnd() |> ignore
    running.WaitForExit()

    if running.ExitCode <> 0 then
        failwithf "%s: %s" (String.concat " " command) error.Result

/// The server refuses to run as root.
let private unprivileged =
    if Environment.UserName <> "root" then
        []
    else
        let account =
            if File.ReadAllText("/etc/passwd").Contains "postgres:" then
                "postgres"
            else
                "nobody"

        [ "setpriv"; $"--reuid={account}"; "--init-groups" ]

let private freePort () =
    use listener = new TcpListener(IPAddress.Loopback, 0)
    listener.Start()
    (listener.LocalEndpoint :?> IPEndPoint).Port

type PostgresServer() =
    let folder =
        let parent =
            if Directory.Exists "/dev/shm" then
                "/dev/shm"
            else
                Path.GetTempPath()

        Path.Combine(parent, "ne-postgres-" + Guid.NewGuid().ToString "N")

    let data = Path.Combine(folder, "data")
    let port = freePort ()
    let mutable holder: Process option = None

    // The shell ends the server when its standard input does: when this process stops it, or is gone.
    let script =
        "exec 2>/dev/null; \"$@\" >/dev/null 2>&1 </dev/null & server=$!; read -r line; kill -QUIT $server 2>/dev/null; wait $server"

    let connectionString database =
        NpgsqlConnectionStringBuilder(
            Host = "127.0.0.1",
            Port = port,
            Database = database,
            Username = user,
            Password = password,
            Pooling = false,
            Timeout = 5
        )
            .ToString()

    let answers () =
        try
            use connection = new NpgsqlConnection(connectionString "postgres")
            connection.Open()
            true
        with :? NpgsqlException ->
            false

    let start () =
        let deadline = DateTime.UtcNow.AddMinutes 1.

        let command =
            unprivileged
            @ [
                Path.Combine(programs, "postgres")
                "-D"
                data
                "-p"
                string port
                "-h"
                "127.0.0.1"
                "-k"
                ""
                "-c"
                "shared_buffers=16MB"
                "-c"
                "max_connections=40"
            ]

        let launch () =
            started (ProcessStartInfo("/bin/sh", [ "-c"; script; "sh" ] @ command, RedirectStandardInput = true))

        let mutable running = launch ()
        let mutable launched = DateTime.UtcNow

        let isThere () =
            let file = Path.Combine(data, "postmaster.pid")

            File.Exists file
            && Directory.Exists(
                "/proc/"
                + (File.ReadAllLines file |> Array.tryHead |> Option.defaultValue "none")
            )

        while not (answers ()) do
            if DateTime.UtcNow > deadline then
                failwithf "PostgreSQL did not start in %s" folder

            // It gives up at once while processes of the one that was killed are still there.
            if DateTime.UtcNow - launched > TimeSpan.FromSeconds 2. && not (isThere ()) then
                running.StandardInput.Close()
                running.WaitForExit()
                running <- launch ()
                launched <- DateTime.UtcNow

            Thread.Sleep 100

        holder <- Some running

    let stop () =
        match holder with
        | Some running ->
            running.StandardInput.Close()
            running.WaitForExit()
            holder <- None
        | None -> ()

    do
        if not (File.Exists(Path.Combine(programs, "postgres"))) then
            skiptest $"there is no PostgreSQL 15 in {programs}: apt-get install postgresql-15"

        Directory.CreateDirectory folder |> ignore
        let secret = Path.Combine(folder, "password")
        File.WriteAllText(secret, password)

        if not unprivileged.IsEmpty then
            completed [ "chown"; "-R"; unprivileged[1].Split('=').[1]; folder ]

        completed (
            unprivileged
            @ [
                Path.Combine(programs, "initdb")
                "-D"
                data
                "-A"
                "scram-sha-256"
                "-U"
                user
                $"--pwfile={secret}"
                "-E"
                "UTF8"
                "--no-locale"
                "--no-sync"
            ]
        )

        start ()

    member _.Port = port

    /// Runs a statement as the server's owner; its first value.
    member _.Sql(statement: string, ?database: string) =
        use connection =
            new NpgsqlConnection(connectionString (defaultArg database "postgres"))

        connection.Open()
        use command = connection.CreateCommand()
        command.CommandText <- statement
        command.ExecuteScalar()

    /// A connection as its owner, to be disposed.
    member _.Open(database: string) =
        let connection = new NpgsqlConnection(connectionString database)
        connection.Open()
        connection

    /// A new, empty database.
    member this.NewDatabase() =
        let name = "d" + Guid.NewGuid().ToString("N")[..9]
        this.Sql $"CREATE DATABASE {name}" |> ignore
        name

    /// Its address with a login.
    member _.UrlAs(user: string, password: string, database: string) =
        $"postgres://{Uri.EscapeDataString user}:{Uri.EscapeDataString password}@127.0.0.1:{port}/{database}"

    member this.Url(database: string) = this.UrlAs(user, password, database)

    /// kill -9 of the server; what was not on disk is gone.
    member _.Kill() =
        let postmaster = File.ReadAllLines(Path.Combine(data, "postmaster.pid")).[0]
        completed [ "kill"; "-KILL"; postmaster ]

        match holder with
        | Some running ->
            running.StandardInput.Close()
            running.WaitForExit()
            holder <- None
        | None -> ()

    member _.Start() = start ()

    interface IDisposable with
        member _.Dispose() =
            stop ()

            if Directory.Exists folder then
                Directory.Delete(folder, true)

let private shared =
    lazy
        (let server = new PostgresServer()
         AppDomain.CurrentDomain.ProcessExit.Add(fun _ -> (server :> IDisposable).Dispose())
         server)

/// The one that tests share which do not stop it.
let server () = shared.Value
