/// A run that crosses to another folder by content, at one commit after the other.
module NE.Actors.Tests.Fleet.CopyTests

open System
open System.IO
open System.Threading.Tasks
open Akka.Actor
open Expecto
open NE.Actors.Fleet.Copies
open NE.Actors.RunDirectory
open NE.Tests.ActorKit
open NE.Actors.Tests.Runs.Training
open NE.Tests.RunIdentity

/// Where a run crosses to and from.
type private Crossing(folder: string) =
    let here, there = Path.Combine(folder, "here"), Path.Combine(folder, "there")
    let source, target = PieceHashes(), PieceHashes()
    let mutable spoilt = false
    let work name = Path.Combine(folder, name)

    do
        Directory.CreateDirectory here |> ignore
        Directory.CreateDirectory there |> ignore

    member _.Original = RunPaths.Of(here, "run")
    member _.Here = here
    member _.Copy = RunPaths.Of(there, "run")

    /// The pieces that cross from now on are not what they should be.
    member _.Spoil() = spoilt <- true

    /// What crossed.
    member this.Receive() : ReceivedCopy =
        use taken =
            RunSnapshot.Take(RunPaths.Of(here, "run"), work "offered", source)
            |> Option.ofObj
            |> Option.defaultWith (fun () -> failtest "there is a commit")

        let ask file piece =
            let bytes = taken.Read(file, piece)

            if spoilt && bytes.Length > 0 then
                bytes[bytes.Length / 2] <- ~~~bytes[bytes.Length / 2]

            Task.FromResult bytes

        ReceivedCopy
            .Receive(this.Copy, taken.Manifest, work "received", target, Func<_, _, _>(fun file piece -> ask file piece))
            .GetAwaiter()
            .GetResult()

    member this.Cross() : int64 =
        let received = this.Receive()
        received.Apply()
        received.Received

/// A node that has offered this, and hands its pieces out. What is said of the offer goes to the test.
type private Source(offered: RunSnapshot, test: IActorRef) =
    inherit UntypedActor()

    override this.OnReceive message =
        match message with
        | :? PieceWanted as wanted -> this.Sender.Tell(PieceSent.Of(wanted, offered))
        | other -> test.Tell other

let private changes = [ "run.steps", "2000"; "learner.bufferSize", "2000"; "checkpoint.every", "200" ]

let private runUntil steps (crossing: Crossing) =
    use folder = create crossing.Here "run"
    trainUntil steps (request folder.Paths (settings changes)) |> ignore

/// A run of so many steps, and its copy.
let private copied steps folder : Crossing =
    let crossing = Crossing folder
    runUntil steps crossing
    crossing.Cross() |> ignore
    crossing

let private resumed (paths: RunPaths) =
    use folder = RunFolder.Open(paths.RunsFolder, paths.Name)
    let again = request folder.Paths (settings changes)
    train toTheEnd again |> ignore

