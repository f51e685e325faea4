/// A run, the workers that hold its environments, and a network between them that loses, doubles and reorders messages. Refuses what must not happen.
module NE.Model.Tests.Fleet.PlacementWorld

open System
open System.Collections.Generic
open Expecto
open NE.Model.Fleet

type private ToWorker =
    /// With the rounds that are done.
    | Open of environment: int * epoch: int64 * round: int
    | Close of environment: int * epoch: int64
    | Send of environment: int * epoch: int64 * round: int

type private ToRun =
    | Opened of environment: int * epoch: int64
    | Stepped of environment: int * epoch: int64 * round: int
    | Failed of environment: int * epoch: int64
    | Missing of environment: int * epoch: int64

type private Message =
    | ToWorker of worker: string * ToWorker
    | ToRun of ToRun

/// An environment at a worker.
type private Kept = {
    Epoch: int64
    mutable IsOpen: bool
    /// The last one that is done.
    mutable Round: int
    mutable Answer: int option
    /// The one that it is on.
    mutable Stepping: int option
}

/// How much goes wrong, each from 0 to 1.
type Troubles = {
    /// Workers come and go.
    IsFleeting: bool
    Losses: float
    Doubles: float
    Failures: float
}

let noTroubles = {
    IsFleeting = false
    Losses = 0.0
    Doubles = 0.0
    Failures = 0.0
}

/// What it says is put together only for a failure.
let private require (condition: bool) (message: unit -> string) =
    if not condition then
        failtest (message ())

/// An environment of the run, through its incarnations.
type private Slot = {
    SavesState: bool
    mutable Number: int
    /// Of all its incarnations.
    mutable Rounds: int
}

/// What the run knows of an incarnation.
type private Incarnation = {
    Slot: Slot
    mutable IsAnnounced: bool
    mutable IsOver: bool
    mutable IsAsked: bool
    mutable Delivered: int
}

