/// The page of `ne serve` as a program sees it; as a person sees it, in a browser, it is tested in NE.EndToEnd.
module NE.Shell.Tests.Serving.PageServerTests

open System
open System.Collections.Generic
open System.IO
open System.Net
open System.Net.Http
open System.Text.Json
open System.Threading
open Expecto
open NE.Actors.RunDirectory
open NE.Shell.Host
open NE.Shell.Serving
open NE.Shell.Tests.Support
open NE.Shell.Tests.Compare

/// A clock that stands still until the test moves it.
type private HeldClock() =
    inherit TimeProvider()
    let mutable now = 0L
    member _.Advance(time: TimeSpan) = now <- now + time.Ticks
    override _.TimestampFrequency = TimeSpan.TicksPerSecond
    override _.GetTimestamp() = now

/// A page over a folder, and a client of it.
type private Served(shell: ShellHost, runs: string, options: ServeOptions, only: string list) =
    let page =
        PageServer.Start(shell, options, runs, List<_> only, false).GetAwaiter().GetResult()

    let client =
        new HttpClient(new HttpClientHandler(AllowAutoRedirect = false, UseCookies = false))

    let origin = Uri page.Url
    let at (path: string) = Uri(origin, path)

    new(runs, options, only) = new Served(host runs noRun, runs, options, only)
    new(runs) = new Served(runs, ServeOptions(IPAddress.Loopback, 0, null, false), [])

    member _.Url = page.Url

    member _.Client = client

    member _.Send(method: HttpMethod, path: string, headers: (string * string) list) : HttpResponseMessage =
        use request = new HttpRequestMessage(method, at path)

        for name, value in headers do
            request.Headers.TryAddWithoutValidation(name, value) |> ignore

        client.Send request

    /// Status and body of a GET.
    member this.Get(path: string) : HttpStatusCode * string =
        use response = this.Send(HttpMethod.Get, path, [])
        response.StatusCode, response.Content.ReadAsStringAsync().Result

    member this.Json(path: string) : JsonElement =
        let status, body = this.Get path
        Expect.equal status HttpStatusCode.OK body
        JsonDocument.Parse(body).RootElement

    interface IDisposable with
        member _.Dispose() =
            client.Dispose()
            page.DisposeAsync().AsTask().Wait()

let private field (name: string) (json: JsonElement) = json.GetProperty name
let private items (json: JsonElement) = List.ofSeq (json.EnumerateArray())
let private text (name: string) (json: JsonElement) = string (json.GetProperty name)

let private numbers (json: JsonElement) = [
    for item in json.EnumerateArray() ->
        if item.ValueKind = JsonValueKind.Null then
            nan
        else
            item.GetDouble()
]

let private errorOf (body: string) =
    text "error" (JsonDocument.Parse(body).RootElement)

