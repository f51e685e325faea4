module NE.Actors.Tests.Environments.EnvironmentTests

open System
open System.IO
open Expecto
open NE.Actors.Environments
open NE.Actors.Environments.Catalogue
open NE.Actors.MuJoCo
open NE.Model
open NE.Model.Tasks

let private zeros (size: int) : float32[] = Array.zeroCreate size

let private resetDraws (seed: int64) (episode: int64) =
    Draws.At(seed, Purpose.Reset, 0L, episode, 0L)

/// The same actions for the same step in every test, somewhat beyond the bounds now and then.
let private actionAt (spec: EnvironmentSpec) (step: int) : float32[] =
    Array.init spec.ActionSize (fun i -> 1.1f * spec.ActionHigh[i] * float32 (sin (0.37 * float step + 1.7 * float i)))

/// What an agent sees of a step, exactly.
type private Seen = {
    Observation: float32[]
    Reward: float
    Terminated: bool
    Truncated: bool
}

let private stepped (environment: IEnvironment) (step: int) =
    let observation = zeros environment.Spec.ObservationSize
    let result = environment.Step(actionAt environment.Spec step, observation)

    {
        Observation = observation
        Reward = result.Reward
        Terminated = result.Terminated
        Truncated = result.Truncated
    }

/// Runs steps [first, last], starting the next episode where one ends.
let private run (environment: IEnvironment) (first: int) (last: int) = [
    for step in first..last do
        let seen = stepped environment step
        yield seen

        if seen.Terminated || seen.Truncated then
            let observation = zeros environment.Spec.ObservationSize
            environment.Reset(resetDraws 5L (int64 step), observation)
            yield { seen with Observation = observation }
]

let private started id seed episode =
    let environment = EnvironmentFactory.Create id
    let observation = zeros environment.Spec.ObservationSize
    environment.Reset(resetDraws seed episode, observation)
    environment, observation

let private firstObservation id episode =
    let environment, observation = started id 1L episode
    environment.Dispose()
    observation

let private continues id =
    test $"{id}: a fresh simulator continues a saved episode bit-exactly for 200 steps" {
        let environment, _ = started id 3L 0L
        use environment = environment
        let before = run environment 0 36
        let state = environment.SaveState()
        let expected = run environment 37 236
        use other = EnvironmentFactory.Create id
        let observation = zeros other.Spec.ObservationSize
        other.RestoreState(state, observation)
        Expect.equal observation (List.last before).Observation "the last observation"
        Expect.equal (other.SaveState()) state "saved again"
        Expect.equal (run other 37 236) expected "200 further steps"
    }

let private repeats id =
    test $"{id}: the same seed gives the same episode, another episode or seed another one" {
        let episode seed index =
            let environment, first = started id seed index
            use environment = environment
            first, run environment 0 4

        Expect.equal (episode 1L 4L) (episode 1L 4L) "same"
        Expect.notEqual (episode 1L 4L) (episode 1L 5L) "another episode"
        Expect.notEqual (episode 1L 4L) (episode 2L 4L) "another seed"
    }

let private argumentError (action: unit -> unit) =
    try
        action ()
        failtest "expected an ArgumentException"
    with :? ArgumentException as e ->
        e.Message

