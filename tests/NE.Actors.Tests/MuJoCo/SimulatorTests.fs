module NE.Actors.Tests.MuJoCo.SimulatorTests

open System
open System.IO
open System.Threading.Tasks
open Expecto
open NE.Actors.MuJoCo
open NE.Model.Tasks

let private zeros (size: int) : float[] = Array.zeroCreate size

let private filled (size: int) (value: float) : float[] = Array.create size value

let private settled robot =
    let simulator = new Simulator(MuJoCoModel.OfRobot robot)
    simulator.ResetData()
    simulator.Forward()
    let controls = Array.init simulator.NU (fun i -> 0.1 * float (i + 1))

    for _ in 1..20 do
        simulator.Step(controls, 5, Stepping.Gymnasium)

    simulator

let private hook =
    test "a warning of MuJoCo reaches the log hook instead of a file" {
        let heard = TaskCompletionSource<string>()
        MuJoCoHandlers.WarningLog <- fun text -> heard.TrySetResult text |> ignore

        try
            use simulator = settled "hopper"

            // At most one a second gets through, and other tests diverge too: try until one does.
            while not heard.Task.IsCompleted do
                simulator.ResetData()
                simulator.SetState(zeros simulator.NQ, filled simulator.NV 1e11)

                Expect.throwsT<PhysicsDivergedException> (fun () -> simulator.Step(zeros simulator.NU, 1, Stepping.Gymnasium)) "diverged"

            Expect.stringContains heard.Task.Result "unstable" "MuJoCo's own words"
        finally
            MuJoCoHandlers.WarningLog <- null
    }

[<Tests>]
let tests =
    testList "a simulator" [
        test "every embedded robot compiles" {
            for robot in Robots.names do
                Expect.isGreaterThan (MuJoCoModel.OfRobot robot).NQ 0 robot
        }

        test "the motors of the control suite's robots take -1 to 1" {
            // The quadruped has servos with ranges of their own.
            for robot in
                Robots.names
                |> List.filter (fun robot -> robot.StartsWith "dmc/" && not (robot.StartsWith "dmc/quadruped")) do
                let model = MuJoCoModel.OfRobot robot
                let ranges = List.init model.NU (fun motor -> model.ControlRange(motor).ToTuple())
                Expect.isNonEmpty ranges robot
                Expect.all ranges ((=) (-1.0, 1.0)) robot
        }

        test "simulators of one robot share the model" {
            Expect.isTrue (Object.ReferenceEquals(MuJoCoModel.OfRobot "ant", MuJoCoModel.OfRobot "ant")) "same object"
        }

        test "an unknown robot and a broken model give clear errors" {
            Expect.throwsT<FileNotFoundException> (fun () -> MuJoCoModel.OfRobot "snail" |> ignore) "unknown robot"

            try
                MuJoCoModel.FromXml("broken", "<mujoco><worldbody><body><geom size='-1'/></body></worldbody></mujoco>")
                |> ignore

                failtest "expected an error"
            with :? ModelCompileException as e ->
                Expect.stringContains e.Message "'broken'" "the model is named"
        }

        test "huge velocities are reported as divergence, and the simulator works again after a reset" {
            use simulator = settled "half_cheetah"
            simulator.SetState(zeros simulator.NQ, filled simulator.NV 1e11)

            Expect.throwsT<PhysicsDivergedException> (fun () -> simulator.Step(zeros simulator.NU, 5, Stepping.Gymnasium)) "diverged"

            simulator.ResetData()
            simulator.Forward()
            simulator.Step(zeros simulator.NU, 5, Stepping.Gymnasium)
            Expect.isTrue (Double.IsFinite simulator.QPos[1]) "goes on"
            Expect.isFalse (File.Exists "MUJOCO_LOG.TXT") "no log file of MuJoCo's own"
        }

        test "not-a-number positions are reported as divergence" {
            use simulator = settled "hopper"
            simulator.SetState(filled simulator.NQ nan, zeros simulator.NV)

            Expect.throwsT<PhysicsDivergedException> (fun () -> simulator.Step(zeros simulator.NU, 1, Stepping.Gymnasium)) "diverged"
        }

        test "controls are kept unclamped" {
            use simulator = settled "hopper"
            let controls = [| 7.0; -8.0; 9.0 |]
            simulator.Step(controls, 4, Stepping.Gymnasium)
            Expect.equal (simulator.Ctrl.ToArray()) controls "ctrl"
        }

        test "wrong sizes are refused" {
            use simulator = settled "hopper"
            Expect.throwsT<ArgumentException> (fun () -> simulator.Step(zeros 1, 1, Stepping.Gymnasium)) "controls"
            Expect.throwsT<ArgumentException> (fun () -> simulator.SetState(zeros 1, zeros 1)) "state"
        }

        test "a disposed simulator is not readable" {
            let simulator = settled "hopper"
            simulator.Dispose()
            Expect.throwsT<ObjectDisposedException> (fun () -> simulator.QPos.Length |> ignore) "read"
            Expect.throwsT<ObjectDisposedException> (fun () -> simulator.SaveState() |> ignore) "save"
            simulator.Dispose()
        }

        test "a saved state restores every array that tasks read" {
            use first = settled "humanoid"
            use second = new Simulator(MuJoCoModel.OfRobot "humanoid")
            second.RestoreState(first.SaveState(), Stepping.Gymnasium)
            Expect.equal (second.SaveState()) (first.SaveState()) "all bytes"
            Expect.equal (second.CFrcExt.ToArray()) (first.CFrcExt.ToArray()) "cfrc_ext"
            Expect.equal (second.XIPos.ToArray()) (first.XIPos.ToArray()) "xipos"
            Expect.equal second.Time first.Time "time"
        }

        test "derived arrays after a step are not those of the new positions" {
            // The reason why restoring must not recompute: the lag is part of the tasks.
            use simulator = settled "ant"
            let lagged = simulator.XPos.ToArray()
            simulator.Forward()
            Expect.notEqual (simulator.XPos.ToArray()) lagged "forward changes xpos"
        }

        test "a damaged or foreign state is refused and changes nothing" {
            use ant = settled "ant"
            use hopper = settled "hopper"
            let before = ant.SaveState()

            let refused (bytes: byte[]) why =
                Expect.throwsT<InvalidDataException> (fun () -> ant.RestoreState(bytes, Stepping.Gymnasium)) why

            refused [||] "empty"
            refused (hopper.SaveState()) "another robot"
            refused before[.. before.Length - 2] "cut off"
            refused (Array.append before [| 0uy |]) "too long"
            let newer = Array.copy before
            newer[4] <- 99uy
            refused newer "another format"
            Expect.equal (ant.SaveState()) before "unchanged"
        }

        test "warnings are let through once an interval, with the number left out" {
            let throttle = WarningThrottle(1000L)
            Expect.equal (throttle.Pass("a", 0L)) "a" "first"
            Expect.isNull (throttle.Pass("b", 10L)) "left out"
            Expect.isNull (throttle.Pass("c", 999L)) "left out"
            Expect.equal (throttle.Pass("d", 1000L)) "d (2 more warnings since the last one)" "next"
            Expect.equal (throttle.Pass("e", 2000L)) "e" "nothing left out"
        }

        testSequencedGroup "warnings of MuJoCo" hook
    ]
