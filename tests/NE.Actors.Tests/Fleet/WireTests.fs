module NE.Actors.Tests.Fleet.WireTests

open System
open System.Collections
open System.Collections.Generic
open System.IO
open System.Reflection
open System.Runtime.Serialization
open System.Text
open Akka.Actor
open Expecto
open Microsoft.FSharp.Reflection
open NE.Actors.Fleet
open NE.Actors.Fleet.Cells
open NE.Actors.Fleet.Copies
open NE.Actors.Fleet.Environments
open NE.Actors.Fleet.Wire
open NE.Model
open NE.Model.Fleet
open NE.Model.History
open NE.Model.Networks
open NE.Tests.ActorKit
open NE.Tests.Repository

let private card name =
    NodeCard(
        Name = name,
        Address = FleetAddress("10.0.0.5", 7310),
        Incarnation = -3,
        Roles = [| "node" |],
        Build = "0.1.0 [abc]",
        Versions = Dictionary(dict [ "ne", "0.1.0"; "MuJoCo", "2.2.2" ]),
        Processor = "a processor",
        Cores = 8,
        Slots = 2,
        EnvironmentCapacity = 16,
        Started = DateTimeOffset(2026, 11, 30, 1, 2, 3, TimeSpan.Zero),
        Cells = [| "sweep-cell-s0" |],
        Environments = [| "run 0"; "run 3" |]
    )

let private episode: EpisodeEnded = {
    Step = 17L
    Environment = 3
    Episode = 2L
    Return = -1.5
    Length = 9
    Terminated = true
}

let private opening (fingerprint: string | null) (state: byte[] | null) =
    OpenEnvironment(
        Number = 7,
        Epoch = 1_099_511_627_776L,
        Round = 12L,
        Run = "cheetah",
        Index = 3,
        Configuration = "run:\n  seed: 3\n",
        Task = "HalfCheetah-v4",
        Fingerprint = fingerprint,
        RandomUntil = 25_000L,
        State = state,
        Episode = 4L,
        OnOtherMuJoCo = true
    )

let private ended: CellEnd = {
    ExitCode = 137
    ProcessId = 4_242
    LastWords = "killed"
}

let private renewal isOwnDisk cells =
    Renew(
        Node = "10.0.0.5:7310 -3",
        Name = "left",
        SentAt = 1_099_511_627_776L,
        Slots = 2,
        IsLeaving = false,
        Folder = "a folder",
        IsOwnDisk = isOwnDisk,
        Cells = cells
    )

/// One of each, with what it is called on the wire.
let private messages: (string * obj) list = [
    "open/1", opening "sha256 of something" [| 1uy; 2uy; 255uy |]
    "close/1", CloseEnvironment(7, 5L)
    "policy/1", PolicyPart(3L, 1, 2, Exploration.Gaussian 0.1f, [| 9uy; 8uy |])
    "step/2",
    StepEnvironments(
        3L,
        [|
            RoundOrder(7, 5L, 12L, 480L, 2, 4, [||])
            RoundOrder(8, 6L, 13L, 481L, 2, 1, [| 0.25f |])
        |]
    )
    "opened/2", EnvironmentOpened(7, 5L, 4L, [| 1uy; 2uy |], [| 0.5f |])
    "broken/1", EnvironmentBroken(7, 5L, true, "it has no licence")
    "missing/1", EnvironmentMissing(7, 5L)
    "policy-missing/1", PolicyMissing 3L
    "stepped/2",
    EnvironmentsStepped [|
        RoundResult(7, 5L, 12L, [| 0.5f; -1f; infinityf |], [| episode |], 1, 5L, [| 3uy |], [| -2f |])
    |]
    "copy/1",
    CopyOffered(
        "cell",
        5L,
        2L,
        CopyManifest(
            900L,
            [|
                CopiedFile("blobs/ab", 3L, [| String.replicate 32 "0f" |])
                CopiedFile("run.json", 0L, [||])
            |]
        )
    )
    "piece-wanted/1", PieceWanted("cell", 5L, 1, 2)
    "piece/1", PieceSent("cell", 5L, 1, 2, [| 7uy |])
    "copied/1", CopyTaken("cell", 5L, 2L, 4_096L)
    "copy-refused/1", CopyRefused("cell", 5L, "another node has the cell now")
    "copy-wanted/1", CopyWanted("cell", 5L)
    "nothing-copied/1", NothingCopied("cell", 5L)
    "knock/1", Knock("left", "0.1.0 [abc]")
    "admitted/1", Admitted true
    "turned-away/1", TurnedAway "another build"
    "who/1", WhoAreYou()
    "describe/1", DescribeFleet()
    "card/1", card "left"
    "fleet/1", FleetDescription([| card "left"; card "rïght" |], [| FleetAddress("other.example", 1) |])
    "renew/2",
    renewal true [|
        HeldCell("sweep-cell-s0", 5L, null, false)
        HeldCell("sweep-cell-s1", 6L, ended, true)
    |]
    "grant/1", Grant(1_099_511_627_776L, [| CellTask("sweep-cell-s0", 5L, "train", true) |])
    "submit/1", SubmitSweep "a sweep's file"
    "accepted/1", SweepAccepted("sweep", "12 cells")
    "refused/1", SweepRefused "there is no such task"
    "ask-sweep/1", AskSweep "sweep"
    "sweep/1", SweepShown("sweep", "12 cells: 1 complete")
    "stop-sweep/1", StopSweep("sweep", "asked to")
]