[<Tests>]
let tests =
    testList "an environment" [
        for id in Registry.ids do
            continues id
            repeats id

        test "a step is truncated at the time limit, and the episode is over" {
            let environment, _ = started "HalfCheetah-v4" 1L 0L
            use environment = environment
            let seen = [ for step in 1..1000 -> stepped environment step ]
            Expect.equal (List.tryFindIndex _.Truncated seen) (Some 999) "truncated on step 1000"
            Expect.isFalse (List.last seen).Terminated "but not terminated"
            Expect.throwsT<InvalidOperationException> (fun () -> stepped environment 1001 |> ignore) "over"
        }

        test "the episodes of Reacher and Pusher end after 50 and 100 steps, and not before" {
            for id, limit in [ "Reacher-v4", 50; "Reacher-v5", 50; "Pusher-v4", 100; "Pusher-v5", 100 ] do
                let environment, _ = started id 1L 0L
                use environment = environment
                let seen = [ for step in 1..limit -> stepped environment step ]
                Expect.equal (List.tryFindIndex _.Truncated seen) (Some(limit - 1)) id
                Expect.throwsT<InvalidOperationException> (fun () -> stepped environment 0 |> ignore) "over"
        }

        test "Reacher: the simulated target is where the start state puts it" {
            for episode in 0L .. 49L do
                let observation = firstObservation "Reacher-v4" episode
                let angle = Math.Atan2(float observation[2], float observation[0])
                let bend = Math.Atan2(float observation[3], float observation[1])
                let x = 0.1 * cos angle + 0.11 * cos (angle + bend)
                let y = 0.1 * sin angle + 0.11 * sin (angle + bend)
                Expect.isLessThan (abs (x - float observation[4] - float observation[8])) 1e-6 "x"
                Expect.isLessThan (abs (y - float observation[5] - float observation[9])) 1e-6 "y"
                Expect.isLessThan (sqrt (float observation[4] ** 2.0 + float observation[5] ** 2.0)) 0.2 "in the disc"
        }

        test "Pusher: the simulated object is more than 0.17 m from the goal on the table" {
            for id in [ "Pusher-v4"; "Pusher-v5" ] do
                for episode in 0L .. 49L do
                    let observation = firstObservation id episode

                    let dx, dy =
                        float (observation[17] - observation[20]), float (observation[18] - observation[21])

                    Expect.isGreaterThan (sqrt (dx * dx + dy * dy)) 0.17 "far enough"
                    Expect.isTrue (abs dx <= 0.2 && -0.3 <= dy && dy <= 0.0) "beside the goal and on the arm's side of it"
        }

        test "an environment must be reset before its first step" {
            use environment = EnvironmentFactory.Create "Hopper-v4"
            Expect.throwsT<InvalidOperationException> (fun () -> stepped environment 0 |> ignore) "not started"
        }

        test "a fallen hopper terminates and pays the healthy reward of its version" {
            let lastTerms id =
                let environment, _ = started id 1L 0L
                use environment = environment :?> MuJoCoEnvironment
                let mutable step = 0

                while not (stepped environment step).Terminated do
                    step <- step + 1

                environment.RewardTerms.ToArray()

            Expect.equal (Array.item 1 (lastTerms "Hopper-v4")) 1.0 "v4 pays"
            Expect.equal (Array.item 1 (lastTerms "Hopper-v5")) 0.0 "v5 does not"
        }

        test "a wrong action or observation is refused with what was expected, and the episode goes on" {
            let environment, observation = started "Ant-v4" 1L 0L
            use environment = environment

            let step (action: float32[]) (target: float32[]) =
                argumentError (fun () -> environment.Step(action, target) |> ignore)

            Expect.stringContains (step (zeros 7) observation) "An action of Ant-v4 has 8 numbers; found 7." "size"
            Expect.stringContains (step (Array.create 8 nanf) observation) "Action 0 of Ant-v4 is NaN" "NaN"
            Expect.stringContains (step (Array.create 8 infinityf) observation) "must be a finite number" "infinite"
            Expect.stringContains (step (zeros 8) (zeros 26)) "27 numbers; the given memory has 26" "observation"
            Expect.isFalse (environment.Step(zeros 8, observation)).IsLast "goes on"
        }

        test "an unknown id names the nearest" {
            Expect.stringContains
                (argumentError (fun () -> EnvironmentFactory.Create "HalfCheeta-v4" |> ignore))
                "did you mean HalfCheetah-v4"
                "hint"
        }

        test "diverged physics truncates the episode; the next reset starts a sound one" {
            let environment, observation = started "HalfCheetah-v4" 1L 0L
            use environment = environment :?> MuJoCoEnvironment
            let simulator = environment.Simulator
            let velocities: float[] = Array.create simulator.NV 1e12
            simulator.SetState(simulator.QPos, velocities)
            let before = Array.copy observation

            let result =
                (environment :> IEnvironment).Step(zeros environment.Spec.ActionSize, observation)

            Expect.equal result (StepResult(0.0, false, true, true)) "ended, with neither reward nor punishment"
            Expect.equal observation before "the last sound observation"
            Expect.throwsT<InvalidOperationException> (fun () -> stepped environment 1 |> ignore) "over"
            environment.Reset(resetDraws 1L 0L, observation)
            let fresh, expected = started "HalfCheetah-v4" 1L 0L
            use fresh = fresh
            Expect.equal observation expected "a sound start"
            Expect.equal (run environment 0 20) (run fresh 0 20) "the broken episode left no trace"
            Expect.isFalse (File.Exists "MUJOCO_LOG.TXT") "no log file of MuJoCo's own"
        }

        test "a state of another task or a damaged one is refused" {
            let environment, observation = started "Hopper-v4" 1L 0L
            use environment = environment
            let other, _ = started "Hopper-v5" 1L 0L
            use other = other

            for bytes in [ other.SaveState(); [||]; environment.SaveState()[..40] ] do
                Expect.throwsT<InvalidDataException> (fun () -> environment.RestoreState(bytes, observation)) "refused"
        }

        test "a finished episode is still finished after a restore" {
            let environment, observation = started "HalfCheetah-v4" 1L 0L
            use environment = environment

            for step in 1..1000 do
                stepped environment step |> ignore

            use other = EnvironmentFactory.Create "HalfCheetah-v4"
            other.RestoreState(environment.SaveState(), observation)
            Expect.throwsT<InvalidOperationException> (fun () -> stepped other 0 |> ignore) "over"
        }

        test "a step makes no garbage" {
            for id in [ "HalfCheetah-v4"; "Humanoid-v5" ] do
                let environment, observation = started id 1L 0L
                use environment = environment
                let action = zeros environment.Spec.ActionSize

                // The run-time itself may allocate a little now and then while it recompiles, hence the allowance of 2 bytes a step.
                let steps = if id = "HalfCheetah-v4" then 900 else 15
                environment.Step(action, observation) |> ignore
                let before = GC.GetAllocatedBytesForCurrentThread()

                for _ in 1..steps do
                    environment.Step(action, observation) |> ignore

                let allocated = GC.GetAllocatedBytesForCurrentThread() - before
                Expect.isLessThan allocated 1_800L id
        }

        test "descriptions need no simulator and agree with the environment" {
            for id in Registry.ids do
                use environment = EnvironmentFactory.Create id
                let described = EnvironmentFactory.Describe id
                Expect.equal described.ObservationSize environment.Spec.ObservationSize id
                Expect.equal described.ActionHigh environment.Spec.ActionHigh id
        }
    ]
