module NE.Actors.Tests.Video.VideoFileTests

open System
open System.Globalization
open System.IO
open Expecto
open NE.Actors.Video
open NE.Actors.Tests.Video.Support

let private write (target: VideoTarget) (frames: byte[] list) =
    use file = target.Create 0.024

    for frame in frames do
        file.Add(ReadOnlySpan frame)

    Expect.equal file.Frames frames.Length "frames"
    Expect.isFalse (File.Exists target.Path) "no file of that name before it is complete"
    file.Finish()

/// Noise, of which a part changes from frame to frame; the third is as the second.
let private changing (size: VideoSize) = [
    let frame = noise 3L size
    yield Array.copy frame
    frame[3 * (5 * size.Width + 7)] <- ~~~frame[3 * (5 * size.Width + 7)]
    frame[3 * (9 * size.Width + 20) + 2] <- 1uy + frame[3 * (9 * size.Width + 20) + 2]
    yield Array.copy frame
    yield Array.copy frame
    yield noise 4L size
]

/// An executable of this name that does what the script says.
let private script folder name (text: string) =
    let file = Path.Combine(folder, name)
    File.WriteAllText(file, "#!/bin/sh\n" + text)

    File.SetUnixFileMode(file, UnixFileMode.UserRead ||| UnixFileMode.UserWrite ||| UnixFileMode.UserExecute)

    file

[<Tests>]
let animatedPng =
    testList "An animated PNG" [
        testCase "shows every frame exactly, for the right time"
        <| fun _ ->
            inFolder (fun folder ->
                let size = VideoSize(37, 33)
                let file = Path.Combine(folder, "new", "a.png")
                let frames = changing size
                write (VideoTarget(file, size, null)) frames
                let animation = readAnimation file
                Expect.equal (animation.Width, animation.Height, animation.Promised) (37, 33, 4) "header"
                Expect.equal animation.Frames frames "pictures"
                Expect.all animation.Delays (fun delay -> delay = 0.024) "delays"
                Expect.equal animation.Stored [ 37 * 33; 14 * 5; 1; 37 * 33 ] "only what changed is stored"
                Expect.equal (Directory.GetFiles(Path.Combine(folder, "new")).Length) 1 "nothing else is left")

        testCase "is one that other programs read"
        <| fun _ ->
            ffmpeg () |> ignore

            inFolder (fun folder ->
                let size = VideoSize(40, 32)
                let file = Path.Combine(folder, "a.png")
                write (VideoTarget(file, size, null)) (changing size)

                let found =
                    output "ffprobe" [
                        yield! [ "-v"; "error"; "-f"; "apng"; "-count_frames" ]
                        yield! [
                            "-show_entries"
                            "stream=codec_name,width,height,nb_read_frames"
                            "-of"
                            "csv=p=0"
                            file
                        ]
                    ]

                Expect.equal found "apng,40,32,4" "what ffprobe sees")

        testCase "stores any delay as a fraction of 16-bit numbers"
        <| fun _ ->
            for seconds in [ 0.001; 0.0166666666; 0.024; 0.05; 1.0; 3.5; 100.0; 60000.0 ] do
                let struct (numerator, denominator) = AnimatedPng.Fraction seconds
                Expect.floatClose Accuracy.medium (float numerator / float denominator) seconds $"{seconds}"

        testCase "that was not finished is not there, and replaces nothing"
        <| fun _ ->
            inFolder (fun folder ->
                let size = VideoSize(32, 32)
                let file = Path.Combine(folder, "a.png")
                File.WriteAllText(file, "old")

                using (VideoTarget(file, size, null).Create 0.05) (fun video ->
                    video.Add(ReadOnlySpan(noise 1L size))
                    Expect.throwsT<ArgumentOutOfRangeException> (fun () -> video.Add(ReadOnlySpan [| 1uy |])) "a frame of another size")

                Expect.equal (File.ReadAllText file) "old" "the file"
                Expect.hasLength (Directory.GetFiles folder) 1 "no part of it is left"

                using (VideoTarget(file, size, null).Create 0.05) (fun empty ->
                    Expect.stringContains (refusal empty.Finish) "no frame" "a video of nothing")

                Expect.equal (File.ReadAllText file) "old" "the file")
    ]

