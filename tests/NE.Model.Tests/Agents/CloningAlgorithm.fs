namespace NE.Model.Tests.Agents

open System
open NE.Model
open NE.Model.Agents
open NE.Model.Networks
open NE.Model.Replay
open NE.Model.Topology

/// A batch of CloningAlgorithm, with its passes.
[<Sealed>]
type private CloningBatch(engine: IEngine, actor: NetworkGroup, critic: NetworkGroup, shape: TransitionShape, maxAction: float32, rows: int)
    =
    inherit Batch(rows)
    let memory = engine.CreateMinibatch(rows, shape)
    let observation = memory.View(0, shape.ObservationSize)

    let observationAction = memory.View(0, shape.ObservationSize + shape.ActionSize)

    let action, reward =
        memory.View(shape.Action, shape.ActionSize), memory.View(shape.Reward, 1)

    let create () =
        struct (actor.CreatePass(false, 1, observation, ScaledTanh maxAction, ParameterGradient),
                critic.CreatePass(false, 1, observationAction, Linear, ParameterGradient))

    let mutable passes = create ()

    let dispose () =
        let struct (actor, critic) = passes
        actor.Dispose()
        critic.Dispose()

    override this.Gather source =
        memory.Gather(source, ReadOnlySpan this.RowNumbers)

    member _.Observation = observation
    member _.ObservationAction = observationAction
    member _.Action = action
    member _.Reward = reward

    member _.Actor =
        let struct (actor, _) = passes
        actor

    member _.Critic =
        let struct (_, critic) = passes
        critic

    member _.Rebuild() =
        dispose ()
        passes <- create ()

    interface IDisposable with
        member _.Dispose() =
            dispose ()

            for matrix in [ observation; observationAction; action; reward ] do
                matrix.Dispose()

            memory.Dispose()

/// An algorithm that is not TD3, for tests of what holds for any: by least squares the actor learns to repeat the stored actions, at every third
/// gradient step, and one critic to foretell the stored rewards.
[<Sealed>]
type CloningAlgorithm(engine: IEngine, settings: Settings, shape: TransitionShape, maxAction: float32) =
    let group name form =
        new NetworkGroup(name, engine, BlockLayout.OfForm(1, form), None)

    let actor =
        group "actor" (NetworkForms.actor settings.Network shape.ObservationSize shape.ActionSize)

    let critic =
        group "critic" (NetworkForms.critic settings.Network shape.ObservationSize shape.ActionSize)

    do
        let draws = Draws.Of(settings.Run.Seed, Purpose.Initialisation)
        actor.Initialise draws
        critic.Initialise draws

    let batchOf rows =
        new CloningBatch(engine, actor, critic, shape, maxAction, rows)

    let whole, half, probe =
        batchOf settings.Learner.BatchSize, batchOf (settings.Learner.BatchSize / 2), batchOf Trainee.ProbeRows

    let mutable work = whole

    /// mean |output - wanted|^2, whose gradient is left in the group's Gradients.
    let backward (pass: IPass) (wanted: IMatrix) : float =
        pass.Forward()

        let read (matrix: IMatrix) =
            let values = Array.zeroCreate<float32>(matrix.Rows * matrix.Columns)
            matrix.Read(Span values)
            values

        let misses = Array.map2 (-) (read (pass.Output 0)) (read wanted)
        let rate = 2.0f / float32 wanted.Rows
        (pass.OutputGradient 0).Write(ReadOnlySpan(misses |> Array.map (fun miss -> rate * miss)))
        pass.Backward()

        (misses |> Array.sumBy (fun miss -> float miss * float miss))
        / float wanted.Rows

    let group role networks isDue (passOf: CloningBatch -> IPass) input (wanted: CloningBatch -> IMatrix) = {
        Role = role
        Networks = networks
        Adam = {
            LearningRate = 1e-3f
            Beta1 = 0.9
            Beta2 = 0.999
            Epsilon = 1e-8f
        }
        IsDue = isDue
        Training = fun () -> passOf work
        Probe = fun () -> passOf probe
        Input = input
        Gradient = fun _ -> backward (passOf probe) (wanted probe)
    }

    let actorGroup =
        group Role.Actor actor (fun t -> t % 3L = 0L) _.Actor probe.Observation _.Action

    let criticGroup =
        group Role.Critic critic (fun _ -> true) _.Critic probe.ObservationAction _.Reward

    let trainee = {
        Engine = engine
        Groups = [ actorGroup; criticGroup ]
        UpdateOrder = [ criticGroup; actorGroup ]
        Probe = probe
        BatchSize = settings.Learner.BatchSize
        RowFloats = shape.StoredWidth
        Forgetting = Forgetting.All
        Encoders = []
        Clock = EnvironmentClock settings
        Rebuild = fun () -> [ whole; half; probe ] |> List.iter _.Rebuild()
        Restart = ignore
        Report = fun () -> { First = [||]; Later = [||] }
    }

    interface IAlgorithm with
        member _.Trainee = trainee

        member _.Batch isHalved =
            work <- if isHalved then half else whole
            work

        member _.Update(t, optimiser) =
            let loss = backward work.Critic work.Reward
            NonFiniteException.Require("The critic's loss", loss, t)
            optimiser.Step(criticGroup, t)

            if actorGroup.IsDue t then
                backward work.Actor work.Action |> ignore
                optimiser.Step(actorGroup, t)

            critic.Polyak 0.01f
            actor.Polyak 0.01f

        member _.Policy version =
            Policy.OfBlock(actor.Layout, ReadOnlySpan(actor.ReadOnline Field.Weights), maxAction, version)

        member _.Bodies = []
        member _.State = { Random = []; Counters = [] }

        member _.Dispose() =
            for batch in [ whole; half; probe ] do
                (batch :> IDisposable).Dispose()

            (actor :> IDisposable).Dispose()
            (critic :> IDisposable).Dispose()
            engine.Dispose()
