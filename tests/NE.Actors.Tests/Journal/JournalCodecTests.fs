module NE.Actors.Tests.Journal.JournalCodecTests

open System
open System.Collections.Generic
open System.IO
open Expecto
open FsCheck
open NE.Actors.Checkpoints
open NE.Actors.Journal
open NE.Actors.Replay
open NE.Actors.Storage
open NE.Actors.Tests.DurableSupport
open NE.Model.History
open NE.Model.Runs

let private decode (manifest: string) (bytes: byte[]) =
    JournalCodec.Decode(manifest, ReadOnlySpan<byte> bytes)

let private again (entry: obj) =
    decode (JournalCodec.ManifestOf entry) (JournalCodec.Encode entry)

let private stored event =
    JournalEntry.EventStored(3L, true, event)

let private bits (x: float32) = BitConverter.SingleToInt32Bits x
let private bits64 (x: float) = BitConverter.DoubleToInt64Bits x

/// The event with its floats as bits, since NaN is not equal to itself and -0 is equal to 0.
let private exact event : obj | null =
    match event with
    | RunEvent.TopologyChanged(n, e) ->
        let layers = [
            for l in e.Layers ->
                (l.Stack, l.Layer, l.Grown, l.Pruned, l.Touched), (l.Dormant, l.Active, l.Size, bits l.MinScore, bits l.MaxScore)
        ]

        box (n, e.Step, e.Network, layers, bits64 e.OutputShift)
    | RunEvent.EpisodeEnded(n, e) -> box (n, { e with Return = 0. }, bits64 e.Return)
    | RunEvent.EvaluationEnded(n, e) -> box (n, { e with Returns = [||] }, Array.map bits64 e.Returns)
    | other -> box other

let private survives event =
    match again (stored event) with
    | :? JournalEntry.EventStored as back -> back.Id = 3L && back.WithCommit && exact back.Event = exact event
    | _ -> false

let private exactAll (entry: obj) =
    match entry with
    | :? JournalEntry.EpisodesStored as stored -> stored.Id, stored.Total, [ for episode in stored.Episodes -> exact episode ]
    | other -> failtestf "no episodes but %O" other

let private manifestKeeping (kept: int64 list) =
    let components =
        dict [ "parameters", ComponentRef("aa11", 5L); "masks", ComponentRef("bb22", 7L) ]

    let replay =
        ReplayManifest(
            10L,
            40L,
            42,
            32,
            [
                SegmentRef(0, 0, "seg-00000000-e0000.bin", 32L, "cc33")
                SegmentRef(1, 2, "seg-00000001-e0002.bin", 8L, "dd44")
            ]
        )

    let csv = dict [ "metrics.csv", FileMark(1234L) ]

    CheckpointManifest(
        1,
        6L,
        25_000L,
        12_500L,
        2_500L,
        true,
        Dictionary components,
        replay,
        Dictionary csv,
        BestCheckpoint(20_000L, ComponentRef("ee55", 9L)),
        17L,
        KeptOrdinals = kept
    )

let private manifest = manifestKeeping []

