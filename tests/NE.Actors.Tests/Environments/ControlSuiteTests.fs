/// Start states, rewards and episode ends of the Control Suite's tasks on the real simulator. What a step computes is compared with
/// reference files (References/ReferenceReplayTests.fs).
module NE.Actors.Tests.Environments.ControlSuiteTests

open System
open Expecto
open NE.Actors.Environments
open NE.Actors.Environments.Catalogue
open NE.Model
open NE.Model.Tasks

/// With the task's own actions.
let private create id =
    match Registry.find id with
    | Ok task -> new MuJoCoEnvironment(task)
    | Error message -> failtest message

let private reset (environment: MuJoCoEnvironment) (episode: int64) =
    let observation: float32[] = Array.zeroCreate environment.Spec.ObservationSize
    environment.Reset(Draws.At(7L, Purpose.Reset, 0L, episode, 0L), observation)
    observation

/// Calls `look` right after each of `count` resets.
let private starts (id: string) (count: int) (look: MuJoCoEnvironment -> float32[] -> 'T) = [
    use environment = create id

    for episode in 1..count do
        let observation = reset environment (int64 episode)
        yield look environment observation
]

let private qpos (environment: MuJoCoEnvironment) = environment.Simulator.QPos.ToArray()
let private qvel (environment: MuJoCoEnvironment) = environment.Simulator.QVel.ToArray()

/// Mean of uniform values in [low, high], within five standard errors.
let private isUniform (low: float) (high: float) (values: float list) what =
    let deviation = (high - low) / sqrt 12.0 / sqrt (float values.Length)
    Expect.all values (fun x -> low <= x && x <= high) $"{what}: range"
    Expect.isLessThan (abs (List.average values - (low + high) / 2.0)) (5.0 * deviation) $"{what}: mean"
    Expect.isGreaterThan (List.max values - List.min values) (0.9 * (high - low)) $"{what}: spread"

/// Whether a number of the observation is a force or an acceleration: these are those of the last step.
let private isForce (task: ITask) (index: int) =
    match task.Info.Robot.Split '_' |> Array.head with
    | "dmc/hopper" -> index >= 13
    | "dmc/finger" -> index = 7 || index = 8
    | "dmc/quadruped" -> 48 <= index && index <= 50 || index >= 54
    | _ -> false

/// A part of the positions as a quaternion has length 1.
let private isUnit (pose: float[]) =
    Expect.floatClose Accuracy.high (Array.sumBy (fun x -> x * x) pose[3..6]) 1.0 "a rotation"

let private suite =
    Registry.all |> List.filter (fun task -> task.Info.Stepping.IsControlSuite)

