/// Everybody that a run talks to, as a bag of answers that are still to come. Which one comes next is drawn, so that a run can be heard in any
/// order in which actors on their own threads may answer. What they say depends on what they were asked alone.
module NE.Model.Tests.Runs.World

open System
open System.Collections.Generic
open NE.Model
open NE.Model.History
open NE.Model.Runs

/// What goes wrong, and when.
type Weather = {
    /// Chance that an environment fails instead of answering.
    Failure: float
    /// Answers after which a stop is asked for.
    StopAfter: int option
    /// Answers after which the process is killed.
    KillAfter: int option
    /// Answers of others that an evaluation takes at most. A commit waits for none: its patience may be over at any moment.
    Lateness: int
}

let calm = {
    Failure = 0.0
    StopAfter = None
    KillAfter = None
    Lateness = 0
}

/// What a run leaves behind.
type Outcome = {
    State: RunState
    /// The committed history in its order: what a journal holds at the end.
    History: RunEvent list
    /// The last commit, and the rows that were stored at it.
    LastCommit: (Commitment * int64) option
    Orders: Order list
    /// Of these, the ones since a stop was asked for.
    AfterStop: Order list
    /// Answers that were still to come when the run ended.
    Unheard: int
}

/// Environment i ends an episode at every (7 + i)-th step of the run that is its own.
let private episodesOf environment (assignment: Assignment) : EpisodeEnded[] = [|
    for i in 0 .. assignment.Steps - 1 do
        let step = assignment.Step + int64 i * int64 assignment.Stride + 1L

        if step % int64 (7 + environment) = 0L then
            {
                Step = step
                Environment = environment
                Episode = step
                Return = float (step % 13L)
                Length = 7 + environment
                Terminated = true
            }
|]

/// A topology event at every tenth gradient step.
let private changesOf (before: int64) (now: int64) : TopologyChanged[] = [|
    for step in before + 1L .. now do
        if step % 10L = 0L then
            {
                Step = step
                Network = "actor"
                Layers = [||]
                OutputShift = 0.0
            }
|]

let private resultOf (step: int64) =
    [| float (step * 7L % 31L); float (step % 5L) |], [| 10; 20 |]

/// What a new run begins with.
let fromNothing (settings: Settings) : Opening = {
    Ledger = Ledger.empty
    Head = 0L
    Episodes = Array.zeroCreate settings.Schedule.Environments
    From = None
    BeginsPhase = false
    RewindsTo = None
    Record = []
    Note = [ RunStarted("test", "test") ]
}

/// What a run begins with that goes on from the last commit of another one.
let fromCommit (outcome: Outcome) : Opening =
    match outcome.LastCommit with
    | None -> failwith "the run has made no commit"
    | Some(commit, head) -> {
        Ledger = commit.Ledger
        Head = head
        Episodes = outcome.State.Environments |> Array.map _.Episode
        From = Some commit.Ledger.Position.Steps
        BeginsPhase = false
        RewindsTo = None
        Record = [ RunResumed(commit.Ledger.Position.Steps, "test") ]
        Note = []
      }

/// The history of a run, and of what went on with it.
let together (first: Outcome) (second: Outcome) : RunEvent list =
    first.History @ second.History
    |> List.sortBy (fun event -> (RunEvents.ordinalOf event).Value)