[<Tests>]
let tests =
    testList "the page's server" [
        testCase "an overview has every run, damaged ones and those of sweeps among them"
        <| fun _ ->
            use folder = new TemporaryFolder()
            let runs = folder.Path

            let names =
                RunFiles.arm runs "hop" RunFiles.run [ 0L; 1L ] (fun seed -> 1.0 + float seed)

            RunFiles.sweep runs "mine" "" [
                for seed, name in List.indexed names -> name, "Hopper-v4", "dense", int64 seed
            ]

            File.WriteAllText(Path.Combine(runs, RunFiles.write runs { RunFiles.run with Name = "broken" }, "run.json"), "{")
            Directory.CreateDirectory(Path.Combine(runs, "mine2.sweep")) |> ignore
            File.WriteAllText(Path.Combine(runs, "mine2.sweep", "cells.json"), "[")
            use served = new Served(runs)
            let overview = served.Json "api/overview"

            Expect.equal
                [
                    for run in items (field "runs" overview) -> text "name" run, text "state" run, text "sweep" run
                ]
                [
                    "broken", "damaged", ""
                    "hop-s0", "completed", "mine"
                    "hop-s1", "completed", "mine"
                ]
                "runs"

            Expect.stringContains (items (field "runs" overview) |> List.head |> text "reason") "damaged" "why"

            Expect.equal
                [
                    for sweep in items (field "sweeps" overview) -> text "name" sweep, (field "cells" sweep).GetArrayLength()
                ]
                [ "mine", 2; "mine2", 0 ]
                "sweeps"

            Expect.stringContains (items (field "sweeps" overview) |> List.last |> text "problem") "cells.json" "the damaged one"

        testCase "a folder whose name no sweep can have is none, and a sweep that cannot be read hides no other"
        <| fun _ ->
            use folder = new TemporaryFolder()
            let runs = folder.Path
            let name = RunFiles.write runs RunFiles.run
            RunFiles.sweep runs "mine" "" [ name, "Hopper-v4", "dense", 0L ]

            for copy in [ "mine (copy)"; "$(touch evaluated)"; ".mine" ] do
                let root = Path.Combine(runs, $"{copy}.sweep")
                Directory.CreateDirectory root |> ignore
                File.Copy(Path.Combine(runs, "mine.sweep", "cells.json"), Path.Combine(root, "cells.json"))

            Directory.CreateDirectory(Path.Combine(runs, "unreadable.sweep")) |> ignore

            // A file that is there and gives nothing, whoever asks.
            File.CreateSymbolicLink(Path.Combine(runs, "unreadable.sweep", "cells.json"), "/proc/self/mem")
            |> ignore

            use served = new Served(runs)
            let overview = served.Json "api/overview"

            Expect.equal
                [
                    for sweep in items (field "sweeps" overview) -> text "name" sweep, text "problem" sweep = ""
                ]
                [ "mine", true; "unreadable", false ]
                "sweeps"

            Expect.equal [ for run in items (field "runs" overview) -> text "sweep" run ] [ "mine" ] "its run"
            let _, completed, _ = execute (host runs noRun) [ "complete"; "ne status " ]
            Expect.isFalse (completed.Contains "$(") "names that a shell would evaluate"

        testCase "what could not be read is tried again after some seconds, though no file that is looked at has changed"
        <| fun _ ->
            use folder = new TemporaryFolder()

            let name =
                RunFiles.write folder.Path {
                    RunFiles.run with
                        State = RunState.Running
                }

            let journal = (RunPaths.Of(folder.Path, name)).Journal
            File.WriteAllText(journal, String('x', 5_000))
            let clock = HeldClock()

            let shell =
                ShellHost(
                    Output = new StringWriter(),
                    Error = new StringWriter(),
                    DefaultRuns = folder.Path,
                    FleetKey = "/nonexistent/fleet.pem",
                    HasCuda = (fun () -> false),
                    Clock = clock,
                    Prepare = fun _ _ -> readOnlyDict []
                )

            use served =
                new Served(shell, folder.Path, ServeOptions(IPAddress.Loopback, 0, null, false), [])

            let state () =
                items (field "runs" (served.Json "api/overview"))
                |> List.exactlyOne
                |> text "state"

            Expect.equal (state ()) "damaged" "its journal is none"
            File.Delete journal
            Expect.equal (state ()) "damaged" "as it was a moment ago"
            clock.Advance(TimeSpan.FromSeconds 6.0)
            Expect.equal (state ()) "killed" "as it is"

        testCase "curves are those of `ne report`: seeds of one configuration are one arm, named by its sweep"
        <| fun _ ->
            use folder = new TemporaryFolder()
            let runs = folder.Path

            let eight =
                RunFiles.arm runs "many" RunFiles.run [ 0L .. 7L ] (fun seed -> float seed)

            let two =
                RunFiles.arm runs "few" { RunFiles.run with Method = "ne" } [ 0L; 1L ] (fun _ -> 2.0)

            use served = new Served(runs)
            let panels = items (served.Json "api/curves?measure=return")
            Expect.equal [ for panel in panels -> text "task" panel ] [ "Hopper-v4" ] "tasks"
            let arms = items (field "arms" panels.Head)
            Expect.equal [ for arm in arms -> text "label" arm, text "isEvidence" arm ] [ "ne", "False"; "td3", "True" ] "arms"
            let last = items (field "mean" arms[1]) |> List.last
            // Seeds 0 to 7 times 1000: mean 3500, deviation sqrt(6) * 1000.
            Expect.floatClose Accuracy.medium ((field "mean" last).GetDouble()) 3500.0 "mean"
            Expect.floatClose Accuracy.medium ((field "deviation" last).GetDouble()) (1000.0 * sqrt 6.0) "deviation"

            let only =
                items (served.Json $"api/curves?measure=actor_fau&runs={two.Head},nobody")

            let seed =
                items (field "arms" only.Head)
                |> List.head
                |> field "seeds"
                |> items
                |> List.exactlyOne

            Expect.equal (text "name" seed, numbers (field "values" seed) |> List.distinct) (two.Head, [ 0.4 ]) "one run's metric"
            Expect.equal eight.Length 8 "runs"

        testCase
            "a long table is thinned without losing its extremes, and exact on a shorter range; one that grows or is cut back is followed"
        <| fun _ ->
            use folder = new TemporaryFolder()
            let name = RunFiles.write folder.Path RunFiles.run
            let file = Path.Combine(folder.Path, name, "metrics.csv")

            let row step =
                $"{step},{step},{(if step = 7777 then 99.0 else sin (float step))}\n"

            File.WriteAllText(
                file,
                "step,gradientStep,q_mean\n"
                + String.Join("", [ for step in 1..20000 -> row step ])
                + "20001,20001,5"
            )

            use served = new Served(folder.Path)

            let series query =
                items (field "columns" (served.Json $"api/runs/{name}/series?table=metrics&columns=q_mean,nothing&{query}"))

            let thinned = series "points=200"
            let values = numbers (field "values" thinned[0])
            Expect.isLessThanOrEqual values.Length 200 "points"
            Expect.equal (List.max values) 99.0 "the peak"
            Expect.isTrue (numbers (field "values" thinned[1]) |> List.forall Double.IsNaN) "a column that the table lacks"
            let exact = (series "points=200&from=7770&to=7790")[0]
            Expect.equal (numbers (field "steps" exact)) [ 7770.0 .. 7790.0 ] "every row of the range"
            File.AppendAllText(file, "\n20002,20002,7\n")
            Expect.equal (numbers (field "values" (List.head (series "from=20000"))) |> List.tail) [ 5.0; 7.0 ] "what has come"
            // A resume cuts the table back to its commit, and goes on otherwise.
            File.WriteAllText(file, "step,gradientStep,q_mean\n1,1,3\n2,2,4\n")
            Expect.equal (numbers (field "values" (List.head (series "")))) [ 3.0; 4.0 ] "cut back"
            File.Delete file
            Expect.isEmpty (numbers (field "values" (List.head (series "")))) "deleted"

        testCase "the masks of every event are those that its run had"
        <| fun _ ->
            use folder = new TemporaryFolder()

            let golden =
                NE.Shell.Tests.GoldenRunTests.newest
                |> List.find (fun run -> run.Name = "ne-serial-2")

            NE.Shell.Tests.GoldenRunTests.unpack golden folder.Path
            let name = RunFolder.List folder.Path |> Seq.exactlyOne
            use served = new Served(folder.Path)
            let events = items (served.Json $"api/runs/{name}/topology")
            Expect.isGreaterThan events.Length 4 "events"

            let frames = [
                for index in -1 .. events.Length - 1 -> items (field "layers" (served.Json $"api/runs/{name}/topology/{index}"))
            ]

            let active (layer: JsonElement) =
                layer.GetProperty("mask").GetBytesFromBase64()
                |> Array.sumBy (fun bits -> Numerics.BitOperations.PopCount(uint32 bits))

            // What a frame shows is what it says, and each follows from the one before by the weights that its event names.
            for before, after in List.pairwise frames do
                for was, now in List.zip before after do
                    Expect.equal (active now) ((field "active" now).GetInt32()) "active"

                    let grown, pruned =
                        (field "grown" now).GetArrayLength(), (field "pruned" now).GetArrayLength()

                    Expect.equal (active now) (active was + grown - pruned) "grown and pruned"

                    Expect.equal
                        ((field "outputs" now).GetInt32() * (field "inputs" now).GetInt32()
                         |> fun size -> (size + 7) / 8)
                        (now.GetProperty("mask").GetBytesFromBase64().Length)
                        "the form of the matrix"

            let table =
                NE.Shell.RunFiles.CsvTable.Read(Path.Combine(folder.Path, name, "topology.csv"))

            let rows = [
                for row in 0 .. table.Rows - 1 ->
                    table.Text(row, "network"), table.Number(row, "stack"), table.Number(row, "layer"), int (table.Number(row, "active"))
            ]

            let last =
                List.last frames
                |> List.map (fun layer ->
                    text "network" layer, (field "stack" layer).GetDouble(), (field "layer" layer).GetDouble(), active layer)

            for layer in last do
                let network, stack, index, _ = layer

                let newest =
                    rows
                    |> List.filter (fun (n, s, l, _) -> (n, s, l) = (network, stack, index))
                    |> List.tryLast

                Expect.equal newest (Some layer) $"{network} {stack} {index} as topology.csv has it"

            Expect.equal (served.Get $"api/runs/{name}/topology/{events.Length}" |> fst) HttpStatusCode.NotFound "no further event"

        testCase "the masks are those of the run that is there, not of one that it was begun instead of"
        <| fun _ ->
            use folder = new TemporaryFolder()

            NE.Shell.Tests.GoldenRunTests.newest
            |> List.find (fun run -> run.Name = "ne-serial-2")
            |> fun golden -> NE.Shell.Tests.GoldenRunTests.unpack golden folder.Path

            let name = RunFolder.List folder.Path |> Seq.exactlyOne
            let paths = RunPaths.Of(folder.Path, name)
            use served = new Served(folder.Path)

            let masks () =
                served.Get $"api/runs/{name}/topology/-1" |> fst

            Expect.equal (masks ()) HttpStatusCode.OK "the masks"

            for blob in Directory.GetFiles paths.Blobs do
                File.WriteAllText(blob, "")

            Expect.equal (masks ()) HttpStatusCode.OK "of a commit they are read once"
            let info = RunInfo.Read paths.RunInfo
            rewriteInfo paths "another" info.Status info.StatusReason
            Expect.equal (masks ()) HttpStatusCode.ServiceUnavailable "another run, whose commits have the same numbers"

        testCase "masks that are damaged are said to be"
        <| fun _ ->
            use folder = new TemporaryFolder()

            NE.Shell.Tests.GoldenRunTests.newest
            |> List.find (fun run -> run.Name = "ne-serial-2")
            |> fun golden -> NE.Shell.Tests.GoldenRunTests.unpack golden folder.Path

            let name = RunFolder.List folder.Path |> Seq.exactlyOne

            for blob in Directory.GetFiles (RunPaths.Of(folder.Path, name)).Blobs do
                File.WriteAllText(blob, "")

            use served = new Served(folder.Path)
            let status, body = served.Get $"api/runs/{name}/topology"
            Expect.equal status HttpStatusCode.ServiceUnavailable body
            Expect.stringContains body "is damaged" "what it is"
            Expect.equal (served.Get $"api/runs/{name}/configuration" |> fst) HttpStatusCode.OK "the rest is there"

        testCase "a log is read from its end, page by page; what is torn is shown as it is"
        <| fun _ ->
            use folder = new TemporaryFolder()
            let name = RunFiles.write folder.Path RunFiles.run
            let paths = RunPaths.Of(folder.Path, name)
            Directory.CreateDirectory paths.Logs |> ignore

            let line (i: int) =
                $$"""{"@t":"2026-01-01T00:00:00Z","@mt":"line {Number} of {Run:l}","@l":"Warning","Number":{{i}},"Run":"<b>"}"""

            File.WriteAllText(
                paths.Log,
                String.Join("\n", [ for i in 1..3000 -> line i ])
                + "\n{\"@t\":\"torn\n"
                + """{"@t":"2026-01-01T00:00:00.25Z","@st":"2026-01-01T00:00:00Z","@mt":"checkpoint","@tr":"a","@sp":"b"}"""
                + "\n"
                + line 3001
                + "\n{\"@t\""
            )

            use served = new Served(folder.Path)
            let newest = served.Json $"api/runs/{name}/log"
            let lines = items (field "lines" newest)
            Expect.equal (text "text" (List.last lines), text "level" (List.last lines)) ("line 3001 of <b>", "Warning") "rendered"
            let span = lines[lines.Length - 2]
            Expect.equal (text "text" span, text "level" span) ("checkpoint took 250 ms", "Debug") "a span"
            Expect.equal (text "text" lines[lines.Length - 3]) "{\"@t\":\"torn" "torn"

            let written = File.ReadAllBytes paths.Log

            let rec all before found =
                let page = served.Json $"api/runs/{name}/log?before={before}"

                for line in items (field "lines" page) do
                    let at = int ((field "at" line).GetInt64())
                    Expect.isTrue (at = 0 || written[at - 1] = byte '\n') "where a line begins"
                    Expect.equal written[at] (byte '{') "a line"

                let found =
                    [
                        for line in items (field "lines" page) -> (field "at" line).GetInt64(), text "text" line
                    ]
                    @ found

                let from = (field "from" page).GetInt64()
                if from = 0L then found else all from found

            let lines = all ((field "to" newest).GetInt64()) []
            Expect.equal lines.Length 3003 "every line once"
            Expect.equal lines (List.sort lines) "by their places"
            Expect.hasLength (List.distinctBy fst lines) 3003 "each at a place of its own"

        testCase "what is not the folder's is not read, and wrong questions are answered in words"
        <| fun _ ->
            use folder = new TemporaryFolder()
            let runs = Path.Combine(folder.Path, "runs")
            let name = RunFiles.write runs RunFiles.run
            RunFiles.write folder.Path { RunFiles.run with Name = "secret" } |> ignore
            let video = Path.Combine(runs, name, "video")
            Directory.CreateDirectory video |> ignore
            File.WriteAllText(Path.Combine(video, "step-1.png"), "picture")

            File.CreateSymbolicLink(Path.Combine(video, "step-2.png"), Path.Combine(folder.Path, "secret", "run.json"))
            |> ignore

            use served = new Served(runs)

            for path in
                [
                    "api/runs/..%2Fsecret"
                    "api/runs/..%2f..%2fetc/log"
                    "api/runs/secret/log"
                    "api/runs/%2e%2e/log"
                    $"api/runs/{name}/video/..%%2Frun.json"
                    $"api/runs/{name}/video/run.json"
                    $"api/runs/{name}/video/step-2.png"
                    "run.json"
                    "..%2fsecret%2frun.json"
                    "api/files"
                ] do
                Expect.equal (served.Get path |> fst) HttpStatusCode.NotFound path

            Expect.equal (served.Get $"api/runs/{name}/video/step-1.png") (HttpStatusCode.OK, "picture") "a video"

            for path, words in
                [
                    "series?table=secrets&columns=a", "eval, metrics"
                    "series?table=eval&columns=", "columns expects"
                ] do
                let status, body = served.Get $"api/runs/{name}/{path}"
                Expect.equal status HttpStatusCode.BadRequest path
                Expect.stringContains (errorOf body) words path

            let status, body = served.Get "api/fleet"
            Expect.equal status HttpStatusCode.BadRequest "no fleet"
            Expect.stringContains (errorOf body) "--fleet" "how to show one"

            let status, page = served.Get ""
            Expect.equal status HttpStatusCode.OK "the page"
            Expect.stringContains page "js/main.js" "its script"
            Expect.equal (served.Get "lib/uPlot.esm.js" |> fst) HttpStatusCode.OK "the charts are built in"

        testCase "on this machine's address only what is meant for it is answered; elsewhere a token is needed, and goes out of the address"
        <| fun _ ->
            use folder = new TemporaryFolder()
            RunFiles.write folder.Path RunFiles.run |> ignore
            use local = new Served(folder.Path)
            use foreign = local.Send(HttpMethod.Get, "api/overview", [ "Host", "evil.example" ])
            Expect.equal foreign.StatusCode HttpStatusCode.MisdirectedRequest "a name that points here"
            use old = local.Send(HttpMethod.Get, "?token=old", [])
            Expect.equal (old.StatusCode, string old.Headers.Location) (HttpStatusCode.Redirect, "/") "an address of another page"

            use served =
                new Served(folder.Path, ServeOptions(IPAddress.Parse "127.0.0.2", 0, "a secret", true), [])

            let status headers =
                (use response = served.Send(HttpMethod.Get, "api/overview", headers) in response.StatusCode)

            Expect.equal (status []) HttpStatusCode.Unauthorized "without"
            let port = (Uri served.Url).Port
            Expect.equal (status [ "Cookie", $"ne-token-{port}=wrong" ]) HttpStatusCode.Unauthorized "wrong"
            Expect.equal (status [ "Cookie", $"ne-token-{port + 1}=a%%20secret" ]) HttpStatusCode.Unauthorized "of a page at another port"
            use guessed = served.Send(HttpMethod.Get, "?token=wrong", [])
            Expect.equal guessed.StatusCode HttpStatusCode.Unauthorized "guessed"
            use shown = served.Send(HttpMethod.Get, "?token=a%20secret", [])
            Expect.equal shown.StatusCode HttpStatusCode.Redirect "taken out of the address"
            let cookie = shown.Headers.GetValues "Set-Cookie" |> Seq.exactlyOne
            Expect.stringContains cookie "httponly" "out of scripts' reach"
            let own = [ "Cookie", cookie.Split(';')[0] ]
            Expect.stringStarts cookie $"ne-token-{port}=" "of this port"
            Expect.equal (status own) HttpStatusCode.OK "with"

            let page = (Uri served.Url).GetLeftPart UriPartial.Authority

            for address, expected in
                [
                    "?token=a%20secret", "/"
                    "?token=wrong", "/"
                    "js/main.js?token=a%20secret&x=1", "/js/main.js?x=1"
                    "//evil.example/?token=a%20secret", "/evil.example/"
                ] do
                use again = served.Send(HttpMethod.Get, $"{page}/{address}", own)
                Expect.equal (again.StatusCode, string again.Headers.Location) (HttpStatusCode.Redirect, expected) address

            use foreign =
                served.Send(HttpMethod.Get, "api/overview", ("Host", "evil.example") :: own)

            Expect.equal foreign.StatusCode HttpStatusCode.MisdirectedRequest "a name that points here, with a token"
            Expect.stringContains served.Url "token=a%20secret" "the address to open"

        testCase "a page only shows unless it was started with --control, and then takes actions from itself alone"
        <| fun _ ->
            use folder = new TemporaryFolder()
            let name = RunFiles.write folder.Path RunFiles.run
            use shows = new Served(folder.Path)

            use acts =
                new Served(folder.Path, ServeOptions(IPAddress.Loopback, 0, null, true), [])

            let post (served: Served) what headers =
                use response = served.Send(HttpMethod.Post, $"api/runs/{name}/{what}", headers)
                response.StatusCode, response.Content.ReadAsStringAsync().Result

            let own = [ "X-NE-Action", "stop" ]
            Expect.stringContains (post shows "stop" own |> snd |> errorOf) "--control" "only shows"
            Expect.equal (post acts "stop" [] |> fst) HttpStatusCode.Forbidden "a form of another page"
            Expect.equal (post acts "stop" (("Origin", "http://evil.example") :: own) |> fst) HttpStatusCode.Forbidden "another origin"

            Expect.equal
                (post acts "stop" own |> fun (status, body) -> status, errorOf body)
                (HttpStatusCode.BadRequest, $"no process works on '{name}'")
                "nothing to stop"

        testCase "what changes is told"
        <| fun _ ->
            use folder = new TemporaryFolder()
            let name = RunFiles.write folder.Path { RunFiles.run with Name = "changing" }
            use served = new Served(folder.Path)
            use patience = new CancellationTokenSource(TimeSpan.FromMinutes 1.0)

            use stream =
                served.Client.GetStreamAsync(Uri(Uri served.Url, "api/changes"), patience.Token).Result

            use reader = new StreamReader(stream)

            let told =
                Threading.Tasks.Task.Run(fun () ->
                    let mutable line = ""

                    while not (line.Contains name) do
                        line <-
                            reader.ReadLineAsync(patience.Token).AsTask().Result
                            |> Option.ofObj
                            |> Option.defaultValue ""

                    line)

            let mutable step = 2000

            while not (told.Wait 200) do
                step <- step + 1
                File.AppendAllText(Path.Combine(folder.Path, name, "eval.csv"), $"{step},1,0,0,1,1,0,0\n")

            Expect.stringContains told.Result "\"eval\"" "what"

        testCase "a taken port is said, or another one is found"
        <| fun _ ->
            use folder = new TemporaryFolder()
            use first = new Served(folder.Path)
            let port = (Uri first.Url).Port

            let start another =
                PageServer.Start(
                    host folder.Path noRun,
                    ServeOptions(IPAddress.Loopback, port, null, false),
                    folder.Path,
                    List<string>(),
                    another
                )

            Expect.throwsT<UserError> (fun () -> (start false).GetAwaiter().GetResult() |> ignore) "taken"
            let other = (start true).GetAwaiter().GetResult()
            Expect.notEqual (Uri other.Url).Port port "another one"
            other.DisposeAsync().AsTask().Wait()
    ]
