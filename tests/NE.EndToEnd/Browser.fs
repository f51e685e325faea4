/// A page in Debian's headless Chromium, as a person opens it.
module NE.EndToEnd.Browser

open System
open System.IO
open System.Threading.Tasks
open Expecto
open PuppeteerSharp
open PuppeteerSharp.Media

/// Where Debian's package puts it; nothing where there is no browser.
let private chromium =
    [ "/usr/bin/chromium"; "/usr/bin/chromium-browser"; "/usr/bin/google-chrome" ]
    |> List.tryFind File.Exists

/// Pictures are kept in this folder, if it is named: `NE_SCREENSHOTS=docs/images ./ne test --filter-test-list page` makes those of the documentation.
let private pictures = Environment.GetEnvironmentVariable "NE_SCREENSHOTS"

/// Whether pictures are kept.
let keepsPictures = not (String.IsNullOrEmpty pictures)

/// A tab, and what its console said against the page.
type Tab(browser: IBrowser, page: IPage) =
    let complaints = Collections.Concurrent.ConcurrentQueue<string>()

    do
        page.Console.Add(fun said ->
            // Charts are read back by the tests alone, and on a busy machine often.
            let isOfReading = said.Message.Text.Contains "willReadFrequently"

            if
                (said.Message.Type = ConsoleType.Error || said.Message.Type = ConsoleType.Warning)
                && not isOfReading
            then
                complaints.Enqueue $"{said.Message.Type}: {said.Message.Text}")

        page.PageError.Add(fun failed -> complaints.Enqueue $"error: {failed.Message}")

    /// Errors and warnings of the console so far.
    member _.Complaints: string list = List.ofSeq complaints

    member _.Resize(width: int, height: int) =
        page.SetViewportAsync(ViewPortOptions(Width = width, Height = height, DeviceScaleFactor = 1.0)).Wait()

    member _.Open(url: string) =
        page.GoToAsync(url, WaitUntilNavigation.DOMContentLoaded).Wait()

    /// The value of an expression.
    member _.Value<'T>(expression: string) : 'T =
        page.EvaluateExpressionAsync<'T>(expression).Result

    /// Waits for a condition in the page.
    member this.Until(what: string, expression: string) =
        let options = WaitForFunctionOptions(Timeout = 60_000, PollingInterval = 100)

        try
            page.WaitForFunctionAsync($"() => Boolean({expression})", options).Wait()
        with :? AggregateException as failure ->
            let text = this.Value<string> "document.body.innerText"

            failtest
                $"waited a minute for: {what} ({failure.GetBaseException().Message}); complaints: {this.Complaints}; the page says:\n{text}"

    member _.Press(key: string) = page.Keyboard.PressAsync(key).Wait()

    member _.Type(selector: string, text: string) = page.TypeAsync(selector, text).Wait()

    member _.Click(selector: string) = page.ClickAsync(selector).Wait()

    member _.IsDark(dark: bool) =
        let scheme =
            MediaFeatureValue(MediaFeature = MediaFeature.PrefersColorScheme, Value = (if dark then "dark" else "light"))

        page.EmulateMediaFeaturesAsync([ scheme ]).Wait()

    /// Keeps a picture of the whole page, where pictures are wanted.
    member _.Picture(name: string) =
        match pictures with
        | null
        | "" -> ()
        | folder ->
            Directory.CreateDirectory folder |> ignore
            page.ScreenshotAsync(Path.Combine(folder, $"{name}.png"), ScreenshotOptions(FullPage = true)).Wait()

    /// Keeps one picture of a run's page: its return and activated ratios, and its masks after three of its events.
    member this.Compose(name: string) =
        let shot (selector: string) =
            let element: IElementHandle = page.QuerySelectorAsync(selector).Result
            element.ScreenshotBase64Async().Result

        let last = this.Value<int> "Number(document.querySelector('.film input').max)"

        let masks = [
            for event in [ -1; last / 3; last ] do
                this.Value<string>
                    $"(slider => {{ slider.value = '{event}'; slider.dispatchEvent(new Event('input')); return '' }})(document.querySelector('.film input'))"
                |> ignore

                let words =
                    if event < 0 then
                        "before the first of"
                    else
                        $"event {event + 1} of"

                this.Until("the masks", $"[...document.querySelectorAll('.facts')].some(line => line.innerText.startsWith('{words}'))")

                this.Value<string>
                    "[...document.querySelectorAll('.facts')].find(line => /^(event|before)/.test(line.innerText)).innerText.split(';')[0]",
                shot ".stacked .layer:nth-child(2) canvas"
        ]

        let picture (data: string) =
            $"<img src='data:image/png;base64,{data}'>"

        let above =
            String.Join("", [ for chart in 1..2 -> shot $".charts .chart:nth-child({chart})" |> picture ])

        let figures =
            String.Join(
                "",
                [
                    for words, data in masks -> $"<figure>{picture data}<figcaption>{words}</figcaption></figure>"
                ]
            )

        // A document of its own: the page's policy lets no style in.
        page.GoToAsync("about:blank").Wait()

        page
            .SetContentAsync(
                "<style>body{margin:16px;font:13px system-ui,sans-serif;background:#fff;width:1248px}div{display:flex;gap:20px;align-items:flex-start}figure{margin:8px 0}figcaption{color:#5d6b7a;max-width:380px}figure img{width:380px;image-rendering:pixelated;border:1px solid #dfe4ea}</style>"
                + $"<div>{above}</div><div>{figures}</div>"
            )
            .Wait()

        this.Resize(1280, 200)
        this.Picture name

    interface IDisposable with
        member _.Dispose() = browser.Dispose()

/// A browser with one tab of 1280 x 800 pixels; the test is skipped where there is none.
let openTab () : Tab =
    match chromium with
    | None -> skiptest "no Chromium is installed (Debian: apt-get install chromium)"
    | Some program ->
        let launch: Task<IBrowser> =
            Puppeteer.LaunchAsync(
                LaunchOptions(
                    ExecutablePath = program,
                    Headless = true,
                    // Nobody but the tests is served here, and root has no sandbox.
                    Args = [|
                        "--no-sandbox"
                        "--disable-gpu"
                        "--hide-scrollbars"
                        "--force-color-profile=srgb"
                    |]
                )
            )

        let browser = launch.Result
        let tab = new Tab(browser, browser.NewPageAsync().Result)
        tab.Resize(1280, 800)
        tab
