namespace NE.Model.Agents

open System
open System.Runtime.InteropServices
open NE.Model.Replay

/// Discounted sums of the rewards so far, G = r + discount G, of each environment's episode, from stored rows. A row does not say whose it is: it goes
/// on with the episode whose next observation it begins with, bit for bit, whatever lies between, so that every schedule will do.
[<Sealed>]
type DiscountedReturns(environments: int, discount: float, shape: TransitionShape) =
    // Only a terminated episode says that it is over. One that was cut keeps its place until that is the oldest, so there are more places than
    // environments: an episode that goes on loses its own only where more episodes than these were cut between two of its rows.
    let places = 2 * environments + 16
    // Number of an episode's last row; -1: a free place.
    let last = Array.create places -1L
    let returns = Array.zeroCreate<float> places
    let mutable recent = int64 (places - 1)

    /// The place of the episode that goes on with this observation; -1 for none. `first`: the oldest row that can still be read.
    let find (source: ITransitionSource) (first: int64) (observation: ReadOnlySpan<float32>) =
        let mutable found, tried = -1, 0

        // In lockstep it is the next place but for those that are free.
        while found < 0 && tried < places do
            tried <- tried + 1
            let place = int ((recent + int64 tried) % int64 places)

            if last[place] >= first then
                let next =
                    (source.Row last[place]).Slice(shape.NextObservation, shape.ObservationSize)

                if MemoryMarshal.AsBytes(next).SequenceEqual(MemoryMarshal.AsBytes observation) then
                    found <- place

        found

    let oldest () =
        let mutable place = 0

        for i in 1 .. places - 1 do
            if last[i] < last[place] then
                place <- i

        place

    /// G of the next row, in the order in which rows are stored. `first`: the oldest row that can still be read.
    member _.Add(source: ITransitionSource, first: int64, number: int64) : float =
        let row = source.Row number

        let place =
            match find source first (row.Slice(0, shape.ObservationSize)) with
            | -1 ->
                let free = oldest ()
                returns[free] <- 0.0
                free
            | place -> place

        returns[place] <- float row[shape.Reward] + discount * returns[place]
        last[place] <- if row[shape.NotDone] = 0.0f then -1L else number
        recent <- int64 place
        returns[place]

    /// All that it needs to go on.
    member _.State: Codec =
        Codec.all [
            Codec.int64 (fun () -> recent) (fun stored -> recent <- stored)
            Codec.int64s last
            Codec.doubles returns
        ]
