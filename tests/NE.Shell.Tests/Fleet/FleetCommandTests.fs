/// What the command line says of a fleet, and what is refused before anything is created. Real nodes are in the end-to-end tests.
module NE.Shell.Tests.Fleet.FleetCommandTests

open System
open System.Collections.Generic
open System.IO
open Expecto
open NE.Actors.Fleet
open NE.Shell.Commands
open NE.Shell.Fleet
open NE.Shell.Host
open NE.Shell.Tests.Support

let private parse (arguments: string list) =
    CommandLine.Parse(List<string> arguments, "runs")

let private reads name (arguments: string list) (expected: Command -> bool) =
    test name {
        match parse arguments with
        | :? CommandLineResult.Execute as execute -> Expect.isTrue (expected execute.Command) $"{arguments} gave {execute.Command}"
        | other -> failtest $"{arguments} gave {other}"
    }

let private problems (arguments: string list) =
    match parse arguments with
    | :? CommandLineResult.Wrong as wrong -> List.ofSeq wrong.Problems
    | other -> failtest $"expected problems, found {other}"

let private expected text =
    $"expected HOST:PORT, such as 10.0.0.5:7310, found '{text}'"

/// A host whose user has this key, with runs in the folder.
let private withKey (folder: TemporaryFolder) (key: string) =
    ShellHost(
        Output = new StringWriter(NewLine = "\n"),
        Error = new StringWriter(NewLine = "\n"),
        DefaultRuns = folder.File "runs",
        FleetKey = key,
        Width = 160,
        StartRun = Func<_, _> noRun,
        // At its end.
        Input = (fun () -> new MemoryStream() :> Stream),
        HasCuda = (fun () -> false),
        Processors = 1,
        Prepare = (fun _ _ -> Dictionary<string, string>() :> IReadOnlyDictionary<string, string>)
    )

