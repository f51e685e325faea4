namespace NE.Model.Fleet

/// A process of the fleet that offers to hold environments.
type Worker = {
    /// Its address and its incarnation: a process that was started again is another worker.
    Id: string
    /// Environments that it offers to hold.
    Capacity: int
}

/// What an environment has been asked for.
type RoundProgress =
    | NoRound
    /// The run wants it; no worker has it.
    | Asked
    /// Its worker has it.
    | Sent

/// An environment of a run, as the run knows it.
type PlacedEnvironment = {
    /// Which of the run's it is, in every incarnation.
    Index: int
    /// None while no worker is there that could hold it.
    Worker: string option
    /// Another one with every placement. What is said in an older one is stale.
    Epoch: int64
    /// Its simulator is up at its worker.
    IsOpen: bool
    /// It was up once, and the run knows that.
    IsAnnounced: bool
    Round: RoundProgress
    /// Its state crosses with every round, so that any worker can go on from there.
    SavesState: bool
}

/// Where the environments of a run are. A value; every decision returns the next one.
type EnvironmentPlacement = {
    Workers: Map<string, Worker>
    /// By number; an environment that is begun anew has another one.
    Environments: Map<int, PlacedEnvironment>
    /// How many each worker has; one that has none is not in it.
    Held: Map<string, int>
    /// How many no worker has.
    Homeless: int
    /// By index: where environments failed last, and how often in a row, of those that failed there since their last round there.
    Failures: Map<int, struct (string * int)>
    /// The last epoch that was given.
    Epoch: int64
}

/// What those hear who place environments.
[<RequireQualifiedAccess>]
type PlacementInput =
    | WorkerUp of Worker
    /// It died, was cut off, or left.
    | WorkerGone of worker: string
    /// The run begins, or begins anew, with an environment.
    | Wanted of environment: int * index: int * savesState: bool
    | GivenUp of environment: int
    /// The run wants a round. It wants the next one only when it has this one.
    | RoundAsked of environment: int
    | Opened of environment: int * epoch: int64
    | Stepped of environment: int * epoch: int64
    /// The simulator failed at its worker.
    | Failed of environment: int * epoch: int64
    /// Its worker was to take a round and does not hold it: what it said of that was lost, or it has begun anew.
    | Missing of environment: int * epoch: int64
    /// Time has passed: a message may have been lost.
    | Nudged

/// What they want done.
[<RequireQualifiedAccess>]
type PlacementOrder =
    /// Let a worker make the simulator and go on from the last state that is known.
    | Open of environment: int * worker: string * epoch: int64
    | Close of environment: int * worker: string * epoch: int64
    /// Let it take the round that the run wants.
    | Send of environment: int * worker: string * epoch: int64
    /// Tell the run that the environment is up.
    | Announce of environment: int
    /// Hand the round to the run.
    | Deliver of environment: int
    /// Tell the run that the simulator failed.
    | ReportFailure of environment: int
    /// Tell the run that its worker has not got it any more, nor anybody its episode.
    | ReportLoss of environment: int * worker: string