/// One of each case, with values that are easy to get wrong.
let private samples: (string * obj) list =
    let operational event : obj =
        JournalEntry.EventStored(4L, false, event)

    [
        "topology-changed",
        stored (
            RunEvent.TopologyChanged(
                5L,
                {
                    Step = 7_000L
                    Network = "critic"
                    Layers = [|
                        {
                            Stack = 1
                            Layer = 2
                            Grown = [| 0; 1; 130; 40_000; Int32.MaxValue |]
                            Pruned = [| 129 |]
                            Touched = [| 9; 3 |]
                            Dormant = 4
                            Active = 1_000
                            Size = 65_536
                            MinScore = nanf
                            MaxScore = 1.5e-7f
                        }
                    |]
                    OutputShift = 0.1
                }
            )
        )
        "episode-ended",
        stored (
            RunEvent.EpisodeEnded(
                6L,
                {
                    Step = 8_000L
                    Environment = 3
                    Episode = 8L
                    Return = -123.456
                    Length = 1_000
                    Terminated = true
                }
            )
        )
        "episodes-ended",
        JournalEntry.EpisodesStored(
            3L,
            1_002L,
            [|
                for n, environment, episode, value in [ 7L, 0, 8L, 12.0; 8L, 3, 500L, -123.456; 10L, 0, 9L, nan ] do
                    RunEvent.EpisodeEnded(
                        n,
                        {
                            Step = 8_000L + n
                            Environment = environment
                            Episode = episode
                            Return = value
                            Length = 1_000 - int n
                            Terminated = (n = 8L)
                        }
                    )
            |]
        )
        "evaluation-ended",
        stored (
            RunEvent.EvaluationEnded(
                7L,
                {
                    Step = 10_000L
                    Returns = [| 1.5; nan; infinity; -0.0 |]
                    Lengths = [| 1_000; 17; 18; 19 |]
                    IsBest = true
                }
            )
        )
        "phase-started",
        stored (
            RunEvent.PhaseStarted(
                8L,
                {
                    Step = 100_000L
                    GradientStep = 75_000L
                    Phase = 1L
                    Cycle = 0L
                    Task = "Humanoid-v4"
                }
            )
        )
        "run-started", operational (RunEvent.RunStarted("seed: 1\nmethod: \"ne\"\n", "ne 0.1.0, .NET 10.0"))
        "run-resumed", operational (RunEvent.RunResumed(25_000L, "ne 0.1.1"))
        "configuration-changed", operational (RunEvent.ConfigurationChanged(25_000L, [| "ne.omega", "0.4", "0.2" |]))
        "environment-restarted", operational (RunEvent.EnvironmentRestarted(26_000L, 2, "mju_error: α < 0"))
        "run-interrupted", operational (RunEvent.RunInterrupted(27_000L, "SIGTERM"))
        "run-failed", operational (RunEvent.RunFailed(28_000L, "NaN in critic.0.weight"))
        "run-completed", operational (RunEvent.RunCompleted(30_000L))
        "checkpoint-committed", JournalEntry.CheckpointCommitted manifest
        "rewound", JournalEntry.Rewound(9L, 6L)
        "snapshot",
        JournalSnapshot(
            [
                {
                    Manifest = manifest
                    Masks = [| 1uy; 2uy; 255uy |]
                    EventCounts = Dictionary(dict [ "EpisodeEnded", 3L ])
                }
            ],
            Dictionary(dict [ "EpisodeEnded", 4L; "RunStarted", 1L ]),
            6L,
            2L
        )
    ]

let private golden name =
    Path.Combine(__SOURCE_DIRECTORY__, "..", "..", "data", "golden", "journal", name + ".json")

