module NE.Actors.Tests.Runs.VideoTests

open System.IO
open Expecto
open NE.Actors.RunDirectory
open NE.Actors.Runs
open NE.Actors.Tests.Runs.Training
open NE.Actors.Tests.Video.Support
open NE.Tests.RunIdentity

let private hopper changes =
    settings ([ "run.environment", "Hopper-v4"; "run.steps", "300" ] @ changes)

let private completes request =
    let outcome = train toTheEnd request
    Expect.equal outcome.Phase RunPhase.Completed $"the run completes: {outcome.Message}"

let private complete folder name changes =
    use created = create folder name
    completes (request created.Paths (hopper changes))
    created.Paths

let private videos (paths: RunPaths) = [
    if Directory.Exists paths.Video then
        for file in DirectoryInfo(paths.Video).GetFiles() |> Array.sortBy _.Name -> file.Name
]

[<Tests>]
let tests =
    testSequenced
    <| testList "A run that is filmed" [
        testCase "is bit for bit the run that is not, also when it cannot be filmed and when it is resumed"
        <| fun _ ->
            Training.inFolder (fun folder ->
                let plain = complete folder "plain" []
                Expect.isEmpty (videos plain) "no video that was not asked for"

                let filmed = complete folder "filmed" [ "video.every", "100" ]
                expectSame (identity filmed) (identity plain) "filmed"
                // Later ones may come while the first is still made.
                Expect.contains (videos filmed) "step-100.png" "videos"

                for video in videos filmed do
                    let animation = readAnimation (Path.Combine(filmed.Video, video))
                    Expect.equal animation.Promised animation.Frames.Length video

                use blocked = create folder "blocked"
                File.WriteAllText(blocked.Paths.Video, "in the way")
                completes (request blocked.Paths (hopper [ "video.every", "100" ]))
                expectSame (identity blocked.Paths) (identity plain) "where there is no place for videos"

                use resumed = create folder "resumed"
                let outcome = trainUntil 150 (request resumed.Paths (hopper []))
                Expect.equal outcome.Phase RunPhase.Interrupted "the stop"
                completes (request resumed.Paths (hopper [ "video.every", "300" ]))
                expectSame (identity resumed.Paths) (identity plain) "filmed from its resume on"
                Expect.equal (videos resumed.Paths) [ "step-300.png" ] "a complete run waits for its last video")

        testCase "async: has its last video too"
        <| fun _ ->
            Training.inFolder (fun folder ->
                let paths =
                    complete folder "filmed" [ "schedule.kind", "async"; "video.every", "300" ]

                Expect.equal (videos paths) [ "step-300.png" ] "videos")
    ]
