namespace NE.Benchmarks

open System
open System.Threading
open NE.Actors.Environments

/// Observations and actions as wide as HalfCheetah's, and no physics: what remains is the way of a round.
[<AbstractClass>]
type StillEnvironment(name: string) =
    let mutable step = 0

    /// What a control step takes.
    abstract Work: unit -> unit

    interface IEnvironment with
        member val Spec = EnvironmentSpec(name, 17, 6, Array.create 6 -1.0f, Array.create 6 1.0f, 1000)

        member _.Reset(_, observation) =
            step <- 0
            observation.Clear()

        member this.Step(_, observation) =
            this.Work()
            step <- step + 1
            observation.Fill(float32 step)
            StepResult(1.0, false, step >= 1000)

        member _.SaveState() = BitConverter.GetBytes step

        member _.RestoreState(state, observation) =
            step <- BitConverter.ToInt32 state
            observation.Fill(float32 step)

        member _.Dispose() = ()

/// A simulator that takes no time.
[<Sealed>]
type IdleEnvironment() =
    inherit StillEnvironment("idle")
    override _.Work() = ()

/// A simulator that takes 5 ms and none of this machine's cores, as one on another machine, or a real robot.
[<Sealed>]
type SleepingEnvironment() =
    inherit StillEnvironment("sleeping")
    override _.Work() = Thread.Sleep 5