/// Lets a run go to its end and fails when it does not come, or when an order is given that nobody can carry out as things are.
let run (settings: Settings) (weather: Weather) (seed: int) (opening: Opening) : Outcome =
    let draw = Random seed
    let count = settings.Schedule.Environments
    // Each with the number of who gives it: an environment's, or the learner's or the tables' after those.
    let answers = List<struct (int * Input)>()
    let learner, tables = count, count + 1
    // The journal answers in its order.
    let journal = Queue<Input>()
    let prepared: Assignment option[] = Array.create count None
    let isUp = Array.create count true
    // Down, and the run has heard so.
    let isDown = Array.create count false
    let isStepping = Array.create count false
    let mutable isLearning = false
    let storing = HashSet<Rows>()
    let evaluations = HashSet<int64>()
    // One policy is played after the other, each until so many answers were heard.
    let playing = Queue<struct (int * Input)>()
    // A commit waits for evaluations, and its patience may be over.
    let mutable isWatching = false
    // Of whom there is a copy for the commit: environments, and two more.
    let copied = HashSet<int>()
    let mutable isCapturing = false
    let mutable head = opening.Head
    let mutable updates = opening.Ledger.Position.GradientSteps
    let mutable commitInFlight: int64 option = None
    let mutable lastCommit: (Commitment * int64) option = None
    let mutable pendingCommit: (Commitment * int64) option = None
    let committed = List<RunEvent>()
    let given = List<Order>()
    let mutable atStop: int option = None
    let mutable ended = false
    let mutable heard = 0
    // What the journal holds of the last commit.
    let mutable nextOrdinal = opening.Ledger.NextOrdinal
    let mutable keptOrdinals = Ledger.keptPlaces opening.Ledger
    let mutable state = Conductor.start settings None

    let refuse order why = failwith $"%A{order}: {why}"

    let inFlight () =
        isLearning || storing.Count > 0 || Array.contains true isStepping

    let rowsOf =
        function
        | OfRound ->
            prepared
            |> Array.sumBy (function
                | Some assignment -> int64 assignment.Steps
                | None -> 0L)
        | OfEnvironment environment ->
            prepared[environment]
            |> Option.map (fun assignment -> int64 assignment.Steps)
            |> Option.defaultValue 0L

    let say who answer = answers.Add(struct (who, answer))

    let fail environment =
        isUp[environment] <- false
        say environment (Input.EnvironmentFailed(environment, "the weather"))

    /// An environment does what it was asked for, or fails, then or a little later. One that has failed hears nothing.
    let attempt environment answer =
        if isUp[environment] then
            if draw.NextDouble() < weather.Failure then
                fail environment
            else
                say environment answer

                if draw.NextDouble() < weather.Failure / 2.0 then
                    fail environment

    let rec carryOut order =
        given.Add order

        match order with
        | Order.Rewind(id, _) -> journal.Enqueue(Input.Recorded id)
        | Order.Begin ->
            hear Input.Begun

            for environment in 0 .. count - 1 do
                say environment (Input.EnvironmentReady(environment, opening.Episodes[environment]))
        | Order.Prepare(environment, assignment) ->
            if isStepping[environment] then
                refuse order "it has not answered yet"

            prepared[environment] <- Some assignment
        | Order.Step environment ->
            if isStepping[environment] then
                refuse order "twice"

            if isDown[environment] then
                refuse order "it is down"

            isStepping[environment] <- true

            attempt
                environment
                (Input.Stepped {
                    Environment = environment
                    Episodes = episodesOf environment prepared[environment].Value
                    Episode = 0L
                    Divergences = 0
                })
        | Order.RestartEnvironment(environment, episode, _) -> say environment (Input.EnvironmentReady(environment, episode))
        | Order.Append(rows, releaseBefore) ->
            if not (storing.Add rows) then
                refuse order "twice"

            if releaseBefore > head then
                refuse order "it releases rows that are not there"
        | Order.Learn task ->
            if isLearning then
                refuse order "it has not answered yet"

            if task.Window.Head > head then
                refuse order "it would read rows that are not stored"

            if updates + task.Updates > Rounds.updatesOwed settings Phase.first 0L head then
                refuse order "it learns from steps that are not stored"

            isLearning <- true
            let before = updates
            updates <- updates + task.Updates

            say
                learner
                (Input.Learned {
                    GradientSteps = updates
                    Changes = changesOf before updates
                    IsMeasured = task.Measure
                })
        | Order.Evaluate step
        | Order.EvaluateAgain step ->
            if not (evaluations.Add step) then
                refuse order "twice"

            let returns, lengths = resultOf step
            playing.Enqueue(struct (heard + draw.Next(weather.Lateness + 1), Input.Evaluated(step, returns, lengths)))
        | Order.WatchEvaluations -> isWatching <- weather.Lateness > 0
        | Order.Capture ->
            if inFlight () then
                refuse order "something is in flight"

            copied.Clear()
            isCapturing <- true

            for environment in 0 .. count - 1 do
                attempt environment Input.CopyArrived

            for other in [ learner; tables ] do
                say other Input.CopyArrived
        | Order.CaptureEnvironment environment ->
            if isDown[environment] then
                refuse order "it is down"

            attempt environment Input.CopyArrived
        | Order.Commit commitment ->
            if commitInFlight.IsSome then
                refuse order "it overtakes another one"

            if copied.Count < count + 2 then
                refuse order "not everybody has handed out a copy"

            isCapturing <- false

            let ordinals =
                commitment.Events |> List.choose (RunEvents.ordinalOf >> Option.ofNullable)

            let ledger = commitment.Ledger
            let kept = Ledger.keptPlaces ledger

            match HistoryFold.ordinalsProblem nextOrdinal keptOrdinals ordinals ledger.NextOrdinal kept with
            | null -> ()
            | problem -> refuse order problem

            nextOrdinal <- ledger.NextOrdinal
            keptOrdinals <- kept
            commitInFlight <- Some commitment.Id
            pendingCommit <- Some(commitment, head)
            journal.Enqueue(Input.Committed(commitment.Id, commitment.Ledger.Position.Steps))
        | Order.Record(id, _) -> journal.Enqueue(Input.Recorded id)
        | Order.FinishVideo -> say tables Input.VideoFinished
        | Order.End _ ->
            if ended then
                refuse order "twice"

            ended <- true
        | Order.Film _
        | Order.WriteTopology _
        | Order.WritePhase _
        | Order.WriteMetrics _
        | Order.ShowEvaluation _
        | Order.WriteEvaluation _
        | Order.EvaluationsLate _
        | Order.LeaveBarrier
        | Order.WatchStop
        | Order.WatchRecording -> ()

    and hearFrom who input =
        // What the one who speaks has done with it.
        match input with
        | Input.EnvironmentReady(environment, _) ->
            isUp[environment] <- true
            isDown[environment] <- false
            hear input
        | Input.EnvironmentFailed(environment, _) ->
            isStepping[environment] <- false
            isDown[environment] <- true
            hear input
        | Input.Stepped round ->
            isStepping[round.Environment] <- false
            hear input
        | Input.Learned _ ->
            isLearning <- false
            hear input
        | Input.CopyArrived ->
            // A second one of the same is taken in the place of the first, or is too late.
            if isCapturing then
                copied.Add who |> ignore
                hear (if copied.Count = count + 2 then Input.Captured else input)
        | Input.Committed _ ->
            commitInFlight <- None
            lastCommit <- pendingCommit

            committed.AddRange(
                pendingCommit
                |> Option.map (fun (commit, _) -> commit.Events)
                |> Option.defaultValue []
            )

            hear input
        | input -> hear input

    and hear input =
        let struct (next, orders) = Conductor.decide settings state input
        state <- next
        List.iter carryOut orders

    hear (Input.Recovered 1L)
    hear (Input.Opened opening)

    while not ended && weather.KillAfter <> Some heard do
        heard <- heard + 1

        if heard > 200_000 then
            failwith $"the run does not end: %A{state.Stage}"

        if weather.StopAfter = Some heard then
            atStop <- Some given.Count
            hear (Input.StopRequested "the weather")
        else
            // The one who is asked for rows takes them in the order of the questions, like every actor; who answers first is drawn.
            let fromStore = storing.Count
            let fromJournal = min 1 journal.Count
            let fromClock = if isWatching then 1 else 0
            let others = answers.Count + fromStore + fromJournal + fromClock

            let fromEvaluator =
                match playing.TryPeek() with
                | true, struct (over, _) when over <= heard || others = 0 -> 1
                | _ -> 0

            let choice = draw.Next(max 1 (others + fromEvaluator))

            if choice < answers.Count then
                // Who speaks says things in their order.
                let struct (who, _) = answers[choice]
                let first = answers.FindIndex(fun (struct (other, _)) -> other = who)
                let struct (_, answer) = answers[first]
                answers.RemoveAt first
                hearFrom who answer
            elif choice < answers.Count + fromStore then
                let rows = Seq.head storing
                storing.Remove rows |> ignore
                head <- head + rowsOf rows
                hear (Input.Appended(rows, head))
            elif choice < answers.Count + fromStore + fromJournal then
                hearFrom tables (journal.Dequeue())
            elif choice < others then
                isWatching <- false
                hear Input.EvaluationPatienceOver
            elif fromEvaluator > 0 then
                let struct (_, answer) = playing.Dequeue()
                hear answer
            else
                failwith $"nobody has anything to say, and the run waits: %A{state.Stage}"

    {
        State = state
        History =
            committed
            |> Seq.filter RunEvents.isHistory
            |> Seq.sortBy (fun event -> (RunEvents.ordinalOf event).Value)
            |> List.ofSeq
        LastCommit = lastCommit
        Orders = List.ofSeq given
        AfterStop =
            match atStop with
            | Some count -> given |> Seq.skip count |> List.ofSeq
            | None -> []
        Unheard = answers.Count + storing.Count + journal.Count + playing.Count
    }
