module NE.EndToEnd.PageTests

open System
open System.IO
open System.Net
open System.Net.Http
open System.Text.RegularExpressions
open Expecto
open NE.Actors.RunDirectory
open NE.EndToEnd.Browser
open NE.EndToEnd.Executable

/// Small networks that learn, grow and prune quickly.
let private train runs name steps more =
    [
        "train"
        "dmc/cartpole-swingup"
        "--steps"
        string steps
        "--name"
        name
        "--runs"
        runs
        "network.hidden=48,48"
        "learner.batchSize=64"
        "learner.startSteps=500"
        "ne.growInterval=100"
        "evaluation.every=250"
        "evaluation.episodes=2"
        "checkpoint.every=500"
        "log.metricsEvery=100"
        "compute.threads=1"
    ]
    @ more

/// The address that a process has printed.
let private addressOf (running: Running) =
    let mutable address = ""

    waitUntil "the address of the page" (fun () ->
        let found = Regex.Match(running.Printed, "http://localhost:[0-9]+/")
        address <- found.Value
        found.Success)

    address

/// Lets the page believe that its tab is in the background, or in front again.
let private hide (tab: Tab) (isHidden: bool) =
    let value = if isHidden then "true" else "false"

    tab.Value<bool>
        $"Object.defineProperty(document, 'hidden', {{ value: {value}, configurable: true }}) && document.dispatchEvent(new Event('visibilitychange'))"
    |> ignore

/// Appends lines of a log that say their numbers.
let private appendToLog (paths: RunPaths) (numbers: int seq) =
    let line (number: int) =
        $$"""{"@t":"2030-01-01T00:00:00Z","@mt":"line {Number} of many","Number":{{number}},"@l":"Warning"}"""
        + "\n"

    File.AppendAllText(paths.Log, String.Join("", Seq.map line numbers))

/// How often the shown log has a line of that number.
let private shown (tab: Tab) (number: int) =
    tab.Value<int> $"[...document.querySelectorAll('.log li')].filter(line => line.innerText.includes('line {number} of many')).length"

/// How many pixels of the page's charts have been drawn on.
let private drawn =
    "[...document.querySelectorAll('.plot canvas')].some(canvas => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some(value => value > 0))"