[<Tests>]
let tests =
    testList "the Control Suite's tasks" [
        for task in suite do
            let id = task.Info.Id

            test $"{id}: 1,000 steps with rewards in [0, 1], then truncated, never terminated" {
                use environment = create id
                let observation = reset environment 1L
                let draws = Draws.At(1L, Purpose.WarmUp, 0L, 0L, 0L)
                let action: float32[] = Array.zeroCreate environment.Spec.ActionSize

                for step in 1..1000 do
                    for i in 0 .. action.Length - 1 do
                        action[i] <- float32 (draws.Uniform(float environment.Spec.ActionLow[i], float environment.Spec.ActionHigh[i]))

                    let result = environment.Step(action, observation)

                    if not (0.0 <= result.Reward && result.Reward <= 1.0) then
                        failtest $"reward {result.Reward} at step {step}"

                    if result.IsLast <> (step = 1000) || result.Terminated then
                        failtest $"step {step}: {result}"
            }

            test $"{id}: an observation shows the state after the step, without lag, but for forces and accelerations" {
                use environment = create id
                let observation = reset environment 2L
                let push: float32[] = Array.create environment.Spec.ActionSize 0.5f

                for _ in 1..5 do
                    environment.Step(push, observation) |> ignore

                environment.Simulator.Forward()
                let again: float[] = Array.zeroCreate environment.Spec.ObservationSize
                task.Observe(environment.Simulator, again)

                let shown (values: float32[]) =
                    values |> Array.indexed |> Array.filter (fun (i, _) -> not (isForce task i))

                Expect.equal (shown (Array.map float32 again)) (shown observation) "the same after an evaluation of the state"
            }

        test "reacher: every environment has a target of its own, which is saved with the episode" {
            use first = create "dmc/reacher-easy"
            use second = create "dmc/reacher-easy"
            let seen = reset first 1L
            reset second 2L |> ignore
            Expect.equal (reset first 1L) seen "the other environment moved another target"
            let state = first.SaveState()
            let restored: float32[] = Array.zeroCreate second.Spec.ObservationSize
            second.RestoreState(state, restored)
            Expect.equal restored seen "the target came with the state"
        }

        test "reacher: the target lies in a ring around the shoulder" {
            let radii =
                starts "dmc/reacher-hard" 500 (fun environment _ ->
                    let geoms = environment.Simulator.GeomXPos
                    sqrt (geoms[18] * geoms[18] + geoms[19] * geoms[19]))

            isUniform 0.05 0.2 radii "radius"
            isUniform -Math.PI Math.PI (starts "dmc/reacher-hard" 500 (fun e _ -> (qpos e)[0])) "shoulder"
            let limit = 160.0 * Math.PI / 180.0
            isUniform -limit limit (starts "dmc/reacher-hard" 500 (fun e _ -> (qpos e)[1])) "wrist"
        }

        test "reacher: the reward is 1 exactly while the finger overlaps the target" {
            let still: float32[] = Array.zeroCreate 2

            let outcomes id =
                starts id 2000 (fun environment observation ->
                    let result = environment.Step(still, observation)
                    let distance = Math.Sqrt(float observation[2] ** 2.0 + float observation[3] ** 2.0)
                    distance, result.Reward)

            for id, reach in [ "dmc/reacher-easy", 0.06; "dmc/reacher-hard", 0.025 ] do
                let outcomes = outcomes id
                Expect.isTrue (outcomes |> List.exists (fun (_, reward) -> reward = 1.0)) $"{id}: some starts overlap"

                for distance, reward in outcomes do
                    if abs (distance - reach) > 1e-6 then
                        Expect.equal reward (if distance < reach then 1.0 else 0.0) $"{id} at {distance}"
        }

        test "walker: the pose is drawn within the joints' limits, upright or not, at rest" {
            let poses = starts "dmc/walker-walk" 500 (fun e _ -> qpos e, qvel e)
            isUniform -Math.PI Math.PI [ for pose, _ in poses -> pose[2] ] "pitch"
            let degrees = Math.PI / 180.0

            for joint, low, high in
                [
                    3, -20.0, 100.0
                    4, -150.0, 0.0
                    5, -45.0, 45.0
                    6, -20.0, 100.0
                    7, -150.0, 0.0
                    8, -45.0, 45.0
                ] do
                isUniform (low * degrees) (high * degrees) [ for pose, _ in poses -> pose[joint] ] $"joint {joint}"

            Expect.all poses (fun (pose, _) -> pose[0] = 0.0 && pose[1] = 0.0) "the root's place"
            Expect.all poses (fun (_, velocity) -> Array.forall ((=) 0.0) velocity) "at rest"
        }

        test "cartpole: balance starts upright, swingup hanging" {
            let poses id = starts id 500 (fun e _ -> qpos e)
            isUniform -0.1 0.1 [ for pose in poses "dmc/cartpole-balance" -> pose[0] ] "cart"
            isUniform -0.034 0.034 [ for pose in poses "dmc/cartpole-balance" -> pose[1] ] "pole"

            for id in [ "dmc/cartpole-swingup"; "dmc/cartpole-swingup_sparse" ] do
                let angles = [ for pose in poses id -> pose[1] - Math.PI ]
                Expect.isLessThan (abs (List.average angles)) 0.0023 "five standard errors"
                let deviation = sqrt (angles |> List.averageBy (fun a -> a * a))
                Expect.isLessThan (abs (deviation - 0.01)) 0.0016 "deviation"
        }

        test "cheetah: it has come to rest on the ground, and the clock begins at 0" {
            for time, pose, velocity in starts "dmc/cheetah-run" 20 (fun e _ -> e.Simulator.Time, qpos e, qvel e) do
                Expect.equal time 0.0 "time"
                Expect.all pose (fun x -> x <> 0.0) "a pose of its own"
                Expect.all velocity (fun v -> abs v < 3.0) "nearly at rest"
        }

        test "ball_in_cup: the ball begins somewhere free" {
            for contacts, pose in starts "dmc/ball_in_cup-catch" 200 (fun e _ -> e.Simulator.ContactCount, qpos e) do
                Expect.equal contacts 0 "contacts"
                Expect.isTrue (abs pose[2] <= 0.2 && 0.2 <= pose[3] && pose[3] <= 0.5) "place"
        }

        test "pendulum and acrobot begin at any angle" {
            isUniform -Math.PI Math.PI (starts "dmc/pendulum-swingup" 500 (fun e _ -> (qpos e)[0])) "pendulum"
            isUniform -Math.PI Math.PI (starts "dmc/acrobot-swingup" 500 (fun e _ -> (qpos e)[0])) "shoulder"
            isUniform -Math.PI Math.PI (starts "dmc/acrobot-swingup" 500 (fun e _ -> (qpos e)[1])) "elbow"
        }

        for id in [ "dmc/finger-turn_hard"; "dmc/fish-swim"; "dmc/swimmer-swimmer6" ] do
            test $"{id}: the target is saved with the episode, and no other environment's" {
                use first = create id
                use second = create id
                let seen = reset first 1L
                reset second 2L |> ignore
                Expect.equal (reset first 1L) seen "the other environment moved another target"
                let restored: float32[] = Array.zeroCreate second.Spec.ObservationSize
                second.RestoreState(first.SaveState(), restored)
                Expect.equal restored seen "the target came with the state"
            }

        test "hopper: it falls from any pose within the joints' limits" {
            let poses = starts "dmc/hopper-stand" 500 (fun e _ -> qpos e, qvel e)
            isUniform -Math.PI Math.PI [ for pose, _ in poses -> pose[2] ] "pitch"
            let degrees = Math.PI / 180.0

            for joint, low, high in [ 3, -30.0, 30.0; 4, -170.0, 10.0; 5, 5.0, 150.0; 6, -45.0, 45.0 ] do
                isUniform (low * degrees) (high * degrees) [ for pose, _ in poses -> pose[joint] ] $"joint {joint}"

            Expect.all poses (fun (pose, velocity) -> pose[0] = 0.0 && pose[1] = 0.0 && Array.forall ((=) 0.0) velocity) "the root, at rest"
        }

        test "finger: nothing touches, and the goal is on the circle of the spinner's tip" {
            for id in [ "dmc/finger-spin"; "dmc/finger-turn_easy"; "dmc/finger-turn_hard" ] do
                Expect.all (starts id 200 (fun e _ -> e.Simulator.ContactCount)) ((=) 0) $"{id}: contacts"

            isUniform -Math.PI Math.PI (starts "dmc/finger-spin" 500 (fun e _ -> (qpos e)[2])) "hinge"

            let goals =
                starts "dmc/finger-turn_easy" 500 (fun _ seen -> float seen[9], float seen[10])

            Expect.all goals (fun (x, z) -> abs (sqrt (x * x + z * z) - 0.13) < 1e-7) "radius"
            isUniform -Math.PI Math.PI [ for x, z in goals -> atan2 x z ] "angle"
        }

        test "point_mass: the ball starts anywhere on the table" {
            for axis in 0..1 do
                isUniform -0.29 0.29 (starts "dmc/point_mass-easy" 500 (fun e _ -> (qpos e)[axis])) $"axis {axis}"
        }

        test "fish: it starts in any orientation with slack fins, and swims to a target nearby" {
            for id in [ "dmc/fish-upright"; "dmc/fish-swim" ] do
                let poses = starts id 500 (fun e _ -> qpos e)
                poses |> List.iter isUnit
                Expect.all poses (fun pose -> pose[0..2] = [| 0.0; 0.0; 0.1 |]) "place"

                isUniform
                    -0.2
                    0.2
                    [
                        for pose in poses do
                            yield! pose[7..]
                    ]
                    "joints"

            let targets =
                starts "dmc/fish-swim" 500 (fun e _ -> e.Simulator.XPos.ToArray()[3 * 6 ..])

            for axis, low, high in [ 0, -0.4, 0.4; 1, -0.4, 0.4; 2, 0.1, 0.3 ] do
                isUniform low high [ for target in targets -> target[axis] ] $"target, axis {axis}"
        }

        test "swimmer: one target in five is near" {
            let targets =
                starts "dmc/swimmer-swimmer6" 500 (fun e _ -> e.Simulator.XPos.ToArray()[3 * 7 ..])

            Expect.all targets (fun target -> abs target[0] <= 2.0 && abs target[1] <= 2.0 && target[2] = 0.05) "place"

            let near =
                targets
                |> List.filter (fun target -> abs target[0] <= 0.3 && abs target[1] <= 0.3)
            // One in five, and of the others one in 44: five standard errors of 500.
            Expect.isLessThan (abs (float near.Length / 500.0 - (0.2 + 0.8 * 0.0225))) 0.092 "share"
            isUniform -Math.PI Math.PI (starts "dmc/swimmer-swimmer6" 500 (fun e _ -> (qpos e)[2])) "direction"
            isUniform (-Math.PI / 3.0) (Math.PI / 3.0) (starts "dmc/swimmer-swimmer6" 500 (fun e _ -> (qpos e)[7])) "the last joint"
        }

        test "humanoid: it starts in the air and touches nothing, itself neither" {
            for pose, contacts in starts "dmc/humanoid-run" 100 (fun e _ -> qpos e, e.Simulator.ContactCount) do
                Expect.equal contacts 0 "contacts"
                Expect.equal pose[0..2] [| 0.0; 0.0; 1.5 |] "place"
                Expect.all pose[3..6] (fun part -> part >= 0.0) "the suite's rotations"
                isUnit pose
        }

        test "quadruped: it starts as low as its orientation allows, and its servos do not push yet" {
            use environment = create "dmc/quadruped-walk"

            for episode in 1L .. 50L do
                reset environment episode |> ignore
                let simulator = environment.Simulator
                Expect.equal simulator.ContactCount 0 "contacts"
                Expect.all (simulator.QFrcActuator.ToArray()) ((=) 0.0) "forces"
                let pose = simulator.QPos.ToArray()
                isUnit pose
                pose[2] <- pose[2] - 0.01
                simulator.SetState(ReadOnlySpan pose, ReadOnlySpan(Array.zeroCreate<float> simulator.NV))
                simulator.Forward()
                Expect.isGreaterThan simulator.ContactCount 0 "a centimetre lower"
        }

        test "a shared model must not be changed" {
            use environment = create "dmc/walker-walk"
            Expect.throwsT<InvalidOperationException> (fun () -> environment.Simulator.MoveGeom(0, 1.0, 1.0)) "refused"
        }
    ]