[<Tests>]
let mp4 =
    testList "An MP4" [
        for size, width, height in [ VideoSize(96, 84), 96, 84; VideoSize(85, 63), 86, 64 ] do
            testCase $"of {size} has every frame, the frame rate and the colours"
            <| fun _ ->
                let ffmpeg = ffmpeg ()

                inFolder (fun folder ->
                    let file = Path.Combine(folder, "a.mp4")
                    // Left half red, right half a grey that grows.
                    let frame i =
                        Array.init size.Bytes (fun at ->
                            if at / 3 % size.Width < size.Width / 2 then
                                (if at % 3 = 0 then 200uy else 20uy)
                            else
                                byte (100 + 10 * i))

                    write (VideoTarget(file, size, ffmpeg, 1)) (List.init 10 frame)

                    let found =
                        output "ffprobe" [
                            yield! [ "-v"; "error"; "-count_frames"; "-show_entries" ]
                            yield! [
                                "stream=codec_name,width,height,pix_fmt,nb_read_frames:format=duration"
                                "-of"
                                "csv=p=0"
                                file
                            ]
                        ]

                    let stream, duration =
                        match found.Split '\n' with
                        | [| stream; duration |] -> stream, Double.Parse(duration, CultureInfo.InvariantCulture)
                        | _ -> failtest found

                    Expect.equal stream $"h264,{width},{height},yuv420p,10" "what ffprobe sees"
                    Expect.floatClose Accuracy.low duration 0.24 "seconds"
                    let raw = Path.Combine(folder, "raw")

                    output ffmpeg [ "-v"; "error"; "-i"; file; "-f"; "rawvideo"; "-pix_fmt"; "rgb24"; raw ]
                    |> ignore

                    let bytes = File.ReadAllBytes raw

                    let pixel i x y =
                        bytes[3 * (width * (i * height + y) + x) ..] |> Array.take 3 |> Array.map float

                    let near (wanted: float[]) (found: float[]) =
                        Array.forall2 (fun a b -> abs (a - b) < 12.0) wanted found

                    Expect.isTrue (near [| 200.0; 20.0; 20.0 |] (pixel 0 10 10)) $"red: %A{pixel 0 10 10}"
                    Expect.isTrue (near [| 180.0; 180.0; 180.0 |] (pixel 8 (size.Width - 10) 40)) $"grey: %A{pixel 8 70 40}"
                    Expect.hasLength (Directory.GetFiles folder) 2 "nothing else is left")

        testCase "whose ffmpeg ends early says what ffmpeg said and leaves nothing"
        <| fun _ ->
            inFolder (fun folder ->
                let broken = script folder "ffmpeg" "echo 'Unknown encoder libx264' >&2\nexit 3\n"
                let size = VideoSize(480, 480)
                let file = Path.Combine(folder, "a.mp4")
                use video = VideoTarget(file, size, broken).Create 0.05

                let message =
                    refusal (fun () ->
                        // More than a pipe holds.
                        for _ in 1..10 do
                            video.Add(ReadOnlySpan(Array.zeroCreate size.Bytes))

                        video.Finish())

                Expect.stringContains message "Unknown encoder libx264" "ffmpeg's reason"
                video.Dispose()
                Expect.equal (Directory.GetFiles folder) [| broken |] "no part of it is left")

        testCase "may have a name that ffmpeg would take for an option or a protocol"
        <| fun _ ->
            inFolder (fun folder ->
                // Writes down where it is told to write.
                let told = Path.Combine(folder, "told")

                let ffmpeg =
                    script folder "ffmpeg" $"cat >/dev/null\nfor last; do :; done\nprintf %%s \"$last\" >'{told}'\n"

                let size = VideoSize(32, 32)
                let file = Path.Combine(folder, "-a:b.mp4")
                let relative = Path.GetRelativePath(Directory.GetCurrentDirectory(), file)
                write (VideoTarget(relative, size, ffmpeg)) [ noise 1L size ]
                Expect.equal (File.ReadAllText told) $"file:{file}.partial" "a file, by its whole path"
                Expect.isTrue (File.Exists file) "under its name")

        testCase "whose ffmpeg a signal stopped is an interruption"
        <| fun _ ->
            inFolder (fun folder ->
                let stopped = script folder "ffmpeg" "cat >/dev/null\nexit 255\n"

                use video =
                    VideoTarget(Path.Combine(folder, "a.mp4"), VideoSize(32, 32), stopped).Create 0.05

                video.Add(ReadOnlySpan(noise 1L (VideoSize(32, 32))))

                try
                    video.Finish()
                    failtest "expected a VideoException"
                with :? VideoException as error ->
                    Expect.isTrue error.IsInterruption error.Message)
    ]

