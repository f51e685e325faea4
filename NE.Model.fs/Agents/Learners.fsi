/// The learners that settings ask for, which must be resolved. Raises LibTorchException when the engine cannot be had, or ArgumentException for what
/// cannot be built.
[<RequireQualifiedAccess>]
module NE.Model.Agents.Learners

open NE.Model
open NE.Model.Networks

/// A fresh learner of one task on a given engine, which belongs to it from now on, and is disposed of where none can be made.
val createOn: engine: IEngine -> settings: Settings -> task: AgentTask -> ILearner

/// A fresh learner of one task.
val create: settings: Settings -> task: AgentTask -> ILearner

/// A fresh learner of a cycle, to act on one of its tasks. Its heads are those of the first task: restore a state, and switch.
val createInCycle: settings: Settings -> tasks: AgentTasks -> task: int -> ILearner

/// Raises what making a learner of one task would raise, in a small part of the time and memory: the learner that is made is a narrow one, dense,
/// of small batches and pictures; what hangs on the networks' sizes is asked of their forms alone.
val tryOut: settings: Settings -> task: AgentTask -> unit