/// One of each event of a coordinator's journal, whose rows outlive the build that wrote them.
let private events: (string * obj) list = [
    "sweep-began/1", FleetEvent.SweepBegan("sweep", "a sweep's file")
    "sweep-ended/1", FleetEvent.SweepEnded "sweep"
    "cell-wanted/1", FleetEvent.CellWanted("sweep-cell-s0", "train")
    "cell-placed/1", FleetEvent.CellPlaced("sweep-cell-s0", "10.0.0.5:7310 -3", 5L)
    "cell-stopped/1", FleetEvent.CellStopped "sweep-cell-s0"
    "cell-returned/1", FleetEvent.CellReturned("sweep-cell-s0", 5L, "its node is lost")
    "cell-ended/1", FleetEvent.CellEnded("sweep-cell-s0", 5L, ended)
]

let private samples = messages @ events

/// What else a field may be.
let private variants: obj list = [
    opening null null
    opening "" [||]
    PolicyPart(0L, 0, 1, Exploration.Off, [||])
    PolicyPart(0L, 0, 1, Exploration.Sampling LogDeviation.Clamped, [||])
    PolicyPart(0L, 0, 1, Exploration.Sampling LogDeviation.Tanh, [||])
    StepEnvironments(0L, [||])
    EnvironmentsStepped [||]
    FleetDescription([||], [||])
    renewal false [||]
    Grant(0L, [||])
]

/// Every property of a message, however deep, to the bit.
let rec private text (value: obj | null) : string =
    match value with
    | null -> "null"
    | :? string as text -> $"'{text}'"
    | :? float32 as number -> string (BitConverter.SingleToInt32Bits number)
    | :? float as number -> string (BitConverter.DoubleToInt64Bits number)
    | :? DateTimeOffset as time -> time.ToString "O"
    | :? Exploration as exploration -> $"%A{exploration}"
    | :? IEnumerable as items ->
        let parts = [ for item in items -> text item ]
        $"""[{String.concat "; " parts}]"""
    | value when value.GetType().IsPrimitive -> string value
    | value ->
        let parts = [
            for property in value.GetType().GetProperties(BindingFlags.Public ||| BindingFlags.Instance) do
                if property.GetIndexParameters().Length = 0 && property.Name <> "Akka" then
                    $"{property.Name}={text (property.GetValue value)}"
        ]

        $"""{value.GetType().Name}({String.concat ", " parts})"""

let private withSerializers (body: WireSerializer list -> unit) =
    use kit = new ActorKit("akka { loglevel = OFF, stdout-loglevel = OFF }")
    let system = kit.Sys :?> ExtendedActorSystem

    body [
        EnvironmentSerializer system
        CopySerializer system
        NodeSerializer system
        CellSerializer system
        FleetEventSerializer system
    ]

/// That which knows the message.
let private ofMessage (serializers: WireSerializer list) (message: obj) =
    match message with
    | :? IEnvironmentMessage -> serializers[0]
    | :? ICopyMessage -> serializers[1]
    | :? ICellMessage -> serializers[3]
    | :? FleetEvent -> serializers[4]
    | _ -> serializers[2]