[<Tests>]
let targets =
    testList "A video" [
        testCase "is an MP4 where there is ffmpeg and an animated PNG elsewhere"
        <| fun _ -> Expect.equal (VideoTarget.Ending "/usr/bin/ffmpeg", VideoTarget.Ending null) (".mp4", ".png") "endings"

        testCase "of a format that cannot be made is refused with what to do"
        <| fun _ ->
            Expect.stringContains (VideoTarget.Problem("a.mp4", null) |> string) "apt-get install ffmpeg" "no ffmpeg"
            Expect.stringContains (VideoTarget.Problem("a.gif", "/usr/bin/ffmpeg") |> string) "'a.gif'" "another format"
            Expect.isNull (VideoTarget.Problem("a.APNG", null)) "an animated PNG"
            Expect.stringContains (refusal (fun () -> VideoTarget("a.gif", VideoSize(32, 32), null).Create 0.05 |> ignore)) "'a.gif'" "made"

        testCase "that cannot be written names the file and the reason"
        <| fun _ ->
            inFolder (fun folder ->
                File.WriteAllText(Path.Combine(folder, "file"), "")
                Directory.CreateDirectory(Path.Combine(folder, "folder.png")) |> ignore

                let create name =
                    VideoTarget(Path.Combine(folder, name), VideoSize(32, 32), null).Create 0.05
                    |> ignore

                Expect.stringContains (refusal (fun () -> create "file/a.png")) "file/a.png cannot be written" "below a file"
                Expect.stringContains (refusal (fun () -> create "folder.png")) "it is a folder" "in the place of a folder")

        testCase "is in real time and never asks for more than 60 frames a second"
        <| fun _ ->
            for step, stride in
                [
                    0.05, 1
                    0.02, 1
                    1.0 / 60.0, 1
                    0.0167, 1
                    0.015, 2
                    0.01, 2
                    0.008, 3
                    0.002, 9
                ] do
                let timing = VideoTiming.Of(Nullable step)
                Expect.equal timing.Stride stride $"{step} s"
                Expect.floatClose Accuracy.high timing.SecondsPerFrame (float stride * step) "real time"

            Expect.equal (VideoTiming.Of(Nullable())) (VideoTiming(1, 1.0 / 30.0)) "steps whose time is not known"

            for step in [ 0.0; -1.0; nan; infinity ] do
                Expect.stringContains (refusal (fun () -> VideoTiming.Of(Nullable step) |> ignore)) "seconds between two steps" $"{step}"

        testCase "has a size that is read from text"
        <| fun _ ->
            Expect.equal (VideoSize.Parse "640x480") (Nullable(VideoSize(640, 480))) "width x height"

            for text in
                [
                    ""
                    "640"
                    "640x"
                    "x480"
                    "640X480"
                    "31x100"
                    "100x4097"
                    "-640x480"
                    "6 40x480"
                    "1x2x3"
                ] do
                Expect.isFalse (VideoSize.Parse text).HasValue text

        testCase "finds ffmpeg in the folders that it is given, and nowhere else"
        <| fun _ ->
            inFolder (fun folder ->
                let empty, first, second =
                    Path.Combine(folder, "0"), Path.Combine(folder, "1"), Path.Combine(folder, "2")

                for place in [ empty; first; second ] do
                    Directory.CreateDirectory place |> ignore

                File.WriteAllText(Path.Combine(first, "ffmpeg"), "not executable")
                let real = script second "ffmpeg" "echo 'ffmpeg version 9.9 Copyright'\n"
                Expect.equal (Ffmpeg.Find $"{empty}:{first}::{second}:/usr/bin") real "the first that can be executed"
                Expect.isNull (Ffmpeg.Find $"{empty}:{first}") "none"
                Expect.isNull (Ffmpeg.Find null) "no folders"
                Expect.equal (Ffmpeg.Version real) "9.9" "version"
                Expect.isNull (Ffmpeg.Version(script second "broken" "exit 1\n")) "one that fails"
                Expect.isNull (Ffmpeg.Version(Path.Combine(empty, "ffmpeg"))) "one that is not there")
    ]
