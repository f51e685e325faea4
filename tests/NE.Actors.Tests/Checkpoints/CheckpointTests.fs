module NE.Actors.Tests.Checkpoints.CheckpointTests

open System
open System.Collections.Generic
open System.IO
open Expecto
open NE.Actors.Checkpoints
open NE.Actors.Replay
open NE.Actors.Storage
open NE.Actors.Tests.DurableSupport

let private memory (bytes: byte[]) = ReadOnlyMemory<byte> bytes

let private damage (action: unit -> unit) =
    try
        action ()
        failtest "the damage was not noticed"
    with :? DamagedCheckpointException as error ->
        error

let private manifest components replay =
    let named = Dictionary<string, ComponentRef>()

    for name, sha in components do
        named[name] <- ComponentRef(sha, 1L)

    CheckpointManifest(1, 1L, 100L, 50L, 10L, true, named, replay, Dictionary<string, FileMark>(), null, 0L)

[<Tests>]
let blobs =
    testList "blobs" [
        testProperty "come back as they were put"
        <| fun (content: byte[]) ->
            use scratch = new Scratch()
            let store = BlobStore(scratch.Path)
            store.Get(store.Put(memory content)) = content

        testCase "of equal content are one file, named by its hash"
        <| fun () ->
            use scratch = new Scratch()
            let store = BlobStore(scratch.Path)
            let one, other = store.Put(memory "abc"B), store.Put(memory "abc"B)
            Expect.equal one other "references"
            Expect.equal one.Sha256 "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" "SHA-256 of abc"
            Expect.equal (Directory.GetFiles scratch.Path) [| store.PathOf one.Sha256 |] "files"

        testList "that are damaged are named" [
            for what, act, found in
                [
                    "missing", File.Delete, "no such file"
                    "truncated", (fun file -> truncate file 3L), "3 bytes"
                    "bit-flipped", (fun file -> flipByte file 2L), "SHA-256 "
                ] do
                testCase what
                <| fun () ->
                    use scratch = new Scratch()
                    let store = BlobStore(scratch.Path)
                    let blob = store.Put(memory "parameters"B)
                    act (store.PathOf blob.Sha256)
                    let error = damage (fun () -> store.Get blob |> ignore)
                    Expect.equal error.File (store.PathOf blob.Sha256) "file"
                    Expect.stringStarts error.Found found "found"
                    // The next commit of the same content mends it instead of naming a damaged file again.
                    Expect.equal (store.Put(memory "parameters"B)) blob "put again"
                    Expect.equal (store.Get blob) "parameters"B "mended"
        ]

        testCase "that nothing names, and left-overs of cut writes, are swept"
        <| fun () ->
            use scratch = new Scratch()
            let store = BlobStore(scratch.Path)
            let kept, old = store.Put(memory "kept"B), store.Put(memory "old"B)
            File.WriteAllText(store.PathOf old.Sha256 + ".tmp", "half")
            Expect.equal (store.Sweep [ kept ]) 2 "deleted"
            Expect.equal (store.Get kept) "kept"B "kept"

        testCase "on a full disk are one clear error, and can be put again"
        <| fun () ->
            use disk = new SmallDisk(1L <<< 20)
            let store = BlobStore(disk.Path)
            let filler = disk.FillBut(50_000L)
            let content = memory (contentOf 1L 200_000)
            let error = Expect.throwsC (fun () -> store.Put content |> ignore) id
            Expect.isTrue (error :? DiskFullException) $"{error}"
            Expect.equal (Directory.GetFiles disk.Path) [| filler |] "no left-over"
            File.Delete filler
            Expect.equal (store.Get(store.Put content)).Length 200_000 "put again"
    ]

[<Tests>]
let digest =
    testList "the state digest" [
        testCase "depends on step and components, not on the order they are named in"
        <| fun () ->
            let one = StateDigest.Of(manifest [ "parameters", "aa"; "masks", "bb" ] null)
            let other = StateDigest.Of(manifest [ "masks", "bb"; "parameters", "aa" ] null)
            let changed = StateDigest.Of(manifest [ "masks", "bc"; "parameters", "aa" ] null)
            Expect.equal other.State one.State "order"
            Expect.notEqual changed.State one.State "content"
            Expect.equal (List.ofSeq one.Components.Keys) [ "masks"; "parameters" ] "names"

        testCase "does not depend on epochs, file names, commit ids or CSV lengths"
        <| fun () ->
            let replay epoch =
                ReplayManifest(0L, 20L, 4, 16, [ SegmentRef(0, 0, "a", 16L, "x"); SegmentRef(1, epoch, $"b{epoch}", 4L, "y") ])

            let one = manifest [ "parameters", "aa" ] (replay 0)

            let other =
                CheckpointManifest(
                    1,
                    9L,
                    100L,
                    50L,
                    10L,
                    false,
                    one.Components,
                    replay 3,
                    Dictionary(dict [ "metrics.csv", FileMark(5L) ]),
                    null,
                    0L
                )

            Expect.equal (StateDigest.Of other).State (StateDigest.Of one).State "same state"
            Expect.isTrue ((StateDigest.Of one).Components.ContainsKey "replay") "the replay is a component"
    ]
