module NE.Actors.Tests.Replay.PixelRowsTests

open System
open Expecto
open NE.Actors.Environments
open NE.Actors.Environments.Catalogue
open NE.Actors.Replay
open NE.Actors.Tests.DurableSupport
open NE.Model
open NE.Model.Replay

/// What an environment showed at a stored row, and what led there.
type private Shown = {
    Environment: int
    Position: int
    Observation: byte[]
    Action: float32[]
    Reward: float32
    Terminated: bool
}

/// Real environments that store their rows in turn, and a record of what they showed.
type private Players(store: SegmentStore, layout: PixelRows, environments: IPixelEnvironment list) =
    let linker = FrameLinker environments.Length
    let row: float32[] = Array.zeroCreate layout.RowFloats
    let shown = ResizeArray<Shown>()
    let positions = Array.create environments.Length -1

    let add environment (link: FrameLink) observation action reward terminated =
        layout.WriteLink(Span row, link)
        store.Append(ReadOnlySpan<float32> row) |> ignore

        shown.Add {
            Environment = environment
            Position = link.Position
            Observation = Array.copy observation
            Action = action
            Reward = reward
            Terminated = terminated
        }

    member _.Shown = shown

    /// One row of one environment: the reset of an episode, or a step.
    member _.Advance(index: int, episode: int64) =
        let environment = environments[index]
        let observation: byte[] = Array.zeroCreate environment.Spec.Shape.ObservationBytes

        if positions[index] < 0 then
            environment.Reset(Draws.At(3L, Purpose.Reset, (int64 index), episode, 0L), Span observation)
            layout.WriteBegin(Span row, environment.NewestFrame)
            positions[index] <- 0
            add index (linker.Begin(index, store.Head)) observation [||] 0f false
        else
            let action =
                Array.init environment.Spec.ActionSize (fun i -> 0.9f * float32 (sin (float (store.Head + int64 i))))

            let result = environment.Step(action, Span observation)
            layout.WriteStep(Span row, environment.NewestFrame, action, float32 result.Reward, result.Terminated)
            positions[index] <- if result.IsLast then -1 else positions[index] + 1
            add index (linker.Next(index, store.Head)) observation action (float32 result.Reward) result.Terminated

let private windowOf (store: SegmentStore) = {
    First = store.First
    Head = store.Head
}

/// Every transition that the store can still give, against what was shown; the number of them.
let private check (store: SegmentStore) (layout: PixelRows) steps (shown: ResizeArray<Shown>) =
    let reader = PixelReader(store, layout)
    let observation: byte[] = Array.zeroCreate layout.Shape.ObservationBytes
    let next: byte[] = Array.zeroCreate layout.Shape.ObservationBytes
    let action = Array.zeroCreate layout.ActionSize
    let mutable found = 0

    for row in store.First .. store.Head - 1L do
        if reader.IsTransition(windowOf store, steps, row) then
            found <- found + 1
            let last = shown[int row]

            // The same environment's rows up to this one, newest first.
            let before = [
                for i in int row .. -1 .. 0 do
                    if shown[i].Environment = last.Environment then
                        shown[i]
            ]

            let struct (reward, bootstrap) =
                reader.Gather(windowOf store, steps, row, 0.9, Span observation, Span action, Span next)

            Expect.equal next last.Observation $"next observation of row {row}"
            Expect.equal observation before[steps].Observation $"observation of row {row}"
            Expect.equal action before[steps - 1].Action "action"

            let rewards =
                before[.. steps - 1] |> List.rev |> List.map (fun shown -> float shown.Reward)

            let sum = rewards |> List.mapi (fun i r -> r * pown 0.9 i) |> List.sum
            Expect.floatClose Accuracy.high (float reward) sum "n-step reward"
            Expect.floatClose Accuracy.medium (float bootstrap) (if last.Terminated then 0. else pown 0.9 steps) "bootstrap"

    found

