module NE.Shell.Tests.SeqServer.SeqSetupTests

open System
open System.IO
open System.Net
open System.Net.Sockets
open System.Text
open System.Text.Json.Nodes
open System.Text.RegularExpressions
open Expecto
open NE.Shell.Host
open NE.Shell.SeqServer
open NE.Shell.Tests.Support
open NE.Shell.Tests.SeqServer.SeqStandIn

let private setupWith (key: string | null) (arguments: string list) =
    let host = host "/nonexistent/runs" noRun

    let keyed =
        ShellHost(
            Output = host.Output,
            Error = host.Error,
            DefaultRuns = host.DefaultRuns,
            FleetKey = "/nonexistent/fleet.pem",
            Width = 160,
            SeqApiKey = key
        )

    execute keyed ([ "seq"; "setup" ] @ arguments)

let private setup (server: SeqStandIn) =
    let code, output, errors = setupWith null [ server.Url ]
    Expect.equal (code, errors) (ExitCode.Ok, "") output
    output

let private results (output: string) =
    output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
    |> Array.map (fun line -> line.Split(' ')[0])
    |> Array.countBy id
    |> Array.sort

let private count = SeqEntity.All().Count

let private writes (server: SeqStandIn) =
    server.Requests |> Array.filter (fun request -> not (request.StartsWith "GET "))

let private titled (title: string) (items: JsonObject[]) =
    items |> Array.filter (fun item -> string item["Title"] = title)