type World(seed: int, savesState: bool list, troubles: Troubles) =
    let random = Random seed
    let mutable placement = EnvironmentPlacement.empty
    let mutable troubles = troubles
    let network = List<Message>()
    let alive = Dictionary<string, Dictionary<int, Kept>>()
    let told = Dictionary<string, int>()
    /// Dead, and nobody has noticed.
    let unnoticed = List<string>()
    let incarnations = Dictionary<int, Incarnation>()
    let opened = Dictionary<struct (int * int64), string>()
    let last = Dictionary<int, struct (int64 * string)>()
    let acts = List<unit -> unit>()
    /// Have all the rounds that there are to be.
    let resting = List<int>()
    let mutable workers = 0
    let mutable numbers = 0
    let mutable limit = Int32.MaxValue
    let mutable losses = 0

    let slots = [
        for saves in savesState ->
            {
                SavesState = saves
                Number = 0
                Rounds = 0
            }
    ]

    let chance p = random.NextDouble() < p

    let any (items: IReadOnlyCollection<'T>) =
        Seq.item (random.Next items.Count) items

    /// Where an environment was placed last.
    let placeOf number =
        match last.TryGetValue number with
        | true, struct (_, worker) -> Some worker
        | _ -> None

    let expectedLosses input =
        let unsaved number =
            not incarnations[number].Slot.SavesState
            && incarnations[number].IsAnnounced
            && not incarnations[number].IsOver

        match input with
        | PlacementInput.WorkerGone worker when told.ContainsKey worker -> [
            for number in incarnations.Keys do
                if placeOf number = Some worker && unsaved number then
                    number
          ]
        | PlacementInput.Missing(number, epoch) when last.ContainsKey number && unsaved number ->
            let struct (current, _) = last[number]
            if current = epoch then [ number ] else []
        | _ -> []

    let rec tell (input: PlacementInput) =
        let expected = expectedLosses input
        let before = placement
        let struct (next, orders) = EnvironmentPlacement.decide placement input

        let lost = [
            for order in orders do
                match order with
                | PlacementOrder.ReportLoss(number, _) -> number
                | _ -> ()
        ]

        require (List.sort lost = List.sort expected) (fun () -> $"lost by {input} in {before}: {lost}, expected {expected}")

        match input with
        | PlacementInput.WorkerUp worker -> told[worker.Id] <- worker.Capacity
        | PlacementInput.WorkerGone worker -> told.Remove worker |> ignore
        | _ -> ()

        placement <- next
        List.iter (carryOut input) orders

        for KeyValue(number, environment) in placement.Environments do
            match environment.Worker with
            | Some worker ->
                require (told.ContainsKey worker) (fun () -> $"{number} is at {worker}, which is not there")
                require (opened[struct (number, environment.Epoch)] = worker) (fun () -> "its epoch is of its worker")
            | None -> require (told.Count = 0) (fun () -> "a worker is there, and an environment has none")

    and carryOut input order =
        match order with
        | PlacementOrder.Open(number, worker, epoch) ->
            require (told.ContainsKey worker) (fun () -> $"{order}: the worker is there")

            match opened.TryGetValue(struct (number, epoch)) with
            | true, before -> require (before = worker) (fun () -> $"{order}: two workers of one epoch")
            | _ ->
                let struct (newest, _) =
                    if last.ContainsKey number then
                        last[number]
                    else
                        struct (-1L, "")

                require (epoch > newest) (fun () -> $"{order}: epochs rise")
                opened[struct (number, epoch)] <- worker
                last[number] <- struct (epoch, worker)

            network.Add(ToWorker(worker, Open(number, epoch, incarnations[number].Delivered)))
        | PlacementOrder.Close(number, worker, epoch) ->
            require (opened[struct (number, epoch)] = worker) (fun () -> $"{order}: to whom it was given")
            require (told.ContainsKey worker) (fun () -> $"{order}: the worker is there")
            network.Add(ToWorker(worker, Close(number, epoch)))
        | PlacementOrder.Send(number, worker, epoch) ->
            let incarnation = incarnations[number]
            require (last[number] = struct (epoch, worker)) (fun () -> $"{order}: to who has it now")
            require (incarnation.IsAnnounced && incarnation.IsAsked) (fun () -> $"{order}: a round that the run waits for")
            network.Add(ToWorker(worker, Send(number, epoch, incarnation.Delivered + 1)))
        | PlacementOrder.Announce number ->
            let incarnation = incarnations[number]
            require (not incarnation.IsAnnounced) (fun () -> $"{order}: once")
            incarnation.IsAnnounced <- true
            askLater number
        | PlacementOrder.Deliver number ->
            let incarnation = incarnations[number]
            require incarnation.IsAsked (fun () -> $"{order}: once, and not unasked")
            incarnation.IsAsked <- false
            incarnation.Delivered <- incarnation.Delivered + 1
            incarnation.Slot.Rounds <- incarnation.Slot.Rounds + 1
            askLater number
        | PlacementOrder.ReportFailure number ->
            match input with
            | PlacementInput.Failed(failed, _) -> require (number = failed) (fun () -> $"{order}: it failed")
            | _ -> failtest $"{order} of {input}"

            replaceLater number
        | PlacementOrder.ReportLoss(number, _) ->
            losses <- losses + 1
            replaceLater number

    and askLater number =
        acts.Add(fun () ->
            let incarnation = incarnations[number]

            if not incarnation.IsOver then
                if incarnation.Slot.Rounds < limit then
                    incarnation.IsAsked <- true
                    tell (PlacementInput.RoundAsked number)
                else
                    resting.Add number)

    and replaceLater number =
        require (not incarnations[number].IsOver) (fun () -> "it ends once")
        incarnations[number].IsOver <- true

        acts.Add(fun () ->
            tell (PlacementInput.GivenUp number)
            want incarnations[number].Slot)

    and want slot =
        numbers <- numbers + 1
        slot.Number <- numbers

        incarnations[numbers] <- {
            Slot = slot
            IsAnnounced = false
            IsOver = false
            IsAsked = false
            Delivered = 0
        }

        let index = slots |> List.findIndex (fun known -> obj.ReferenceEquals(known, slot))
        tell (PlacementInput.Wanted(numbers, index, slot.SavesState))

    let atWorker (worker: string) message =
        match alive.TryGetValue worker with
        | true, kept ->
            match message with
            | Open(number, epoch, round) ->
                match kept.TryGetValue number with
                | true, held when held.Epoch >= epoch ->
                    if held.Epoch = epoch && held.IsOpen then
                        network.Add(ToRun(Opened(number, epoch)))
                | _ ->
                    kept[number] <- {
                        Epoch = epoch
                        IsOpen = false
                        Round = round
                        Answer = None
                        Stepping = None
                    }
            | Close(number, epoch) ->
                match kept.TryGetValue number with
                | true, held when held.Epoch = epoch -> kept.Remove number |> ignore
                | _ -> ()
            | Send(number, epoch, round) ->
                match kept.TryGetValue number with
                | true, held when held.Epoch = epoch ->
                    if held.Answer = Some round then
                        network.Add(ToRun(Stepped(number, epoch, round)))
                    elif held.IsOpen && round = held.Round + 1 then
                        held.Stepping <- Some round
                | _ -> network.Add(ToRun(Missing(number, epoch)))
        | _ -> ()

    let atRun message =
        match message with
        | Opened(number, epoch) -> tell (PlacementInput.Opened(number, epoch))
        | Stepped(number, epoch, round) ->
            if round = incarnations[number].Delivered + 1 then
                tell (PlacementInput.Stepped(number, epoch))
        | Failed(number, epoch) -> tell (PlacementInput.Failed(number, epoch))
        | Missing(number, epoch) -> tell (PlacementInput.Missing(number, epoch))

    let arrive index =
        let message = network[index]

        if not (chance troubles.Doubles) then
            network.RemoveAt index

        if not (chance troubles.Losses) then
            match message with
            | ToWorker(worker, message) -> atWorker worker message
            | ToRun message -> atRun message

    /// One thing that a worker has to do.
    let work (kept: Dictionary<int, Kept>) number =
        let held = kept[number]

        if not held.IsOpen || held.Stepping.IsSome then
            if chance troubles.Failures then
                kept.Remove number |> ignore
                network.Add(ToRun(Failed(number, held.Epoch)))
            else
                match held.Stepping with
                | Some round ->
                    held.Stepping <- None
                    held.Round <- round
                    held.Answer <- Some round
                    network.Add(ToRun(Stepped(number, held.Epoch, round)))
                | None ->
                    held.IsOpen <- true
                    network.Add(ToRun(Opened(number, held.Epoch)))

    let act index =
        let next = acts[index]
        acts.RemoveAt index
        next ()

    do List.iter want slots

    member _.Placement = placement
    member _.Rounds = [ for slot in slots -> slot.Rounds ]
    member _.Losses = losses
    member _.Workers = List.ofSeq told.Keys

    /// Environments by worker, and what it offers.
    member _.Loads = [
        for KeyValue(worker, capacity) in told ->
            placement.Environments.Values
            |> Seq.filter (fun environment -> environment.Worker = Some worker)
            |> Seq.length,
            capacity
    ]

    /// Rounds of one environment after which the run asks for no more.
    member _.Limit
        with set value =
            limit <- value
            Seq.iter askLater resting
            resting.Clear()

    member _.Join(capacity: int) =
        workers <- workers + 1
        let worker = $"w{workers}"
        alive[worker] <- Dictionary()
        tell (PlacementInput.WorkerUp { Id = worker; Capacity = capacity })

    /// It ends, and sooner or later that is noticed.
    member _.Kill(worker: string, isNoticed: bool) =
        alive.Remove worker |> ignore

        if isNoticed then
            tell (PlacementInput.WorkerGone worker)
        else
            unnoticed.Add worker

    /// One thing of many that may happen.
    member world.Step() =
        match random.Next 100 with
        | n when n < 45 && network.Count > 0 -> arrive (random.Next network.Count)
        | n when n < 70 && alive.Count > 0 ->
            let kept = alive[any alive.Keys]

            if kept.Count > 0 then
                work kept (any kept.Keys)
        | n when n < 84 && acts.Count > 0 -> act (random.Next acts.Count)
        | n when n < 90 && network.Count < 200 -> tell PlacementInput.Nudged
        | _ when not troubles.IsFleeting -> ()
        | n when n < 92 && told.Count < 4 -> world.Join(1 + random.Next 3)
        | n when n < 94 && alive.Count > 0 ->
            let worker = any alive.Keys

            if not (unnoticed.Contains worker) then
                world.Kill(worker, chance 0.5)
        | n when n < 95 && unnoticed.Count > 0 ->
            let worker = any unnoticed
            unnoticed.Remove worker |> ignore
            tell (PlacementInput.WorkerGone worker)
        // Cut off: it does not know, and goes on.
        | n when n < 97 && told.Count > 0 -> tell (PlacementInput.WorkerGone(any told.Keys))
        // It is there again, or that is said twice.
        | n when n < 99 && alive.Count > 0 ->
            let worker = any alive.Keys

            tell (
                PlacementInput.WorkerUp {
                    Id = worker
                    Capacity = 1 + random.Next 3
                }
            )
        // What it held is gone, and it is there.
        | n when n = 99 && alive.Count > 0 && troubles.Failures > 0.0 -> alive[any alive.Keys].Clear()
        | _ -> ()

    /// From now on nothing is lost, doubled or late, and nothing fails; what has died is noticed.
    member _.Calm() =
        troubles <- noTroubles

        for worker in List.ofSeq unnoticed do
            tell (PlacementInput.WorkerGone worker)

        unnoticed.Clear()

    /// Everything that there is to do, in order, until nothing is left.
    member _.Settle() =
        let mutable patience = 1_000

        while network.Count + acts.Count > 0 && patience > 0 do
            patience <- patience - 1

            for _ in 1 .. network.Count do
                arrive 0

            for kept in alive.Values do
                for number in List.ofSeq kept.Keys do
                    work kept number

            for _ in 1 .. acts.Count do
                act 0

        require (patience > 0) (fun () -> "it comes to rest")

    member _.Nudge() = tell PlacementInput.Nudged
