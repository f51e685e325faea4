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

let private windowOf (store: SegmentStore) = {
    First = store.First
    Head = store.Head
}

/// Real environments that store their steps in turn, and a record of what they showed.
type private Players(layout: PixelRows, environments: PixelEnvironment list) =
    let rows: ITransitionRows = layout
    let memory: float32[] = Array.zeroCreate (2 * rows.RowFloats)
    let shown = ResizeArray<Shown>()
    let positions = Array.zeroCreate environments.Length

    let observations =
        environments
        |> Seq.map (fun environment -> Array.zeroCreate environment.Spec.ObservationSize)
        |> Array.ofSeq

    let add environment position (observation: float32[]) action reward terminated =
        shown.Add {
            Environment = environment
            Position = position
            Observation = (PackedBytes.read layout.Shape.ObservationBytes (ReadOnlySpan observation)).ToArray()
            Action = action
            Reward = reward
            Terminated = terminated
        }

    /// By the number of the row.
    member _.Shown = shown

    /// One step of one environment, after a reset where an episode begins.
    member _.Advance(store: SegmentStore, linker: IRowLinker, index: int, episode: int64) =
        let environment = environments[index]
        let observation, position = observations[index], positions[index]

        if position = 0 then
            environment.Reset(Draws.At(3L, Purpose.Reset, int64 index, episode, 0L), Span observation)
            add index 0 observation [||] 0f false

        let action =
            Array.init environment.Spec.ActionSize (fun i -> 0.9f * float32 (sin (float (shown.Count + i))))

        let next: float32[] = Array.zeroCreate observation.Length
        let result = environment.Step(action, Span next)
        let reward = float32 result.Reward
        let notDone = if result.Terminated then 0f else 1f

        let count =
            rows.Write(
                Span memory,
                index,
                position,
                ReadOnlySpan observation,
                ReadOnlySpan action,
                reward,
                notDone,
                ReadOnlySpan<float32> next
            )

        for i in 0 .. count - 1 do
            let row = Span(memory, i * rows.RowFloats, rows.RowFloats)
            linker.Link(row, store.Head)
            store.Append(Span.op_Implicit row) |> ignore

        add index (position + 1) next action reward result.Terminated
        positions[index] <- if result.IsLast then 0 else position + 1
        next.CopyTo(observation, 0)

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

let private linkerOf (layout: ITransitionRows) (store: SegmentStore) =
    layout.CreateLinker(store, windowOf store, 2)

[<Tests>]
let tests =
    testList "pixel rows" [
        test "two interleaved episodes at 84 x 84 are stored once per frame and gathered as they were shown, also after a resume" {
            use scratch = new Scratch()
            let layout = PixelRows(PixelDefaults.Shape, 6)
            let width = (layout :> ITransitionRows).RowFloats
            Expect.equal (width * sizeof<float32>) (21_168 + 6 * 4 + 20) "bytes of a row"
            use store = SegmentStore.Create(scratch.Path, width, 1_000L, 16)
            use first = EnvironmentFactory.CreatePixels "dmc/cheetah-run"
            use second = EnvironmentFactory.CreatePixels "HalfCheetah-v4"
            let players = Players(layout, [ first; second ])
            let linker = linkerOf layout store

            // Uneven, as environments are that fail and come back.
            for index in [ 0; 1; 0; 1; 1; 0; 0; 0; 1; 0; 1; 1; 0; 1; 0; 1 ] do
                players.Advance(store, linker, index, 0L)

            Expect.equal store.Head 18L "a row per step, and two resets"
            Expect.equal (check store layout 1 players.Shown) 16 "all rows but the two resets"
            Expect.equal (check store layout 3 players.Shown) 12 "three steps"
            use capture = store.Capture()
            capture.Flush()
            use resumed = SegmentStore.Resume(scratch.Path, capture.Describe(), 1_000L)
            // What links the rows of a resumed run reads what it needs from the stored ones.
            let linker = linkerOf layout resumed

            for index in [ 1; 1; 0 ] do
                players.Advance(resumed, linker, index, 0L)

            Expect.equal (check resumed layout 1 players.Shown) 19 "after a resume"
            Expect.equal (check resumed layout 3 players.Shown) 15 "three steps, over the resume"
        }

        test "episodes that end and begin and rows that were evicted never mix" {
            use scratch = new Scratch()
            let shape = { Height = 9; Width = 7; Stack = 3 }
            let layout = PixelRows(shape, 3)
            // 189 bytes are no whole number of floats.
            let width = (layout :> ITransitionRows).RowFloats
            Expect.equal width (48 + 3 + 5) "floats of a row"
            use store = SegmentStore.Create(scratch.Path, width, 40L, 8)

            let hopper () =
                EnvironmentFactory.CreatePixels("Hopper-v4", shape, 25)

            use first = hopper ()
            use second = hopper ()
            let players = Players(layout, [ first; second ])
            let linker = linkerOf layout store

            for i in 0..69 do
                players.Advance(store, linker, (i * 5 + i / 7) % 2, int64 i)
                store.ReleaseBefore store.First

            Expect.isGreaterThan (players.Shown |> Seq.filter _.Terminated |> Seq.length) 4 "episodes that ended"
            Expect.equal store.First (store.Head - 40L) "evicted"

            let resets =
                players.Shown
                |> Seq.skip (int store.First)
                |> Seq.filter (fun shown -> shown.Position = 0)
                |> Seq.length

            let found = check store layout 1 players.Shown
            Expect.isTrue (found > 20 && found < 40 - resets) $"{found} transitions, {resets} resets; the oldest have lost their frames"
            check store layout 3 players.Shown |> ignore
        }

        test "an environment whose rows have all been evicted goes on with a frame that belongs to no transition" {
            use scratch = new Scratch()
            let shape = { Height = 9; Width = 7; Stack = 3 }
            let layout = PixelRows(shape, 6)

            use store =
                SegmentStore.Create(scratch.Path, (layout :> ITransitionRows).RowFloats, 8L, 8)

            let cheetah () =
                EnvironmentFactory.CreatePixels("HalfCheetah-v4", shape, 2)

            use first = cheetah ()
            use second = cheetah ()
            let players = Players(layout, [ first; second ])
            let before = linkerOf layout store
            players.Advance(store, before, 0, 0L)

            for _ in 1..12 do
                players.Advance(store, before, 1, 0L)

            let linker = linkerOf layout store
            players.Advance(store, linker, 0, 0L)
            let reader = PixelReader(store, layout)
            Expect.isFalse (reader.IsTransition(windowOf store, 1, store.Head - 1L)) "its predecessor is gone"

            for _ in 1..3 do
                players.Advance(store, linker, 0, 0L)

            Expect.isTrue (reader.IsTransition(windowOf store, 1, store.Head - 1L)) "the frames since then make one"
        }

        test "a row without a transition cannot be gathered" {
            use scratch = new Scratch()
            let layout = PixelRows({ Height = 2; Width = 2; Stack = 3 }, 1)
            let rows: ITransitionRows = layout
            use store = SegmentStore.Create(scratch.Path, rows.RowFloats, 10L, 8)
            let memory: float32[] = Array.zeroCreate (2 * rows.RowFloats)
            let observation = ReadOnlySpan(Array.create 9 1f)

            rows.Write(Span memory, 0, 0, observation, ReadOnlySpan [| 0.5f |], 1f, 1f, observation)
            |> ignore

            store.Append(ReadOnlySpan(memory, 0, rows.RowFloats)) |> ignore
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
        }
    ]