/// A server that says the same to everybody.
let private saying (answer: string) (body: string -> 'T) : 'T =
    use listener = new TcpListener(IPAddress.Loopback, 0)
    listener.Start()

    let serve =
        task {
            try
                while true do
                    use! client = listener.AcceptTcpClientAsync()
                    use stream = client.GetStream()
                    let! _ = stream.ReadAsync(Array.zeroCreate<byte> 65536, 0, 65536)
                    let bytes = Encoding.ASCII.GetBytes answer
                    do! stream.WriteAsync(bytes, 0, bytes.Length)
            with
            // Stopped while it waited, or before it did.
            | :? SocketException
            | :? InvalidOperationException -> ()
        }

    try
        body $"http://127.0.0.1:{(listener.LocalEndpoint :?> IPEndPoint).Port}"
    finally
        listener.Stop()
        serve.Wait()

let private http (status: string) (content: string) =
    $"HTTP/1.1 {status}\r\nContent-Length: {content.Length}\r\nConnection: close\r\n\r\n{content}"

[<Tests>]
let tests =
    testList "ne seq setup" [
        test "makes everything, and a second time nothing" {
            use server = new SeqStandIn()
            Expect.equal (results (setup server)) [| "Seq", 1; "created", count |] "at first"
            Expect.hasLength (writes server) count "one request each"
            Expect.equal (results (setup server)) [| "Seq", 1; "unchanged", count |] "again"
            Expect.hasLength (writes server) count "nothing more is written"
        }

        test "everybody sees what it makes, and the dashboard shows the runs' signal" {
            use server = new SeqStandIn()
            setup server |> ignore

            for group in [ "signals"; "sqlqueries"; "dashboards" ] do
                Expect.isNonEmpty (server.Stored group) group

                for item in server.Stored group do
                    Expect.isNull item["OwnerId"] $"{item} is shared, though the server's template is not"
                    Expect.stringStarts (string item["Title"]) "NE: " "title"

            let runs = server.Stored "signals" |> titled "NE: runs" |> Array.exactlyOne

            let dashboard = Array.exactlyOne (server.Stored "dashboards")
            let expression = nonNull dashboard["SignalExpression"]
            Expect.equal (string expression["SignalId"]) (string runs["Id"]) "the signal"
        }

        test "what was changed is made right, and what is not ours stays" {
            use server = new SeqStandIn()
            setup server |> ignore

            let errors = server.Stored "signals" |> titled "NE: errors" |> Array.exactlyOne

            errors["Description"] <- JsonValue.Create "mine"
            errors["IsIndexSuppressed"] <- JsonValue.Create true

            let foreign (title: string) (owner: string | null) =
                let item = JsonObject()
                item["Title"] <- JsonValue.Create title

                if not (isNull owner) then
                    item["OwnerId"] <- JsonValue.Create owner

                server.Add("signals", item)

            let other = foreign "Other" null
            let personal = foreign "NE: errors" "user-7"
            Expect.equal (results (setup server)) [| "Seq", 1; "unchanged", count - 1; "updated", 1 |] "one"

            let mended =
                server.Stored "signals"
                |> titled "NE: errors"
                |> Array.find (fun item -> isNull item["OwnerId"])

            Expect.stringContains (string mended["Description"]) "What went wrong" "description"
            Expect.equal (string mended["IsIndexSuppressed"]) "true" "a property that we say nothing of"
            Expect.equal (string mended["Id"]) (string errors["Id"]) "it is the same signal"
            Expect.contains (server.Stored "signals") other "another's"
            Expect.contains (server.Stored "signals") personal "a user's own of the same title"
        }

        test "a dry run says everything and asks nobody" {
            let code, output, errors = setupWith null [ "--dry-run" ]
            Expect.equal (code, errors) (ExitCode.Ok, "") "exit"

            for entity in SeqEntity.All() do
                Expect.stringContains output entity.Title "title"

            Expect.stringContains output "where Outcome = 'failed'" "queries in full"
        }

        test "the key goes in a header and is never said" {
            use server = new SeqStandIn(key = "s3cret")
            let code, output, errors = setupWith "s3cret" [ server.Url ]
            Expect.equal (code, errors) (ExitCode.Ok, "") "with the key"
            Expect.all server.Keys (fun key -> key = "s3cret") "every request has it"
            Expect.isFalse (output.Contains "s3cret") "output"
        }

        for name, key, refused, expected in
            [
                "no key", (null: string | null), None, "asks for an API key"
                "a wrong key", "wr0ng", None, "does not know the API key of NE_SEQ_API_KEY or SEQ_API_KEY"
                "a key without rights",
                "s3cret",
                Some HttpStatusCode.Forbidden,
                "does not let this API key do that. It takes the permissions Read and Write"
                "a server in trouble", "s3cret", Some HttpStatusCode.InternalServerError, "answered 500 to a GET: refused"
            ] do
            test $"{name} is said" {
                use server = new SeqStandIn(key = "s3cret", ?refused = refused)
                let code, output, errors = setupWith key [ server.Url ]
                Expect.equal (code, output) (ExitCode.Failed, "") "exit"
                Expect.stringContains errors expected "message"
                Expect.stringContains errors server.Url "which server"
                Expect.isFalse (errors.Contains "s3cret" || errors.Contains "wr0ng") "no key"
                Expect.isEmpty (writes server) "nothing was written"
            }

        test "a server that is not there is said" {
            // Port 9 of this machine discards; nothing listens.
            let code, _, errors = setupWith null [ "http://127.0.0.1:9" ]
            Expect.equal code ExitCode.Failed "exit"
            Expect.stringContains errors "The Seq server at http://127.0.0.1:9 does not answer" "message"
        }

        for name, answer in
            [
                "a page", http "200 OK" "<html>hello</html>"
                "another API", http "200 OK" """{"Product":"Other","Links":{}}"""
                "nothing of the kind", http "404 Not Found" ""
                "a redirection", "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                "links elsewhere", http "200 OK" """{"Product":"Seq","Version":"1","Links":{"SignalsResources":"http://127.0.0.1:9/api"}}"""
            ] do
            test $"{name} is not taken for Seq" {
                let code, output, errors = saying answer (fun url -> setupWith "s3cret" [ url ])

                Expect.equal (code, output) (ExitCode.Failed, "") "exit"
                Expect.stringContains errors "is not a Seq server" "message"
            }

        test "an address is needed, and has to be one" {
            let code, _, errors = setupWith null []
            Expect.equal code ExitCode.UserError "none"
            Expect.stringContains errors "NE_SEQ_URL" "none"
            let code, _, errors = setupWith null [ "localhost" ]
            Expect.equal code ExitCode.UserError "no address"
            Expect.stringContains errors "URL expects the address of a Seq server" "no address"
        }
    ]

let private sources = [
    for folder in [ "NE.Actors"; "NE.Shell" ] do
        let root = Path.GetFullPath(Path.Combine(__SOURCE_DIRECTORY__, "../../..", folder))

        for file in Directory.GetFiles(root, "*.cs", SearchOption.AllDirectories) do
            if not (file.Contains "/obj/" || file.Contains "/bin/") then
                File.ReadAllText file
]

let private found (pattern: string) = [
    for source in sources do
        for hit in Regex.Matches(source, pattern, RegexOptions.Singleline) -> hit.Groups[1].Value
]

/// Calls that write a log event, up to their end; their texts are templates.
let private templates =
    found """(?:[lL]og|[lL]ogger|progress|physics|programs)\.(?:Info|Information|Warning|Error|Debug|Write)\((.*?)\);"""
    |> List.collect (fun call -> [
        for text in Regex.Matches(call, "(?<!\\$)\"([^\"]*)\"") -> text.Groups[1].Value
    ])

let private properties =
    Set.ofList [
        for template in templates do
            for hole in Regex.Matches(template, "{([A-Za-z]+)") -> hole.Groups[1].Value
        yield! found "\.Tag\(\"(\w+)\""
        yield! found "WithProperty\(\"(\w+)\""
        yield! found "CreateProperty\(\"(\w+)\""
        yield! found "SetTag\(\"(\w+)\""
    ]

let private names = Set.ofList (templates @ found "RunSpan\.Begin\(\"([^\"]+)\"")

/// Of Seq's query language; a mistake in one would only show in a server.
let private keywords =
    set [
        "select"
        "as"
        "from"
        "stream"
        "where"
        "group"
        "by"
        "having"
        "order"
        "desc"
        "limit"
        "and"
        "not"
        "in"
        "if"
        "then"
        "else"
    ]

let private functions =
    set [
        "count"
        "max"
        "mean"
        "sum"
        "last"
        "percentile"
        "Has"
        "Round"
        "ToIsoString"
        "TotalMilliseconds"
    ]

let private builtIn =
    set [ "@Timestamp"; "@Level"; "@MessageTemplate"; "@Start"; "@Elapsed"; "@TraceId" ]

/// Every expression of an entity.
let rec private expressions (node: JsonNode | null) : string list =
    match node with
    | :? JsonObject as inner -> [
        for property in inner do
            match property.Key with
            | "Sql"
            | "Filter"
            | "Expression"
            | "Where"
            | "Value" ->
                if not (isNull property.Value) then
                    string property.Value
            | "GroupBy" -> yield! [ for item in (nonNull property.Value).AsArray() -> string item ]
            | _ -> yield! expressions property.Value
      ]
    | :? JsonArray as items -> [
        for item in items do
            yield! expressions item
      ]
    | _ -> []

let private strings = Regex "'([^']*)'"

[<Tests>]
let files =
    testList "the files of seq/" [
        test "the source has templates, tags and spans" {
            Expect.isGreaterThan (List.length templates) 30 "templates"

            Expect.isTrue
                (properties.Contains "CommittedStep"
                 && properties.Contains "OutputShift"
                 && properties.Contains "RunId")
                "properties"

            Expect.isTrue (names.Contains "checkpoint" && names.Contains "topology event") "spans"
        }

        for entity in SeqEntity.All() do
            test $"the {entity.Kind} '{entity.Title}' asks for what log events have" {
                let all = expressions entity.Content
                Expect.isNonEmpty all "expressions"

                for expression in all do
                    for literal in strings.Matches expression do
                        let text = literal.Groups[1].Value

                        if
                            expression.Contains $"@MessageTemplate = '{text}'"
                            || expression.Contains "@MessageTemplate in ["
                        then
                            Expect.isTrue (names.Contains text) $"'{text}' is a template or a span's name"

                    let bare = strings.Replace(expression, "")

                    let aliases =
                        set [ for alias in Regex.Matches(bare, @"\bas (\w+)") -> alias.Groups[1].Value ]

                    for word in Regex.Matches(bare, @"@?\b[A-Za-z_]\w*\b(\s*\()?") do
                        let text = word.Value.TrimEnd('(').Trim()

                        if word.Value.EndsWith '(' && not (keywords.Contains text) then
                            Expect.isTrue (functions.Contains text) $"{text}() of {expression}"
                        elif not (keywords.Contains text || aliases.Contains text) then
                            let known = if text.StartsWith '@' then builtIn else properties
                            Expect.isTrue (known.Contains text) $"{text} of {expression}"
            }
    ]
