namespace NE.Benchmarks

open System
open System.Collections.Generic
open System.IO
open NE.Actors.Environments
open NE.Actors.MuJoCo
open NE.Model
open NE.Model.Tasks

/// One call of a task's reset that makes physics: from this state, so many physics steps without control; 0 is an evaluation.
type Preparation = {
    Settle: int
    QPos: float[]
    QVel: float[]
}

/// Writes down what a reset does to a simulator while it is done.
[<Sealed>]
type private ResetRecorder(simulator: Simulator) =
    let start: IStartState = simulator
    let made = ResizeArray<Preparation>()

    let note settle =
        made.Add {
            Settle = settle
            QPos = start.QPos.ToArray()
            QVel = start.QVel.ToArray()
        }

    member _.Made = made.ToArray()

    interface IStartState with
        member _.ForwardPassively() =
            note 0
            start.ForwardPassively()

        member _.Settle steps =
            note steps
            start.Settle steps

        member _.ToKeyframe index = start.ToKeyframe index
        member _.Positions = start.Positions
        member _.Velocities = start.Velocities
        member _.ContactCount = start.ContactCount
        member _.MoveGeom(geom, x, y) = start.MoveGeom(geom, x, y)
        member _.MoveMocap(mocap, x, y, z) = start.MoveMocap(mocap, x, y, z)
        member _.ResizeGeom(geom, size) = start.ResizeGeom(geom, size)
        member _.Timestep = start.Timestep
        member _.Time = start.Time
        member _.NQ = start.NQ
        member _.NV = start.NV
        member _.NU = start.NU
        member _.NBody = start.NBody
        member _.NGeom = start.NGeom
        member _.NSite = start.NSite
        member _.QPos = start.QPos
        member _.QVel = start.QVel
        member _.Ctrl = start.Ctrl
        member _.Act = start.Act
        member _.QPos0 = start.QPos0
        member _.XPos = start.XPos
        member _.XMat = start.XMat
        member _.XIPos = start.XIPos
        member _.GeomXPos = start.GeomXPos
        member _.SiteXPos = start.SiteXPos
        member _.CInert = start.CInert
        member _.CVel = start.CVel
        member _.CFrcExt = start.CFrcExt
        member _.QFrcActuator = start.QFrcActuator
        member _.QFrcConstraint = start.QFrcConstraint
        member _.SensorData = start.SensorData
        member _.BodyMass = start.BodyMass
        member _.JointRange = start.JointRange
        member _.JointLimited = start.JointLimited

/// Whole episodes of one task under uniformly random actions, with all that a loop without the task needs to make the same physics
/// steps: the start states, the actions, and the lengths of the episodes.
[<Sealed>]
type EnvironmentTape
    private (task: ITask, model: MuJoCoModel, preparations: Preparation[][], lengths: int[], actions: float32[], final: float[]) =

    static let reset (episode: int) =
        Draws.At(1L, Purpose.Reset, 0L, (int64 episode), 0L)

    /// The task.
    member _.Task = task

    /// Numbers in an action.
    member _.ActionSize = task.Info.ActionSize

    /// Control steps of each episode.
    member _.Lengths = lengths

    /// Actions of all steps, in order [steps x ActionSize].
    member _.Actions = actions

    /// Control steps of all episodes.
    member _.Steps = actions.Length / task.Info.ActionSize

    /// The stream that an episode's start state is drawn from, at its beginning.
    member _.ResetDraws(episode: int) : Draws = reset episode

    /// The positions and velocities after the last step, as bits: equal for everyone who made the same steps.
    member _.FinalBits =
        final
        |> Array.map (fun value -> (BitConverter.DoubleToUInt64Bits value).ToString "X16")
        |> String.concat ""

    /// Plays whole episodes until there are at least `steps` control steps.
    static member Record(task: ITask, steps: int) : EnvironmentTape =
        use environment = new MuJoCoEnvironment(task)
        let info, simulator = task.Info, environment.Simulator
        let observation = Array.zeroCreate<float32> info.ObservationSize
        let action = Array.zeroCreate<float32> info.ActionSize
        let preparations, lengths = ResizeArray<Preparation[]>(), ResizeArray<int>()
        let actions = ResizeArray<float32>()

        while actions.Count < steps * info.ActionSize do
            let episode = lengths.Count
            // The reset of MuJoCoEnvironment by hand, and then the real one.
            let recorder = ResetRecorder simulator
            simulator.ResetData()

            if info.Stepping.IsControlSuite then
                simulator.ForwardPassively()

            task.Reset(reset episode, recorder)
            (recorder :> IStartState).ForwardPassively()
            preparations.Add recorder.Made
            environment.Reset(reset episode, Span observation)
            let draws = Draws.At(1L, Purpose.WarmUp, 0L, (int64 episode), 0L)
            let mutable last = false

            while not last do
                for i in 0 .. action.Length - 1 do
                    action[i] <- float32 (draws.Uniform(float info.ActionLow[i], float info.ActionHigh[i]))

                actions.AddRange action
                last <- environment.Step(ReadOnlySpan action, Span observation).IsLast

            lengths.Add environment.Elapsed

        let final = Array.append (simulator.QPos.ToArray()) (simulator.QVel.ToArray())
        EnvironmentTape(task, MuJoCoModel.OfRobot info.Robot, preparations.ToArray(), lengths.ToArray(), actions.ToArray(), final)

    /// Writes the tape for environment_loop.c, which says what is in it.
    member this.Write(file: string) : unit =
        use writer = new BinaryWriter(File.Create file)
        let made = Array.concat preparations

        let flag condition = if condition then 1 else 0

        for size in
            [
                model.NQ
                model.NV
                model.NU
                task.Info.FrameSkip
                flag task.Info.Stepping.IsControlSuite
                flag model.IsRungeKutta
                lengths.Length
                made.Length
                this.Steps
            ] do
            writer.Write size

        for length in lengths do
            writer.Write length

        for episode in preparations do
            writer.Write episode.Length

        for preparation in made do
            writer.Write preparation.Settle

        for preparation in made do
            for value in Seq.append preparation.QPos preparation.QVel do
                writer.Write value

        for value in actions do
            writer.Write value