/// Which worker holds which environment of a run. Workers come and go at any moment and messages are lost, doubled and late; a round is delivered
/// once all the same, in the order in which rounds were asked for, and is taken by one worker at a time whose state is that of the round's start.
[<RequireQualifiedAccess>]
module EnvironmentPlacement =

    let empty: EnvironmentPlacement = {
        Workers = Map.empty
        Environments = Map.empty
        Held = Map.empty
        Homeless = 0
        Failures = Map.empty
        Epoch = 0L
    }

    /// Environments of a worker per environment that it offers to hold, with so many more.
    let private load (more: int) (placement: EnvironmentPlacement) (worker: Worker) : float =
        let held = placement.Held.TryFind worker.Id |> Option.defaultValue 0
        float (held + more) / float worker.Capacity

    /// Failures in a row at a worker after which an environment is given to another one. Once, it may have been the environment.
    let private tooOften = 2

    /// Whether an environment has failed again and again at a worker, whose machine may lack what others have.
    let private isAvoided (index: int) (placement: EnvironmentPlacement) (worker: Worker) : bool =
        match placement.Failures.TryFind index with
        | Some(struct (where, failures)) -> where = worker.Id && failures >= tooOften
        | None -> false

    /// The worker with the most room for an environment, the first of those with as much. One that has none, or where it fails, is better than none: the
    /// learner waits for the slowest.
    let private freest (index: int) (placement: EnvironmentPlacement) : Worker option =
        if placement.Workers.IsEmpty then
            None
        else
            placement.Workers.Values
            |> Seq.minBy (fun worker -> isAvoided index placement worker, load 1 placement worker)
            |> Some

    let private countFailure (index: int) (worker: string) (placement: EnvironmentPlacement) : EnvironmentPlacement =
        let before =
            match placement.Failures.TryFind index with
            | Some(struct (where, failures)) when where = worker -> failures
            | _ -> 0

        {
            placement with
                Failures = placement.Failures.Add(index, struct (worker, before + 1))
        }

    /// It works where it failed.
    let private forgive (index: int) (worker: string option) (placement: EnvironmentPlacement) : EnvironmentPlacement =
        match placement.Failures.TryFind index with
        | Some(struct (where, _)) when Some where = worker -> {
            placement with
                Failures = placement.Failures.Remove index
          }
        | _ -> placement

    /// Counts one environment more or less where it is.
    let private count (more: int) (environment: PlacedEnvironment) (placement: EnvironmentPlacement) : EnvironmentPlacement =
        match environment.Worker with
        | None -> {
            placement with
                Homeless = placement.Homeless + more
          }
        | Some worker ->
            let counted known =
                match Option.defaultValue 0 known + more with
                | 0 -> None
                | held -> Some held

            {
                placement with
                    Held = placement.Held.Change(worker, counted)
            }

    let private set (number: int) (environment: PlacedEnvironment) (placement: EnvironmentPlacement) : EnvironmentPlacement =
        let counted =
            match placement.Environments.TryFind number with
            | Some before when before.Worker = environment.Worker -> placement
            | Some before -> placement |> count -1 before |> count 1 environment
            | None -> count 1 environment placement

        {
            counted with
                Environments = placement.Environments.Add(number, environment)
        }

    let private forget (number: int) (placement: EnvironmentPlacement) : EnvironmentPlacement =
        match placement.Environments.TryFind number with
        | Some before -> {
            count -1 before placement with
                Environments = placement.Environments.Remove number
          }
        | None -> placement

    /// What was sent to a worker that does not have it any more is to be sent again.
    let private unsent (round: RoundProgress) : RoundProgress = if round = Sent then Asked else round

    let private openAt (worker: Worker) (number: int) (placement: EnvironmentPlacement) =
        let environment = placement.Environments[number]
        let epoch = placement.Epoch + 1L

        let placed = {
            environment with
                Worker = Some worker.Id
                Epoch = epoch
                IsOpen = false
                Round = unsent environment.Round
        }

        {
            set number placed placement with
                Epoch = epoch
        },
        [ PlacementOrder.Open(number, worker.Id, epoch) ]

    let private place (number: int) (placement: EnvironmentPlacement) =
        match freest placement.Environments[number].Index placement with
        | Some worker -> openAt worker number placement
        | None -> placement, []

    /// Does one thing after the other and keeps all orders.
    let private each (numbers: int list) (act: int -> EnvironmentPlacement -> EnvironmentPlacement * PlacementOrder list) placement =
        ((placement, []), numbers)
        ||> List.fold (fun (placement, orders) number ->
            let next, more = act number placement
            next, orders @ more)

    let private numbers (chosen: PlacedEnvironment -> bool) (placement: EnvironmentPlacement) : int list = [
        for KeyValue(number, environment) in placement.Environments do
            if chosen environment then
                number
    ]

    let private send (number: int) (placement: EnvironmentPlacement) =
        match placement.Environments[number] with
        | {
              Worker = Some worker
              IsOpen = true
              Round = Asked
          } as environment ->
            set number { environment with Round = Sent } placement, [ PlacementOrder.Send(number, worker, environment.Epoch) ]
        | _ -> placement, []

    /// Moves an environment that waits for its run to where there is more room.
    let private balance (number: int) (placement: EnvironmentPlacement) =
        match placement.Environments[number], freest placement.Environments[number].Index placement with
        | {
              Worker = Some worker
              IsOpen = true
              Round = NoRound
              SavesState = true
          } as environment,
          Some other when load 0 placement placement.Workers[worker] > load 1 placement other ->
            let moved, orders = openAt other number placement
            moved, PlacementOrder.Close(number, worker, environment.Epoch) :: orders
        | _ -> placement, []

    /// Its worker has not got it any more. Without a state that anybody could go on from, the run has to begin an episode.
    let private lose (number: int) (placement: EnvironmentPlacement) =
        match placement.Environments[number] with
        | {
              Worker = Some worker
              IsAnnounced = true
              SavesState = false
          } -> forget number placement, [ PlacementOrder.ReportLoss(number, worker) ]
        | environment ->
            placement
            |> set number {
                environment with
                    Worker = None
                    IsOpen = false
                    Round = unsent environment.Round
            }
            |> place number

    /// Whether this was said of where the environment is now.
    let private isCurrent (number: int) (epoch: int64) (placement: EnvironmentPlacement) : bool =
        match placement.Environments.TryFind number with
        | Some environment -> environment.Worker.IsSome && environment.Epoch = epoch
        | None -> false

    /// Says once more what may have been lost on its way.
    let private repeat (number: int) (environment: PlacedEnvironment) : PlacementOrder list =
        match environment with
        | { Worker = Some worker; IsOpen = false } -> [ PlacementOrder.Open(number, worker, environment.Epoch) ]
        | { Worker = Some worker; Round = Sent } -> [ PlacementOrder.Send(number, worker, environment.Epoch) ]
        | _ -> []

    let decide (placement: EnvironmentPlacement) (input: PlacementInput) : struct (EnvironmentPlacement * PlacementOrder list) =
        let next, orders =
            match input with
            | PlacementInput.WorkerUp worker when worker.Capacity > 0 ->
                let known = {
                    placement with
                        Workers = placement.Workers.Add(worker.Id, worker)
                }

                let settled, opened = known |> each (numbers _.Worker.IsNone known) place
                let balanced, moved = settled |> each (numbers (fun _ -> true) settled) balance
                balanced, opened @ moved
            | PlacementInput.WorkerUp _ -> placement, []
            | PlacementInput.WorkerGone worker ->
                {
                    placement with
                        Workers = placement.Workers.Remove worker
                        Failures = placement.Failures |> Map.filter (fun _ (struct (where, _)) -> where <> worker)
                }
                |> each (numbers (fun environment -> environment.Worker = Some worker) placement) lose
            | PlacementInput.Wanted(number, index, savesState) ->
                placement
                |> set number {
                    Index = index
                    Worker = None
                    Epoch = placement.Epoch
                    IsOpen = false
                    IsAnnounced = false
                    Round = NoRound
                    SavesState = savesState
                }
                |> place number
            | PlacementInput.GivenUp number ->
                match placement.Environments.TryFind number with
                | Some { Worker = Some worker; Epoch = epoch } -> forget number placement, [ PlacementOrder.Close(number, worker, epoch) ]
                | _ -> forget number placement, []
            | PlacementInput.RoundAsked number when placement.Environments.ContainsKey number ->
                placement
                |> set number {
                    placement.Environments[number] with
                        Round = Asked
                }
                |> send number
            | PlacementInput.Opened(number, epoch) when isCurrent number epoch placement && not placement.Environments[number].IsOpen ->
                let environment = placement.Environments[number]

                let announced =
                    if environment.IsAnnounced then
                        []
                    else
                        [ PlacementOrder.Announce number ]

                let next, orders =
                    placement
                    |> set number {
                        environment with
                            IsOpen = true
                            IsAnnounced = true
                    }
                    |> send number

                next, announced @ orders
            | PlacementInput.Stepped(number, epoch) when isCurrent number epoch placement && placement.Environments[number].Round = Sent ->
                let environment = placement.Environments[number]

                let next, orders =
                    placement
                    |> forgive environment.Index environment.Worker
                    |> set number { environment with Round = NoRound }
                    |> balance number

                next, PlacementOrder.Deliver number :: orders
            | PlacementInput.Failed(number, epoch) when isCurrent number epoch placement ->
                let counted =
                    match placement.Environments[number] with
                    | { Index = index; Worker = Some worker } -> countFailure index worker placement
                    | _ -> placement

                forget number counted, [ PlacementOrder.ReportFailure number ]
            | PlacementInput.Missing(number, epoch) when isCurrent number epoch placement -> lose number placement
            | PlacementInput.Nudged ->
                placement,
                [
                    for KeyValue(number, environment) in placement.Environments do
                        yield! repeat number environment
                ]
            | PlacementInput.RoundAsked _
            | PlacementInput.Opened _
            | PlacementInput.Stepped _
            | PlacementInput.Failed _
            | PlacementInput.Missing _ -> placement, []

        struct (next, orders)
