/// Running moments, discounted returns and which rows are counted, beside slow references.
module NE.Model.Tests.Agents.Normalisation.MomentsTests

open System
open System.IO
open Expecto
open NE.Model
open NE.Model.Agents
open NE.Model.Networks
open NE.Model.Replay
open NE.Model.Tests.Agents.AgentFixture

let private draws seed = Draws.Of(seed, Purpose.Exploration)

/// The last so many of the rows that were stored; others cannot be read.
type private Ring(capacity: int) =
    let rows =
        Array.init capacity (fun _ -> Array.zeroCreate<float32> shape.StoredWidth)

    let mutable head = 0L

    member _.Window: Window = {
        First = max 0L (head - int64 capacity)
        Head = head
    }

    member _.Append(row: float32[]) =
        row.CopyTo(rows[int (head % int64 capacity)], 0)
        head <- head + 1L

    interface ITransitionSource with
        member _.Gather(_, _, _) = failtest "not gathered here"

        member this.Row number =
            Expect.isTrue (number >= this.Window.First && number < head) $"row {number} is in the window"
            ReadOnlySpan rows[int (number % int64 capacity)]

/// An environment whose episodes end at random: terminated, or cut without a mark.
type private Player(draws: Draws) =
    let observation () =
        Array.init shape.ObservationSize (fun _ -> float32 (draws.Uniform(-5.0, 5.0)))

    let mutable now = observation ()
    let mutable discounted = 0.0

    /// The next row, and G.
    member _.Step(discount: float) : struct (float32[] * float) =
        let next, reward, ending =
            observation (), float32 (draws.Uniform(-1.0, 3.0)), draws.NextInt 100L

        let isTerminated, isCut = (ending = 0L), (ending = 1L)
        let row = Array.zeroCreate<float32> shape.StoredWidth
        now.CopyTo(row, 0)
        next.CopyTo(row, shape.NextObservation)
        row[shape.Reward] <- reward
        row[shape.NotDone] <- if isTerminated then 0.0f else 1.0f
        let earned = float reward + discount * discounted
        discounted <- if isTerminated || isCut then 0.0 else earned
        now <- if isTerminated || isCut then observation () else next
        struct (row, earned)

let private discount = 0.9

/// Rows of several environments and their G: in turn, or a batch of each in any order, as a free schedule stores them.
let private played seed environments isInTurn count =
    let random = draws seed
    let players = List.init environments (fun i -> Player(draws (seed + 1L + int64 i)))

    let once () =
        if isInTurn then
            [ for player in players -> player.Step discount ]
        else
            [
                for player in players |> List.sortBy (fun _ -> random.NextInt 1_000_000L) do
                    for _ in 0L .. 15L + random.NextInt 5L -> player.Step discount
            ]

    Seq.initInfinite (fun _ -> once ())
    |> Seq.concat
    |> Seq.truncate count
    |> Array.ofSeq

let private bytesOf (codec: Codec) =
    use stream = new MemoryStream()
    use writer = new BinaryWriter(stream)
    codec.Write writer
    writer.Flush()
    stream.ToArray()

let private near expected found what =
    Expect.isLessThan (abs (found - expected)) (1e-9 * (1.0 + abs expected)) what

let private normalised observations rewards = {
    td3 with
        Normalise.Observations = observations
        Normalise.Rewards = rewards
        Learner.Discount = discount
}

let private create settings =
    (RowNormaliser.TryCreate(settings, shape)).Value

/// The means and 1 / deviations that a policy gets.
let private ofPolicy (normaliser: RowNormaliser) =
    let layout = BlockLayout.Create(1, [| shape.ObservationSize; 1 |])

    let policy =
        Policy.OfBlock(layout, ReadOnlySpan(Array.zeroCreate<float32> layout.Length), 1.0f, 0L)

    let network = ((normaliser.Complete policy).Portable()).Perception.Head
    [ for tensor in network.Tensors -> network.Read tensor ]

