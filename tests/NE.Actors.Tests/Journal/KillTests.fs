module NE.Actors.Tests.Journal.KillTests

open System
open System.Diagnostics
open System.IO
open System.Reflection
open Expecto
open NE.Actors.Journal
open NE.Actors.Replay
open NE.Actors.RunDirectory
open NE.Actors.Tests.DurableSupport
open NE.Actors.Tests.Journal.JournalKit

/// This very executable, also when `dotnet exec` runs it.
let private startLoop (runs: string) =
    let own = there Environment.ProcessPath
    let arguments = [ CommitLoop.Argument; runs ]

    let arguments =
        if Path.GetFileNameWithoutExtension own = "dotnet" then
            "exec" :: Assembly.GetExecutingAssembly().Location :: arguments
        else
            arguments

    there (Process.Start(ProcessStartInfo(own, arguments, RedirectStandardOutput = true)))

/// Lets it run until it has said so many lines, then kill -9.
let private killAfter lines runs =
    use loop = startLoop runs

    for _ in 1..lines do
        loop.StandardOutput.ReadLine() |> there |> ignore

    loop.Kill()
    loop.WaitForExit()

/// A kill costs the start of a process, 1-2 s of processor time; NE_KILLS asks for more than a quick run has.
let private kills =
    match Int32.TryParse(Environment.GetEnvironmentVariable "NE_KILLS") with
    | true, count -> count
    | _ -> 5

/// What must hold whenever the process died. Returns the step of the last commit.
let private check (paths: RunPaths) =
    let loaded = CheckpointReader.Load(paths, CheckpointChoice.Last)
    let manifest = loaded.Manifest
    Expect.equal loaded.Components["parameters"] (contentOf manifest.Step 100_000) "the blobs of this step"
    Expect.equal (BitConverter.ToInt64 loaded.Components["counters"]) manifest.Step "all of one step"
    Expect.equal (ordinals paths) [ 0L .. manifest.HistoryOrdinal - 1L ] "history ends with the commit, each event once"
    let replay = there manifest.Replay
    Expect.equal replay.Head manifest.Step "rows up to the step"

    do
        use store = SegmentStore.Resume(paths.Replay, replay, CommitLoop.capacity)
        holdsItsRows store

    use journal = JournalReader.Open paths

    for older in journal.Manifests() |> Seq.skip 1 do
        Expect.equal (CheckpointReader.Load(paths, CheckpointChoice.At older.Step)).Manifest.Step older.Step "the one before is whole, too"

    manifest.Step

[<Tests>]
let tests =
    testSequenced
    <| testList "kill -9" [
        testCase "at random moments leaves the last commit complete, its rows right, and no history past it"
        <| fun () ->
            use scratch = new Scratch()
            let paths = RunPaths.Of(scratch.Path, "run")
            let random = Random 20_260

            let steps = [
                for _ in 1..kills do
                    killAfter (random.Next(61, 300)) scratch.Path
                    check paths
            ]

            Expect.equal steps (List.sort steps) "never back"
            Expect.isGreaterThan (List.last steps) (List.head steps) "and on"
            Expect.isNull (RunLock.Holder paths) "the lock died with its holder"
    ]