[<Tests>]
let tests =
    testList "A run that is copied" [
        testCase "is the same run there, and ends as the one that it is a copy of"
        <| fun _ ->
            inFolder (fun folder ->
                let crossing = Crossing folder
                runUntil 700 crossing
                let crossed = crossing.Cross()
                Expect.isGreaterThan crossed 0L "something crosses"
                let original = crossing.Original
                expectSame (identity crossing.Copy) (identity original) "the copy"
                resumed crossing.Copy
                resumed original
                expectSame (identity crossing.Copy) (identity original) "at their ends")

        testCase "crosses in part when most of it is there"
        <| fun _ ->
            inFolder (fun folder ->
                // One piece of replay memory is full by then.
                let crossing = copied 1700 folder
                let again = crossing.Cross()
                Expect.equal again 0L "nothing new"
                resumed (crossing.Original)
                let more = crossing.Cross()
                Expect.isGreaterThan more 0L "a commit is new"

                let whole =
                    DirectoryInfo(crossing.Copy.Root).EnumerateFiles("*", SearchOption.AllDirectories)
                    |> Seq.sumBy _.Length

                Expect.isLessThan more (whole - int64 CopyManifest.PieceBytes) "and rows that are there do not cross again"
                expectSame (identity crossing.Copy) (identity (crossing.Original)) "the copy")

        testCase "is refused when a piece is not what it should be, and what is there stays"
        <| fun _ ->
            inFolder (fun folder ->
                let crossing = copied 700 folder
                let before = identity crossing.Copy
                resumed (crossing.Original)
                crossing.Spoil()
                Expect.throwsT<InvalidDataException> (fun () -> crossing.Receive() |> ignore) "a wrong piece"
                expectSame (identity crossing.Copy) before "untouched")

        testCase "does not take the place of a run that somebody works on"
        <| fun _ ->
            inFolder (fun folder ->
                let crossing = copied 700 folder
                use _ = RunLock.Take crossing.Copy
                let received = crossing.Receive()
                Expect.throwsT<RunFolderException> received.Apply "it is held")

        test "has no file outside of its directory" {
            for path in
                [
                    "../run.json"
                    "/etc/passwd"
                    "blobs/../../x"
                    ""
                    "a\nb"
                    "blobs//x"
                    "a\\b"
                ] do
                Expect.throwsT<InvalidDataException> (fun () -> CopyManifest(0L, [| CopiedFile(path, 0L, [||]) |]).Check()) $"'{path}'"

            let file length pieces =
                CopyManifest(0L, [| CopiedFile("run.json", length, Array.replicate pieces "00") |])

            Expect.throwsT<InvalidDataException> ((file 1L 0).Check) "a piece is missing"
            Expect.throwsT<InvalidDataException> ((file -1L 0).Check) "less than nothing"
            Expect.throwsT<InvalidDataException> ((CopyManifest(0L, [| for _ in 1..2 -> CopiedFile("run.json", 0L, [||]) |])).Check) "twice"
            (file 1L 1).Check()
        }

        testCase "is taken from the node that has the cell, and from no other"
        <| fun _ ->
            inFolder (fun folder ->
                let crossing = Crossing folder
                runUntil 700 crossing
                let original = crossing.Original

                use kit =
                    new ActorKit("akka { loglevel = OFF, stdout-loglevel = OFF, test.single-expect-default = 20s }")

                use desk = new CopyDesk(crossing.Copy.RunsFolder, Path.Combine(folder, "desk"))

                use offered =
                    RunSnapshot.Take(original, Path.Combine(folder, "offered"), PieceHashes())
                    |> Option.ofObj
                    |> Option.get

                let node = kit.Sys.ActorOf(Props.Create<Source>(offered, kit.TestActor))

                let offer number isCurrent =
                    desk.Receive(CopyOffered("run", 5L, number, offered.Manifest), node, kit.TestActor)
                    desk.Take(kit.ExpectMsg<CopyDesk.Received>(TimeSpan.FromSeconds 30.0), isCurrent, kit.TestActor)

                offer 1L false
                let refused = kit.ExpectMsg<CopyRefused>()
                Expect.equal (refused.Cell, refused.Epoch) ("run", 5L) "whose"
                Expect.isFalse (Directory.Exists crossing.Copy.Root) "nothing is there"
                Expect.isFalse (desk.IsTaking "run") "nor will be"
                offer 2L true
                Expect.isTrue (desk.IsTaking "run") "on its way to its place, so the cell must stay where it is"
                desk.Take(kit.ExpectMsg<CopyDesk.Applied>(TimeSpan.FromSeconds 30.0))
                Expect.isFalse (desk.IsTaking "run") "there"
                let taken = kit.ExpectMsg<CopyTaken>()
                Expect.equal (taken.Epoch, taken.Number) (5L, 2L) "which"
                Expect.isGreaterThan taken.Bytes 0L "it crossed"
                expectSame (identity crossing.Copy) (identity original) "the copy"

                do
                    use _ = RunLock.Take crossing.Copy
                    offer 3L true
                    desk.Take(kit.ExpectMsg<CopyDesk.Applied>(TimeSpan.FromSeconds 30.0))
                    let refused = kit.ExpectMsg<CopyRefused>()
                    Expect.isNotEmpty refused.Reason "somebody works on it"
                    Expect.isFalse (desk.IsTaking "run") "it is over, too"

                // And back, to the node that goes on.
                desk.Offer(CopyWanted("run", 6L), kit.TestActor, kit.TestActor)
                desk.Take(kit.ExpectMsg<CopyDesk.Taken>(TimeSpan.FromSeconds 30.0))
                let back = kit.ExpectMsg<CopyOffered>()
                Expect.equal back.Manifest.Step offered.Manifest.Step "the same commit"
                Expect.isNonEmpty (desk.Give(PieceWanted("run", 6L, 0, 0)).Bytes) "its pieces are there"

                for file, piece in [ -1, 0; 0, -1; 0, 1_000_000; 1_000_000, 0 ] do
                    Expect.isEmpty (desk.Give(PieceWanted("run", 6L, file, piece)).Bytes) "there is no such piece"

                desk.Forget "run"
                Expect.isEmpty (desk.Give(PieceWanted("run", 6L, 0, 0)).Bytes) "not any more"
                desk.Offer(CopyWanted("other", 6L), kit.TestActor, kit.TestActor)
                desk.Take(kit.ExpectMsg<CopyDesk.Taken>(TimeSpan.FromSeconds 30.0))
                kit.ExpectMsg<NothingCopied>() |> ignore)

        testCase "of which nothing is committed is no copy"
        <| fun _ ->
            inFolder (fun folder ->
                let crossing = Crossing folder

                Expect.isNull (RunSnapshot.Take(crossing.Original, Path.Combine(folder, "offered"), PieceHashes())) "no run"

                (create crossing.Here "run").Dispose()

                Expect.isNull (RunSnapshot.Take(crossing.Original, Path.Combine(folder, "offered"), PieceHashes())) "no commit")
    ]