[<Tests>]
let tests =
    testList "the command line of a fleet" [
        reads "a node has defaults, and begins a fleet" [ "node" ] (function
            | :? NodeCommand as node ->
                isNull node.Name
                && node.Seeds.Count = 0
                && node.Port = FleetAddress.DefaultPort
                && isNull node.Bind
                && not node.Public.HasValue
                && isNull node.KeyFile
                && not (
                    node.Slots.HasValue
                    || node.Environments.HasValue
                    || node.StopAtEnd
                    || node.IsOwnDisk
                )
            | _ -> false)
        reads
            "a node takes seeds, ports, addresses, a key and what it offers"
            [
                yield! [
                    "node"
                    "--seed-node"
                    "10.0.0.5:7311"
                    "--seed-node"
                    "other.example"
                    "--port"
                    "0"
                ]
                yield! [
                    "--host"
                    "10.0.0.6"
                    "--public"
                    "far.example:80"
                    "--fleet-key"
                    "k.pem"
                    "--slots"
                    "0"
                ]
                yield! [ "--environments"; "8"; "--name"; "left"; "--own-disk"; "--stop-at-eof" ]
            ]
            (function
             | :? NodeCommand as node ->
                 List.ofSeq node.Seeds = [ FleetAddress("10.0.0.5", 7311); FleetAddress("other.example", 7310) ]
                 && node.Port = 0
                 && node.Bind = "10.0.0.6"
                 && node.Public = Nullable(FleetAddress("far.example", 80))
                 && node.KeyFile = "k.pem"
                 && node.Slots = Nullable 0
                 && node.Environments = Nullable 8
                 && node.Name = "left"
                 && node.IsOwnDisk
                 && node.StopAtEnd
             | _ -> false)
        reads "a fleet is shown by the node of this machine" [ "fleet"; "--json" ] (function
            | :? FleetCommand as fleet -> fleet.Json && fleet.Fleet = FleetArguments.None
            | _ -> false)
        reads "a fleet is shown by any of its processes" [ "fleet"; "10.0.0.5:80"; "--fleet-key"; "k.pem" ] (function
            | :? FleetCommand as fleet -> fleet.Fleet = FleetArguments(Nullable(FleetAddress("10.0.0.5", 80)), "k.pem")
            | _ -> false)
        reads "a key is made in a file" [ "fleet"; "key"; "k.pem" ] (function
            | :? FleetKeyCommand as key -> key.File = "k.pem"
            | _ -> false)
        reads "a run may live in a fleet" [ "train"; "--fleet"; "localhost:7310"; "--fleet-key"; "k.pem" ] (function
            | :? TrainCommand as train -> train.Fleet = FleetArguments(Nullable(FleetAddress("localhost", 7310)), "k.pem")
            | _ -> false)
        reads "a run that is resumed may, too" [ "resume"; "a"; "--fleet"; "localhost" ] (function
            | :? ResumeCommand as resume -> resume.Fleet = FleetArguments(Nullable(FleetAddress("localhost", 7310)), null)
            | _ -> false)

        for option, arguments in
            [
                "--fleet", fun text -> [ "train"; "--fleet"; text ]
                "--fleet", fun text -> [ "resume"; "a"; "--fleet"; text ]
                "--seed-node", fun text -> [ "node"; "--seed-node"; text ]
                "--public", fun text -> [ "node"; "--public"; text ]
                "HOST:PORT", fun text -> [ "fleet"; text ]
            ] do
            for text in
                [
                    ""
                    ":7310"
                    "a:"
                    "a:0"
                    "a:65536"
                    "a:-1"
                    "a:b"
                    "a b:7310"
                    "http://a:7310"
                    "a:1:2"
                    "[::1]:7310"
                ] do
                let arguments = arguments text

                test (String.concat " " arguments) { Expect.equal (problems arguments) [ $"{option}: {expected text}" ] "problems" }

        for arguments, problem in
            [
                [ "node"; "--port"; "65536" ], "--port expects a whole number in [0, 65535], found '65536'"
                [ "node"; "--environments"; "-1" ], "--environments expects a whole number in [0, 1000000], found '-1'"
                [ "node"; "--slots"; "many" ], "--slots expects a whole number in [0, 1000000], found 'many'"
                // Its lowest 32 bits would be 0.
                [ "node"; "--slots"; "4294967296" ], "--slots expects a whole number in [0, 1000000], found '4294967296'"
                [ "node"; "--patience"; "4" ], "--patience expects a whole number in [5, 1000000], found '4'"
                [ "node"; "--name"; "" ], "--name expects a value: --name NAME"
                [ "node"; "--host"; "" ], "--host expects a value: --host ADDRESS"
                [ "train"; "--fleet-key"; "" ], "--fleet-key expects a value: --fleet-key FILE"
                [ "train"; "--fleet" ], "--fleet expects a value: --fleet HOST:PORT"
                [ "train"; "--fleet"; "a"; "--fleet"; "b" ], "--fleet was given 2 times; it takes one value"
                [ "fleet"; "key" ], "`ne fleet key` expects FILE"
                [ "node"; "--seed-nod"; "a" ], "unknown option '--seed-nod'; did you mean '--seed-node'?"
            ] do
            test (String.concat " " arguments) { Expect.equal (problems arguments) [ problem ] "problems" }

        test "several wrong seeds are said at once" {
            Expect.hasLength (problems [ "node"; "--seed-node"; "a:b"; "--seed-node"; "c:d"; "--port"; "x" ]) 3 "all"
        }

        testCase "a key is made once, for its owner alone, and never replaced"
        <| fun _ ->
            use folder = new TemporaryFolder()
            let file = folder.File "inner/fleet.pem"
            let code, output, errors = shell [ "fleet"; "key"; file ]
            Expect.equal (code, errors) (ExitCode.Ok, "") "made"
            Expect.equal (File.GetUnixFileMode file) (UnixFileMode.UserRead ||| UnixFileMode.UserWrite) "mode"
            let made = File.ReadAllBytes file
            Expect.stringContains output $"{file} is the key {FleetKey.Read(file).Name}" "what it is called"
            let code, output, errors = shell [ "fleet"; "key"; file ]
            Expect.equal (code, output) (ExitCode.UserError, "") "refused"
            Expect.stringContains errors "never replaced" "why"
            Expect.equal (File.ReadAllBytes file) made "the same"

            Expect.equal (shell [ "fleet"; "key"; "" ]) (ExitCode.UserError, "", "ne: `ne fleet key` expects FILE\n") "no file"

        // `ne fleet` and `ne node` have the process's log.
        testSequenced
        <| testList "without what it takes" [
            testCase "nobody takes part in a fleet of other machines without its key"
            <| fun _ ->
                use folder = new TemporaryFolder()
                let key = folder.File "fleet.pem"

                for arguments in
                    [
                        [ "train"; "--fleet"; "127.0.0.1:7310"; "--name"; "a" ]
                        [ "fleet" ]
                        [ "fleet"; "127.0.0.1:7310" ]
                        [ "node"; "--host"; "0.0.0.0"; "--port"; "0" ]
                    ] do
                    let code, output, errors = execute (withKey folder key) arguments
                    Expect.equal (code, output) (ExitCode.UserError, "") $"{arguments}"
                    Expect.stringContains errors $"there is no fleet key {key}" $"{arguments}"
                    Expect.stringContains errors "ne fleet key" "what to do"
                    Expect.isFalse (File.Exists key) "none is made"
                    Expect.isFalse (Directory.Exists(folder.File "runs")) "nothing is created"

            testCase "a node whose input ends before anybody lets it in gives up at once"
            <| fun _ ->
                use folder = new TemporaryFolder()
                let key = folder.File "fleet.pem"
                FleetKey.Create key |> ignore
                use nobody = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0)
                nobody.Start()

                let code, output, _ =
                    execute (withKey folder key) [
                        yield! [
                            "node"
                            "--seed-node"
                            string nobody.LocalEndpoint
                            "--port"
                            "0"
                            "--name"
                            "late"
                        ]
                        yield! [ "--slots"; "0"; "--stop-at-eof" ]
                    ]

                // Otherwise it asks for a minute, and then says that nobody answers.
                Expect.equal (code, output) (ExitCode.Ok, "node late gives up joining (its input ended)\n") "gives up"

            testCase "a key that is named is never made on the way"
            <| fun _ ->
                use folder = new TemporaryFolder()
                let key = folder.File "named.pem"

                for arguments in
                    [
                        [ "node"; "--fleet-key"; key ]
                        [ "train"; "schedule.workers=1"; "--fleet-key"; key ]
                    ] do
                    let code, _, errors = execute (withKey folder (folder.File "fleet.pem")) arguments
                    Expect.equal code ExitCode.UserError $"{arguments}"
                    Expect.stringContains errors $"there is no fleet key {key}" $"{arguments}"
                    Expect.isFalse (File.Exists key || Directory.Exists(folder.File "runs")) "nothing is created"

            testCase "a node with a disk of its own needs somebody to copy its commits to"
            <| fun _ ->
                use folder = new TemporaryFolder()
                let runs = folder.File "runs"

                let code, output, errors =
                    execute (withKey folder (folder.File "fleet.pem")) [ "node"; "--own-disk"; "--runs"; runs ]

                Expect.equal (code, output) (ExitCode.UserError, "") "refused"
                Expect.stringContains errors "--seed-node HOST:PORT" "what to do"
                Expect.isFalse (Directory.Exists runs) "nothing is created"

            testCase "a file that is no key, or that others can read, is refused with what to do"
            <| fun _ ->
                use folder = new TemporaryFolder()
                let key = folder.File "fleet.pem"
                File.WriteAllText(key, "not a key")
                File.SetUnixFileMode(key, UnixFileMode.UserRead)

                let code, _, errors =
                    execute (withKey folder key) [ "train"; "--fleet"; "127.0.0.1:7310" ]

                Expect.equal code ExitCode.UserError "garbage"
                Expect.stringContains errors $"{key} is not a fleet's key" "garbage"
                File.Delete key
                FleetKey.Create key |> ignore
                File.SetUnixFileMode(key, UnixFileMode.UserRead ||| UnixFileMode.GroupRead)

                let code, _, errors =
                    execute (withKey folder key) [ "train"; "--fleet"; "127.0.0.1:7310" ]

                Expect.equal code ExitCode.UserError "readable for others"
                Expect.stringContains errors $"chmod 600 {key}" "what to do"
                Expect.isFalse (Directory.Exists(folder.File "runs")) "nothing is created"
        ]

        testCase "workers of its own and a fleet are not asked for at the same time"
        <| fun _ ->
            use folder = new TemporaryFolder()

            let code, _, errors =
                execute (host (folder.File "runs") noRun) [ "train"; "--fleet"; "127.0.0.1:7310"; "schedule.workers=2" ]

            Expect.equal code ExitCode.UserError "refused"
            Expect.stringContains errors "schedule.workers=2" "the one"
            Expect.stringContains errors "--fleet 127.0.0.1:7310" "the other"
            Expect.isFalse (Directory.Exists(folder.File "runs")) "nothing is created"

        testCase "a fleet's key without a fleet is refused"
        <| fun _ ->
            use folder = new TemporaryFolder()

            let code, _, errors =
                execute (host (folder.File "runs") noRun) [ "train"; "--fleet-key"; "k.pem" ]

            Expect.equal code ExitCode.UserError "refused"
            Expect.stringContains errors "give --fleet HOST:PORT too" "what to do"
            Expect.isFalse (Directory.Exists(folder.File "runs")) "nothing is created"
    ]