[<Tests>]
let tests =
    testList "pixel rows" [
        test "two interleaved episodes at 84 x 84 are stored once per frame and gathered as they were shown" {
            use scratch = new Scratch()
            let layout = PixelRows(PixelDefaults.Shape, 6)
            Expect.equal (layout.RowFloats * sizeof<float32>) (21_168 + 6 * 4 + 16) "bytes of a row"
            use store = SegmentStore.Create(scratch.Path, layout.RowFloats, 1_000L, 16)
            use first = EnvironmentFactory.CreatePixels "dmc/cheetah-run"
            use second = EnvironmentFactory.CreatePixels "HalfCheetah-v4"
            let players = Players(store, layout, [ first; second ])

            // Uneven, as environments are that fail and come back.
            for index in [ 0; 1; 0; 1; 1; 0; 0; 0; 1; 0; 1; 1; 0; 1; 0; 1 ] do
                players.Advance(index, 0L)

            Expect.equal (check store layout 1 players.Shown) 14 "all rows but the two resets"
            Expect.equal (check store layout 3 players.Shown) 10 "three steps"
            // What a resume reads is the same.
            use capture = store.Capture()
            capture.Flush()
            use resumed = SegmentStore.Resume(scratch.Path, capture.Describe(), 1_000L)
            Expect.equal (check resumed layout 1 players.Shown) 14 "after a resume"
        }

        test "episodes that end and begin and rows that were evicted never mix" {
            use scratch = new Scratch()
            let shape = { Height = 9; Width = 7; Stack = 3 }
            let layout = PixelRows(shape, 3)
            // 189 bytes are no whole number of floats.
            Expect.equal layout.RowFloats (48 + 3 + 4) "floats of a row"
            use store = SegmentStore.Create(scratch.Path, layout.RowFloats, 40L, 8)

            let hopper () =
                EnvironmentFactory.CreatePixels("Hopper-v4", shape, 25)

            use first = hopper ()
            use second = hopper ()
            let players = Players(store, layout, [ first; second ])

            for i in 0..79 do
                players.Advance((i * 5 + i / 7) % 2, int64 i)
                store.ReleaseBefore store.First

            Expect.isGreaterThan (players.Shown |> Seq.filter _.Terminated |> Seq.length) 4 "episodes that ended"
            Expect.equal store.First 40L "evicted"

            let resets =
                players.Shown
                |> Seq.skip 40
                |> Seq.filter (fun shown -> shown.Position = 0)
                |> Seq.length

            let found = check store layout 1 players.Shown
            Expect.isTrue (found > 20 && found < 40 - resets) $"{found} transitions, {resets} resets; the oldest have lost their frames"
            check store layout 3 players.Shown |> ignore
        }

        test "a row without a transition cannot be gathered, and a store of other rows cannot be read" {
            use scratch = new Scratch()
            let layout = PixelRows({ Height = 2; Width = 2; Stack = 3 }, 1)
            use store = SegmentStore.Create(scratch.Path, layout.RowFloats, 10L, 8)
            let row: float32[] = Array.zeroCreate layout.RowFloats
            layout.WriteBegin(Span row, ReadOnlySpan(Array.create 12 7uy))
            layout.WriteLink(Span row, { Position = 0; Back = 0 })
            store.Append(ReadOnlySpan<float32> row) |> ignore
            let reader = PixelReader(store, layout)
            let bytes: byte[] = Array.zeroCreate 36
            Expect.isFalse (reader.IsTransition(windowOf store, 1, 0L)) "a reset"
            Expect.isFalse (reader.IsTransition(windowOf store, 1, 1L)) "not stored yet"

            Expect.throwsT<ArgumentException>
                (fun () ->
                    reader.Gather(windowOf store, 1, 0L, 0.9, Span bytes, Span [| 0f |], Span bytes)
                    |> ignore)
                "gather"

            Expect.throwsT<ArgumentOutOfRangeException> (fun () -> reader.IsTransition(windowOf store, 0, 0L) |> ignore) "no step"
            Expect.throwsT<ArgumentOutOfRangeException> (fun () -> store.Row(1L).Length |> ignore) "a row that is not there"
            Expect.throwsT<ArgumentException> (fun () -> PixelReader(store, PixelRows(layout.Shape, 2)) |> ignore) "other rows"
        }
    ]