let private survives (serializer: WireSerializer) (message: obj) =
    let read =
        serializer.FromBinary(serializer.ToBinary message, serializer.Manifest message)

    Expect.equal (read.GetType()) (message.GetType()) "kind"
    Expect.equal (text read) (text message) "as it was written"

/// Nothing, or why it was refused. Any other exception fails the test, and so does more memory than the bytes have a right to.
let private reading (serializer: WireSerializer) (bytes: byte[]) (manifest: string) : string option =
    let before = GC.GetAllocatedBytesForCurrentThread()

    let outcome =
        try
            serializer.FromBinary(bytes, manifest) |> ignore
            None
        with :? SerializationException as refused ->
            Some refused.Message

    let allocated = GC.GetAllocatedBytesForCurrentThread() - before
    Expect.isLessThan allocated (300_000L + 64L * int64 bytes.Length) $"{manifest}: memory for {bytes.Length} bytes"
    outcome

let private golden (manifest: string) =
    Path.Combine(repository, "tests/data/fleet", manifest.Replace('/', '-') + ".hex")

let private hex (bytes: byte[]) =
    bytes
    |> Array.chunkBySize 32
    |> Array.map Convert.ToHexStringLower
    |> Array.map (fun line -> line + "\n")
    |> String.concat ""

/// A text that UTF-8 can hold.
let private readable (any: string | null) =
    Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(Option.ofObj any |> Option.defaultValue ""))