[<Tests>]
let tests =
    testSequencedGroup "page"
    <| testList "The page" [
        testCase "a run that learns grows on it, and so do its masks"
        <| fun _ ->
            inRuns (fun runs ->
                use tab = openTab ()

                use running =
                    new Running(train runs "growing" 1_000_000 [ "--serve"; "--port"; "0" ])

                let address = addressOf running
                tab.Open $"{address}#/run/growing"
                tab.Until("a curve", drawn)
                tab.Until("masks", "document.querySelectorAll('.layer canvas').length >= 9")
                tab.Until("the connection", "document.getElementById('live').dataset.state === 'on'")
                hide tab true
                tab.Until("no connection in the background", "document.getElementById('live').dataset.state === 'paused'")
                hide tab false
                tab.Until("the connection again", "document.getElementById('live').dataset.state === 'on'")

                let step () =
                    tab.Value<int64> "document.querySelector('progress.wide').value"

                let before = step ()
                let events = tab.Value<int> "Number(document.querySelector('.film input').max)"
                tab.Until("further steps, without a reload", $"document.querySelector('progress.wide').value > {before}")
                tab.Until("further topology events", $"Number(document.querySelector('.film input').max) > {events}")
                tab.Picture "page-run"

                // The masks of the beginning are those that were drawn, a quarter of the weights.
                tab.Click ".film input"
                tab.Press "Home"

                tab.Until(
                    "the first masks",
                    "document.querySelector('.facts + .layers') && document.body.innerText.includes('before the first of')"
                )

                tab.Open $"{address}#/"
                tab.Until("the table", "document.querySelector('table.runs tbody tr')")
                tab.Until("curves", drawn)
                tab.Picture "page-runs"
                tab.Resize(390, 800)
                tab.Until("the narrow page", "document.documentElement.scrollWidth <= 390")
                tab.Picture "page-narrow"
                Expect.equal tab.Complaints [] "the console"
                running.Terminate()
                let ended = running.Wait(TimeSpan.FromMinutes 1.0)
                Expect.equal ended.ExitCode 3 ended.Error)

        testCase "texts of others are texts, two runs are compared, keys and the dark work, and what is not served is said"
        <| fun _ ->
            inRuns (fun runs ->
                use tab = openTab ()

                let attack =
                    "<img src=x onerror='window.attacked=1'><script>window.attacked=1</script>"

                for name, more in [ "one", []; "two", [ "--method"; "td3"; "--seed"; "3" ] ] do
                    let trained = ne (train runs name 1200 more)
                    Expect.equal trained.ExitCode 0 trained.Error

                let paths = RunPaths.Of(runs, "one")
                File.AppendAllText(paths.Command, attack)

                File.AppendAllText(
                    paths.Log,
                    "{\"@t\":\"2030-01-01T00:00:00Z\",\"@mt\":\"{Said:l} again\",\"@l\":\"Error\",\"Said\":\""
                    + attack
                    + "\",\"@x\":\"<b>trace</b>\"}\n{\"@t\":\"torn"
                )

                // A folder that is no run's name is not shown, whatever is in it.
                let odd = Path.Combine(runs, "<img src=x onerror=alert(1)>")
                Directory.CreateDirectory odd |> ignore
                File.Copy(paths.RunInfo, Path.Combine(odd, "run.json"))

                use serving = new Running([ "serve"; "--runs"; runs; "--port"; "0" ])
                let address = addressOf serving
                tab.Open $"{address}#/run/one"
                tab.Until("the log", "document.querySelector('.log li')")

                tab.Until(
                    "the message as text",
                    "[...document.querySelectorAll('.log li')].some(line => line.innerText.includes('<img src=x') && line.innerText.includes('again'))"
                )

                // The torn line ends, so that what follows is lines of their own.
                File.AppendAllText(paths.Log, "\n")
                // Nothing is told of what comes before the server has looked for the first time.
                let mutable newest = 10_000

                waitUntil "changes to be told" (fun () ->
                    newest <- newest + 1
                    appendToLog paths [ newest ]
                    shown tab 10_001 = 1)

                // Of a log that outgrows what is read at once no line is shown twice.
                appendToLog paths [ 0..2000 ]
                waitUntil "the newest line" (fun () -> shown tab 2000 = 1)
                appendToLog paths [ 2001..2010 ]
                waitUntil "lines behind it" (fun () -> shown tab 2010 = 1)
                Expect.equal [ for number in 1990..2010 -> shown tab number ] (List.replicate 21 1) "every line once"

                // What came while the tab was in the background is shown when it is in front again.
                hide tab true
                tab.Until("no connection in the background", "document.getElementById('live').dataset.state === 'paused'")
                appendToLog paths [ 2011 ]
                hide tab false
                waitUntil "what came meanwhile" (fun () -> shown tab 2011 = 1)

                tab.Until("the command as text", "document.querySelector('dl code').innerText.includes('<script>')")
                Expect.isFalse (tab.Value<bool> "Boolean(window.attacked)") "nothing of it ran"
                Expect.equal (tab.Value<int> "document.querySelectorAll('main img').length") 0 "no picture came of it"

                tab.Press "Escape"
                tab.Until("all runs", "document.querySelectorAll('table.runs tbody tr').length === 2")
                tab.Press "/"
                tab.Type("input[type=search]", "two")
                tab.Until("one run", "document.querySelectorAll('table.runs tbody tr').length === 1")
                tab.Press "Escape"
                tab.Until("both runs", "document.querySelectorAll('table.runs tbody tr').length === 2")

                for row in 1..2 do
                    tab.Click $"table.runs tbody tr:nth-child({row}) input"

                tab.Press "c"
                tab.Until("what differs", "[...document.querySelectorAll('td')].some(cell => cell.innerText === 'run.seed')")
                tab.Until("curves", drawn)
                tab.IsDark true
                tab.Until("the dark", "document.documentElement.dataset.theme === 'dark'")
                tab.Until("the curves in the dark", drawn)
                tab.Picture "page-compare"
                tab.Open $"{address}#/run/nobody"
                tab.Until("a sentence", "document.body.innerText.includes(\"There is no run 'nobody'\")")

                // What of a run is damaged is said where it would be; the rest is shown.
                let broken = RunPaths.Of(runs, "broken")

                for file in Directory.EnumerateFiles(paths.Root, "*", SearchOption.AllDirectories) do
                    let copy = Path.Combine(broken.Root, Path.GetRelativePath(paths.Root, file))
                    Directory.CreateDirectory(nonNull (Path.GetDirectoryName copy)) |> ignore
                    File.Copy(file, copy)

                for blob in Directory.GetFiles broken.Blobs do
                    File.WriteAllText(blob, "")

                tab.Open $"{address}#/run/broken"
                tab.Until("the damage", "[...document.querySelectorAll('p.why')].some(line => line.innerText.includes('is damaged'))")
                tab.Until("the log of the damaged run", "document.querySelector('.log li')")
                tab.Until("its configuration", "document.body.innerText.includes('Configuration')")

                // The browser itself complains of the answers 404 and 503 that were asked for.
                Expect.all tab.Complaints (fun line -> line.Contains "404" || line.Contains "503") "the console"
                serving.Terminate()
                let ended = serving.Wait(TimeSpan.FromMinutes 1.0)
                Expect.equal ended.ExitCode 0 ended.Error)

        testCase "a page that can stop runs is for whoever has its address, on this machine too"
        <| fun _ ->
            inRuns (fun runs ->
                use serving = new Running([ "serve"; "--runs"; runs; "--port"; "0"; "--control" ])
                let printed = Regex @"http://localhost:[0-9]+/\?token=[0-9a-f]{32}"
                waitUntil "the address of the page" (fun () -> serving.HasExited || printed.IsMatch serving.Printed)
                let address = Uri((printed.Match serving.Printed).Value)

                use client =
                    new HttpClient(new HttpClientHandler(AllowAutoRedirect = false, UseCookies = false))

                use refused = client.GetAsync(Uri(address, "/api/overview")).Result
                Expect.equal refused.StatusCode HttpStatusCode.Unauthorized "another user"
                use letIn = client.GetAsync(address).Result
                Expect.equal letIn.StatusCode HttpStatusCode.Redirect "who has started it"
                serving.Terminate()
                let ended = serving.Wait(TimeSpan.FromMinutes 1.0)
                Expect.equal ended.ExitCode 0 ended.Error)

        // The first picture of the README. It takes some minutes, so it is made only where pictures are kept.
        testCase "a run of HalfCheetah-v4 is killed and goes on, and its picture is taken"
        <| fun _ ->
            if not Browser.keepsPictures then
                skiptest "pictures are kept only with NE_SCREENSHOTS=FOLDER"

            inRuns (fun runs ->
                use tab = openTab ()

                let served arguments =
                    arguments @ [ "--runs"; runs; "--serve"; "--port"; "0" ]

                let keys = [
                    "learner.startSteps=2000"
                    "ne.growInterval=500"
                    "evaluation.every=1000"
                    "evaluation.episodes=3"
                    "checkpoint.every=2500"
                    "log.metricsEvery=500"
                ]

                let log = RunPaths.Of(runs, "cheetah").Log

                using
                    (new Running(
                        served [ "train"; "HalfCheetah-v4"; "--steps"; "100000"; "--name"; "cheetah" ]
                        @ keys
                    ))
                    (fun running ->
                        waitLong "the commit of the middle" (fun () -> KillPhase.hasCommitted 15000L log)
                        running.Kill())

                use running = new Running(served [ "resume"; "cheetah" ])
                let address = addressOf running
                tab.Open $"{address}#/run/cheetah"
                waitLong "the commit after twice the steps" (fun () -> KillPhase.hasCommitted 30000L log)
                tab.Until("curves", drawn)
                tab.Until("the events up to there", "Number(document.querySelector('.film input').max) > 80")
                tab.Compose "first-look")

        testCase "the machines of a fleet are on it, with what they work on"
        <| fun _ ->
            inRuns (fun folder ->
                let inFolder name = Path.Combine(folder, name)
                let fleet = [ "NE_FLEET_KEY", inFolder "fleet.pem" ]
                let runs = inFolder "runs"

                use node =
                    new Running(
                        fleet,
                        [
                            "node"
                            "--name"
                            "<b>bench</b>"
                            "--port"
                            "0"
                            "--slots"
                            "1"
                            "--runs"
                            runs
                        ]
                    )

                let joined = Regex @"is at (\S+?),"
                waitUntil "the node" (fun () -> node.HasExited || joined.IsMatch node.Printed)
                let address = (joined.Match node.Printed).Groups[1].Value

                use training =
                    new Running(fleet, train runs "elsewhere" 1_000_000 [ "--fleet"; address; "--envs"; "2" ])

                use page =
                    new Running(fleet, [ "serve"; "--runs"; runs; "--port"; "0"; "--fleet"; address ])

                use tab = openTab ()
                tab.Open $"{addressOf page}#/fleet"
                tab.Until("the node and the run", "document.querySelectorAll('tbody tr').length >= 2")
                tab.Until("environments", "document.body.innerText.includes('2 environments at work')")
                let text = tab.Value<string> "document.body.innerText"
                Expect.stringContains text "<b>bench</b>" "a name is text"
                Expect.stringContains text "run elsewhere" "who trains"
                tab.Resize(1280, 600)
                tab.Picture "page-fleet"
                tab.Resize(390, 800)

                Expect.isLessThanOrEqual (tab.Value<int> "document.documentElement.scrollWidth") 390 "what is wide scrolls in itself"

                Expect.isEmpty tab.Complaints "the console is silent")
    ]
