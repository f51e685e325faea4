/// All tasks by id.
[<RequireQualifiedAccess>]
module NE.Model.Tasks.Registry

open NE.Model
open NE.Model.Tasks.Gymnasium

/// Gymnasium's MuJoCo tasks.
let private gymnasium: ITask list = [
    HalfCheetah V4
    HalfCheetah V5
    Hopper V4
    Hopper V5
    Walker2d V4
    Walker2d V5
    Ant V4
    Ant(V4, true)
    Ant V5
    Humanoid V4
    Humanoid V5
    HumanoidStandup V4
    HumanoidStandup V5
    Swimmer V4
    Swimmer V5
    Reacher V4
    Reacher V5
    Pusher V4
    Pusher V5
    InvertedPendulum V4
    InvertedPendulum V5
    InvertedDoublePendulum V4
    InvertedDoublePendulum V5
]

/// The Control Suite's tasks, `dmc/<domain>-<task>`.
let private controlSuite: ITask list = [
    ControlSuite.Reacher(hard = false)
    ControlSuite.Reacher(hard = true)
    ControlSuite.Walker ControlSuite.WalkerTask.Stand
    ControlSuite.Walker ControlSuite.WalkerTask.Walk
    ControlSuite.Walker ControlSuite.WalkerTask.Run
    ControlSuite.Cartpole ControlSuite.CartpoleTask.Balance
    ControlSuite.Cartpole ControlSuite.CartpoleTask.Swingup
    ControlSuite.Cartpole ControlSuite.CartpoleTask.SwingupSparse
    ControlSuite.Cheetah()
    ControlSuite.Pendulum()
    ControlSuite.Acrobot(sparse = false)
    ControlSuite.Acrobot(sparse = true)
    ControlSuite.BallInCup()
    ControlSuite.Hopper ControlSuite.HopperTask.Stand
    ControlSuite.Hopper ControlSuite.HopperTask.Hop
    ControlSuite.Finger ControlSuite.FingerTask.Spin
    ControlSuite.Finger ControlSuite.FingerTask.TurnEasy
    ControlSuite.Finger ControlSuite.FingerTask.TurnHard
    ControlSuite.PointMass()
    ControlSuite.Fish ControlSuite.FishTask.Upright
    ControlSuite.Fish ControlSuite.FishTask.Swim
    ControlSuite.Swimmer()
    ControlSuite.Humanoid ControlSuite.HumanoidTask.Stand
    ControlSuite.Humanoid ControlSuite.HumanoidTask.Walk
    ControlSuite.Humanoid ControlSuite.HumanoidTask.Run
    ControlSuite.Quadruped ControlSuite.QuadrupedTask.Walk
    ControlSuite.Quadruped ControlSuite.QuadrupedTask.Run
]

/// Every task, ordered by family and version.
let all: ITask list = gymnasium @ controlSuite

/// The ids of all tasks.
let ids: string list = all |> List.map _.Info.Id

let private byId = all |> List.map (fun task -> task.Info.Id, task) |> Map.ofList

/// The task of this id. Ids are case-sensitive.
let tryFind (id: string) : ITask option = Map.tryFind id byId

/// The task of this id, or a sentence that says which ids were probably meant.
let find (id: string) : Result<ITask, string> =
    match tryFind id with
    | Some task -> Ok task
    | None ->
        let hint =
            match Nearest.ranked 3 id ids with
            | [] ->
                let known = String.concat ", " ids
                $"known tasks are {known}."
            | near ->
                let names = String.concat " or " near
                $"did you mean {names}?"

        Error $"There is no task '{id}'; {hint}"