[<Tests>]
let tests =
    testList "Running moments" [
        testProperty "are those of two passes over all vectors" (fun (seed: int) (count: uint16) ->
            let size, random = 3, draws (int64 seed)
            let count = 1 + int count % 500
            // Components of very different size, far from 0 beside their spread.
            let vectors =
                Array.init count (fun _ -> Array.init size (fun i -> float32 (10.0 ** float (2 * i) * (3.0 + random.Uniform(-0.1, 0.1)))))

            let moments = RunningMoments size

            for vector in vectors do
                moments.Add(ReadOnlySpan vector)

            Expect.equal moments.Count (int64 count) "count"

            for i in 0 .. size - 1 do
                let values = vectors |> Array.map (fun vector -> float vector[i])
                let mean = Array.average values
                let variance = values |> Array.averageBy (fun value -> (value - mean) ** 2.0)
                near mean (moments.Mean i) "mean"
                Expect.isLessThan (abs (moments.Variance i - variance)) (1e-9 * mean * mean) "variance"
                Expect.equal (moments.Scale i) (float32 (1.0 / sqrt (moments.Variance i + 1e-8))) "scale")

        test "without any vector they change nothing" {
            let moments = RunningMoments 1
            Expect.equal (moments.Mean 0, moments.Variance 0, moments.Scale 0) (0.0, 1.0, 1.0f) "0 and 1"
        }

        for environments in [ 1; 3; 8 ] do
            for isInTurn in [ true; false ] do
                let order = if isInTurn then "in turn" else "in batches of any size"

                test $"the discounted returns of {environments} environments, stored {order}, are each environment's own" {
                    let rows = played 7L environments isInTurn 3_000
                    let ring = Ring rows.Length
                    let returns = DiscountedReturns(environments, discount, shape)

                    rows
                    |> Array.iteri (fun number (struct (row, expected)) ->
                        ring.Append row
                        Expect.equal (returns.Add(ring, 0L, int64 number)) expected $"row {number}")
                }

        testProperty "every row counts once and in its order, however often and whenever a ring that wraps is counted" (fun (seed: int) ->
            let random = draws (int64 seed)
            let rows = played (int64 seed) 2 true 400
            let capacity = 64
            let ring, normaliser = Ring capacity, create (normalised true true)
            let all, expected = Ring rows.Length, create (normalised true true)
            let mutable at = 0

            while at < rows.Length do
                // So few that the last row of every episode is still there.
                for struct (row, _) in Array.truncate (int (random.NextInt(int64 capacity - 8L))) rows[at..] do
                    ring.Append row
                    at <- at + 1

                for _ in 0L .. random.NextInt 3L do
                    normaliser.Count(ring, ring.Window)

            for struct (row, _) in rows do
                all.Append row

            expected.Count(all, all.Window)
            Expect.equal (bytesOf normaliser.State) (bytesOf expected.State) "the state"
            let observations = RunningMoments shape.ObservationSize

            for struct (row, _) in rows do
                observations.Add(ReadOnlySpan(row, 0, shape.ObservationSize))

            Expect.equal
                (ofPolicy normaliser)
                [
                    Array.init shape.ObservationSize (observations.Mean >> float32)
                    Array.init shape.ObservationSize observations.Scale
                ]
                "the moments of a policy")

        test "rows that left the memory before they could be counted are passed over, and those behind them count" {
            let rows = played 3L 1 true 100
            let ring, normaliser = Ring 40, create (normalised true true)

            for struct (row, _) in rows do
                ring.Append row

            normaliser.Count(ring, ring.Window)
            let expected = RunningMoments shape.ObservationSize

            for struct (row, _) in rows[60..] do
                expected.Add(ReadOnlySpan(row, 0, shape.ObservationSize))

            Expect.equal (ofPolicy normaliser).Head (Array.init shape.ObservationSize (expected.Mean >> float32)) "the last 40"
        }

        test "a policy is the same object until moments or actor change" {
            let ring, normaliser = Ring 10, create (normalised true false)
            let layout = BlockLayout.Create(1, [| shape.ObservationSize; 1 |])

            let policy =
                Policy.OfBlock(layout, ReadOnlySpan(Array.zeroCreate<float32> layout.Length), 1.0f, 0L)

            let first = normaliser.Complete policy
            Expect.isTrue (obj.ReferenceEquals(normaliser.Complete policy, first)) "the same"

            for struct (row, _) in played 4L 1 true 5 do
                ring.Append row

            normaliser.Count(ring, ring.Window)
            let second = normaliser.Complete policy
            Expect.isFalse (obj.ReferenceEquals(second, first)) "other moments"
            normaliser.Count(ring, ring.Window)
            Expect.isTrue (obj.ReferenceEquals(normaliser.Complete policy, second)) "no row that is new"
        }

        test "off there is none, and with rewards alone a policy stays what it is" {
            Expect.isNone (RowNormaliser.TryCreate(td3, shape)) "off"
            let layout = BlockLayout.Create(1, [| shape.ObservationSize; 1 |])

            let policy =
                Policy.OfBlock(layout, ReadOnlySpan(Array.zeroCreate<float32> layout.Length), 1.0f, 0L)

            Expect.isTrue (obj.ReferenceEquals((create (normalised false true)).Complete policy, policy)) "rewards alone"
        }
    ]