[<Tests>]
let tests =
    testList "The messages of a fleet" [
        testCase "are all here, and each has a form and bytes that never change"
        <| fun _ ->
            withSerializers (fun serializers ->
                let kinds = [
                    for case in FSharpType.GetUnionCases typeof<FleetEvent> do
                        case.Name

                    for marker in
                        [
                            typeof<IEnvironmentMessage>
                            typeof<ICopyMessage>
                            typeof<INodeMessage>
                            typeof<ICellMessage>
                        ] do
                        for kind in marker.Assembly.GetTypes() do
                            if not kind.IsInterface && marker.IsAssignableFrom kind then
                                kind.Name
                ]

                Expect.equal (set [ for _, sample in samples -> sample.GetType().Name ]) (set kinds) "a sample of each"

                for manifest, sample in samples do
                    let serializer = ofMessage serializers sample
                    Expect.equal (serializer.Manifest sample) manifest "its name"
                    survives serializer sample
                    let written = hex (serializer.ToBinary sample)

                    if Environment.GetEnvironmentVariable "NE_UPDATE_GOLDEN" = "1" then
                        File.WriteAllText(golden manifest, written)
                    else
                        Expect.equal
                            (File.ReadAllText(golden manifest))
                            written
                            $"{manifest}: a form of the wire never changes; what is said in another way gets another version"

                Expect.equal
                    (set [
                        for file in Directory.GetFiles(Path.Combine(repository, "tests/data/fleet")) -> file
                    ])
                    (set [ for manifest, _ in samples -> golden manifest ])
                    "a file for each"

                for variant in variants do
                    survives (ofMessage serializers variant) variant)

        testCase "survive whatever is in them"
        <| fun _ ->
            withSerializers (fun serializers ->
                let config = FsCheck.Config.QuickThrowOnFailure.WithQuietOnSuccess true

                FsCheck.Check.One(
                    config,
                    fun (number: int, epoch: int64, round: int64, rows: float32[], state: byte[], episodes: EpisodeEnded[]) ->
                        survives
                            serializers[0]
                            (EnvironmentsStepped [|
                                for more in 0..2 -> RoundResult(number + more, epoch, round, rows, episodes, number, round, state, rows)
                            |])
                )

                FsCheck.Check.One(
                    config,
                    fun (number: int, first: string, second: string, state: byte[] option) ->
                        let state = Option.toObj state

                        survives
                            serializers[0]
                            (OpenEnvironment(
                                Number = number,
                                Epoch = int64 number,
                                Round = 0L,
                                Run = readable first,
                                Index = number,
                                Configuration = readable second,
                                Task = readable first,
                                Fingerprint = readable second,
                                RandomUntil = 0L,
                                State = state,
                                Episode = 0L,
                                OnOtherMuJoCo = false
                            ))

                        survives serializers[0] (EnvironmentBroken(number, 0L, false, readable first))
                        survives serializers[2] (Knock(readable first, readable second))
                ))

        testCase "of a kind that this build does not know are refused by name"
        <| fun _ ->
            withSerializers (fun serializers ->
                for serializer in serializers do
                    for manifest in [ "open/2"; ""; "System.Uri, System"; "OPEN/1"; "who" ] do
                        match reading serializer [||] manifest with
                        | Some why -> Expect.stringContains why $"'{manifest}'" "which"
                        | None -> failtest $"{manifest} was read"

                Expect.throwsT<SerializationException> (fun () -> serializers[0].Manifest(Knock("a", "b")) |> ignore) "of another part"
                Expect.throwsT<SerializationException> (fun () -> serializers[2].ToBinary(obj ()) |> ignore) "of nobody")

        testCase
            "that are cut or have more behind them are refused; with flipped bits they are refused or say something else, and do no harm"
        <| fun _ ->
            withSerializers (fun serializers ->
                for manifest, sample in samples do
                    let serializer = ofMessage serializers sample
                    let bytes = serializer.ToBinary sample

                    for length in 0 .. bytes.Length - 1 do
                        match reading serializer bytes[.. length - 1] manifest with
                        | Some why -> Expect.stringContains why $"'{manifest}'" "which"
                        | None -> failtest $"{manifest} was read from {length} of {bytes.Length} bytes"

                    for more in 1..9 do
                        let why = reading serializer (Array.append bytes (Array.create more 0uy)) manifest

                        Expect.isSome why $"{manifest} with {more} bytes more"

                    for bit in 0 .. 8 * bytes.Length - 1 do
                        let flipped = Array.copy bytes
                        flipped[bit / 8] <- flipped[bit / 8] ^^^ (1uy <<< bit % 8)
                        reading serializer flipped manifest |> ignore)

        testCase "of random bytes do no harm"
        <| fun _ ->
            withSerializers (fun serializers ->
                let random = Random 7

                for manifest, sample in samples do
                    let serializer = ofMessage serializers sample

                    for _ in 1..300 do
                        let bytes = Array.zeroCreate<byte>(random.Next 200)
                        random.NextBytes bytes
                        reading serializer bytes manifest |> ignore)

        testCase "are all that crosses: what was not made for it is neither written nor read, by whichever of Akka's serializers"
        <| fun _ ->
            let options =
                FleetOptions(
                    Key = FleetKit.key (),
                    Name = "alone",
                    Build = "test",
                    Roles = [| FleetOptions.NodeRole |],
                    Loggers = FleetKit.loggers
                )

            let system =
                ActorSystem.Create(
                    "ne-fleet",
                    FleetConfiguration.Of(
                        options,
                        [|
                            NodeSerializer.Messages
                            EnvironmentSerializer.Messages
                            CopySerializer.Messages
                            CellSerializer.Messages
                        |]
                    )
                )

            try
                let serialization = (system :?> ExtendedActorSystem).Serialization

                for _, sample in messages do
                    Expect.isTrue (serialization.FindSerializerFor sample :? WireSerializer) $"{sample}"

                for other in
                    [
                        obj ()
                        Uri "http://example" :> obj
                        System.Version(1, 2) :> obj
                        [ 1; 2 ] :> obj
                        InvalidOperationException "no" :> obj
                    ] do
                    let serializer = serialization.FindSerializerFor other
                    Expect.isTrue (serializer :? RefusingSerializer) $"{other.GetType()} is written by {serializer.GetType()}"
                    Expect.throwsT<SerializationException> (fun () -> serializer.ToBinary other |> ignore) "refused"
                    Expect.throwsT<SerializationException> (fun () -> serializer.FromBinary([| 1uy |], typeof<Uri>) |> ignore) "refused"

                // Akka's own of JSON makes objects of whatever types it is told.
                let json =
                    Akka.Serialization.NewtonSoftJsonSerializer(system :?> ExtendedActorSystem)

                let bytes = json.ToBinary(System.Version(1, 2))

                Expect.throwsT<SerializationException>
                    (fun () ->
                        serialization.Deserialize(bytes, json.Identifier, typeof<System.Version>.AssemblyQualifiedName)
                        |> ignore)
                    "by its number"
            finally
                system.Terminate().Wait()
    ]