[<Tests>]
let tests =
    testList "the journal's bytes" [
        testProperty "bring back any topology event"
        <| fun ordinal step network layers shift ->
            survives (
                RunEvent.TopologyChanged(
                    ordinal,
                    {
                        Step = step
                        Network = (if network then "actor" else "critic")
                        Layers = layers
                        OutputShift = shift
                    }
                )
            )

        testProperty "bring back any episode"
        <| fun ordinal episode -> survives (RunEvent.EpisodeEnded(ordinal, episode))

        testProperty "bring back any episodes of a commit"
        <| fun id total (first: int64 * EpisodeEnded) (others: (int64 * EpisodeEnded) list) ->
            let entry =
                JournalEntry.EpisodesStored(id, total, [| for ended in first :: others -> RunEvent.EpisodeEnded ended |])

            exactAll (again entry) = exactAll entry

        testCase "spend about ten bytes on a short episode"
        <| fun () ->
            let episodes = [|
                for n in 0L .. 2_499L ->
                    let length = 5 + int (n * 7L % 13L)

                    RunEvent.EpisodeEnded(
                        n,
                        {
                            Step = n * 11L
                            Environment = 0
                            Episode = n
                            Return = float length
                            Length = length
                            Terminated = true
                        }
                    )
            |]

            let bytes =
                (JournalCodec.Encode(JournalEntry.EpisodesStored(3L, 2_500L, episodes))).Length

            Expect.isLessThan bytes (episodes.Length * 12) "base64 included"

        testCase "of episodes whose columns are not of one length are refused"
        <| fun () ->
            let entry =
                JournalEntry.EpisodesStored(
                    3L,
                    2L,
                    [|
                        for n in 0L .. 1L ->
                            RunEvent.EpisodeEnded(
                                n,
                                {
                                    Step = n
                                    Environment = 0
                                    Episode = n
                                    Return = 1.5
                                    Length = 1
                                    Terminated = false
                                }
                            )
                    |]
                )

            let text = Text.Encoding.UTF8.GetString(JournalCodec.Encode entry)

            for part, other in
                [
                    "\"count\":2", "\"count\":3"
                    "\"ordinals\":\"AAI=\"", "\"ordinals\":\"AA==\""
                    "\"environments\":\"AAA=\"", "\"environments\":\"AICA\""
                    "\"returns\":\"Aj/4", "\"returns\":\"CT/4"
                    "\"terminated\":\"AA==\"", "\"terminated\":\"\""
                ] do
                Expect.stringContains text part "as it was"

                Expect.throwsT<InvalidDataException>
                    (fun () ->
                        decode "episodes-ended:1" (Text.Encoding.UTF8.GetBytes(text.Replace(part, other)))
                        |> ignore)
                    other

        testCase "have the places that a checkpoint keeps, and none in one that keeps none"
        <| fun () ->
            let places (kept: int64 list) =
                let written =
                    JournalCodec.Encode(JournalEntry.CheckpointCommitted(manifestKeeping kept))

                match decode "checkpoint-committed:1" written with
                | :? JournalEntry.CheckpointCommitted as read ->
                    List.ofSeq read.Manifest.KeptOrdinals, (Text.Encoding.UTF8.GetString written).Contains "kept"
                | other -> failtestf "%O" other

            Expect.equal (places [ 12L; 15L ]) ([ 12L; 15L ], true) "kept"
            Expect.equal (places []) ([], false) "none"

        testProperty "bring back any evaluation"
        <| fun ordinal evaluation -> survives (RunEvent.EvaluationEnded(ordinal, evaluation))

        testProperty "bring back index arrays, sorted or not"
        <| fun (indices: int[]) -> survives (topology 0L indices (Array.sort indices) 0 0)

        testCase "spend at most two bytes on an index of a sorted event"
        <| fun () ->
            // A quarter of a 256 x 128 layer, as one event of the paper may grow.
            let grown = [| for i in 0..8_191 -> i * 4 |]
            let bytes = (JournalCodec.Encode(stored (topology 0L grown [||] 0 0))).Length
            Expect.isLessThan bytes (grown.Length * 2) "base64 included"

        for name, entry in samples do
            testCase $"of an old '{name}' still read"
            <| fun () ->
                if not (String.IsNullOrEmpty(Environment.GetEnvironmentVariable "NE_WRITE_GOLDEN")) then
                    File.WriteAllBytes(golden name, JournalCodec.Encode entry)

                let old = File.ReadAllBytes(golden name)
                let read = decode (name + ":1") old

                Expect.equal
                    (Text.Encoding.UTF8.GetString(JournalCodec.Encode read))
                    (Text.Encoding.UTF8.GetString(JournalCodec.Encode entry))
                    "same values"

                Expect.equal (JournalCodec.ManifestOf entry) (name + ":1") "same name"

                match entry, read with
                | (:? JournalEntry.EventStored as wanted), (:? JournalEntry.EventStored as found) ->
                    Expect.equal (exact found.Event) (exact wanted.Event) "same event"
                | _ -> Expect.equal (read.GetType()) (entry.GetType()) "same record"

        testCase "of a newer program, or damaged ones, are refused with the record's name"
        <| fun () ->
            for name, bytes in
                [
                    "episode-ended:2", "{}"B
                    "episode-ended:1", "{"B
                    "episode-ended:1", "null"B
                    "run-started:1", "[]"B
                    "episodes-ended:1", "{"B
                ] do
                try
                    decode name bytes |> ignore
                    failtest "it was read"
                with :? InvalidDataException as error ->
                    Expect.stringContains error.Message name "name"
    ]
