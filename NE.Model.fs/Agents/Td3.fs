namespace NE.Model.Agents

open System
open NE.Model
open NE.Model.Networks
open NE.Model.Random
open NE.Model.Replay
open NE.Model.Topology

/// A loss or a parameter became NaN or infinite. The state must not be committed.
type NonFiniteException(tensor: string, step: int64) =
    inherit
        Exception(
            $"{tensor} is not a finite number at gradient step {step}. Training diverged; the last checkpoint is unaffected. Lower the learning rates, or bound the weights (network.weightClip=3)."
        )

    /// What was found, such as "the critics' loss" or "critic 2, layer 1 weights".
    member _.Tensor = tensor
    /// Gradient step at which it was found.
    member _.Step = step

/// What TD3 knows of the task.
type Td3Task = {
    /// Sizes of observations and actions.
    Shape: TransitionShape
    /// Largest magnitude of an action's component.
    MaxAction: float32
}

/// The networks of TD3 (Fujimoto et al. 2018): actor pi and critics Q1, Q2, each with its target.
[<Sealed>]
type Td3Networks(engine: IEngine, network: NetworkSettings, task: Td3Task) =
    let clipping: WeightClipping option =
        if network.WeightClip > 0.0 then
            Some {
                Kappa = float32 network.WeightClip
                Output = network.ClipOutput
            }
        else
            None

    let shape = task.Shape

    let group name stacks (form: NetworkForm) =
        new NetworkGroup(name, engine, BlockLayout.OfForm(stacks, form), clipping)

    let actor =
        group "actor" 1 (NetworkForms.actor network shape.ObservationSize shape.ActionSize)

    let critics =
        group "critic" 2 (NetworkForms.critic network shape.ObservationSize shape.ActionSize)

    /// pi and pi'.
    member _.Actor = actor
    /// Q1, Q2 and Q1', Q2'.
    member _.Critics = critics
    member _.Task = task
    member _.Engine = engine

    interface IDisposable with
        member _.Dispose() =
            (actor :> IDisposable).Dispose()
            (critics :> IDisposable).Dispose()

/// The passes of TD3 over one batch.
[<NoEquality; NoComparison>]
type private Td3Passes = {
    ActorTarget: IPass
    CriticsTarget: IPass
    Critics: IPass
    Actor: IPass
    FirstCritic: IPass
} with

    member this.All = [
        this.ActorTarget
        this.CriticsTarget
        this.Critics
        this.Actor
        this.FirstCritic
    ]

/// Working memory for computations on a batch of a fixed number of rows.
[<Sealed>]
type Td3Workspace(networks: Td3Networks, rows: int) =
    let engine, task = networks.Engine, networks.Task
    let shape = task.Shape
    let batch = engine.CreateMinibatch(rows, shape)
    let actor, critics = networks.Actor, networks.Critics
    let head = ScaledTanh task.MaxAction
    let observationAction = batch.View(0, shape.ObservationSize + shape.ActionSize)

    let nextObservationAction =
        batch.View(shape.NextObservation, shape.ObservationSize + shape.ActionSize)

    let observation = batch.View(0, shape.ObservationSize)
    let nextObservation = batch.View(shape.NextObservation, shape.ObservationSize)
    let both f = [| f 0; f 1 |]

    let create () = {
        ActorTarget = actor.CreatePass(true, 1, nextObservation, head, NoGradient)
        CriticsTarget = critics.CreatePass(true, 2, nextObservationAction, Linear, NoGradient)
        Critics = critics.CreatePass(false, 2, observationAction, Linear, ParameterGradient)
        Actor = actor.CreatePass(false, 1, observation, head, ParameterGradient)
        FirstCritic = critics.CreatePass(false, 1, observationAction, Linear, InputGradient(shape.Action, shape.ActionSize))
    }

    let mutable passes = create ()
    let mutable nextValues = both passes.CriticsTarget.Output
    let mutable values = both passes.Critics.Output
    let mutable valueGradients = both passes.Critics.OutputGradient

    let action = batch.View(shape.Action, shape.ActionSize)
    let reward, notDone = batch.View(shape.Reward, 1), batch.View(shape.NotDone, 1)
    let nextAction = batch.View(shape.StoredWidth, shape.ActionSize)

    let column () = engine.CreateMatrix(rows, 1)
    let noise = engine.CreateMatrix(rows, shape.ActionSize)
    let least, target, loss = column (), column (), engine.CreateSum()

    member _.Batch = batch
    member _.Rows = rows
    /// Row numbers of the batch, to be filled by the caller.
    member val RowNumbers: int64[] = Array.zeroCreate rows
    /// a, of which the actor's update makes pi(s).
    member _.Action = action
    member _.Reward = reward
    member _.NotDone = notDone
    /// Room for a'.
    member _.NextAction = nextAction
    member _.Noise = noise
    member val NoiseHost: float32[] = Array.zeroCreate (rows * shape.ActionSize)
    /// min_i Q'_i(s', a').
    member _.Least = least
    /// y.
    member _.Target = target
    /// L_Q.
    member _.Loss = loss
    /// pi'(s').
    member _.ActorTarget = passes.ActorTarget
    /// Q'_i(s', a').
    member _.CriticsTarget = passes.CriticsTarget
    member _.NextValues = nextValues
    /// Q_i(s, a), with the gradient of the critics' parameters.
    member _.Critics = passes.Critics
    member _.Values = values
    member _.ValueGradients = valueGradients
    /// pi(s), with the gradient of the actor's parameters.
    member _.Actor = passes.Actor
    /// Q_1(s, pi(s)), with the gradient of the action.
    member _.FirstCritic = passes.FirstCritic

    /// Reads the transitions named by RowNumbers.
    member this.Gather(source: ITransitionSource) =
        batch.Gather(source, ReadOnlySpan this.RowNumbers)

    /// Reads transitions drawn uniformly from the window.
    member this.GatherUniform(source: ITransitionSource, window: Window, draws: Stream) =
        AgeOrder.sampleUniform window draws (Span this.RowNumbers)
        this.Gather source

    /// Makes the passes again, after the networks got other bodies.
    member _.Rebuild() =
        for pass in passes.All do
            pass.Dispose()

        passes <- create ()
        nextValues <- both passes.CriticsTarget.Output
        values <- both passes.Critics.Output
        valueGradients <- both passes.Critics.OutputGradient

    interface IDisposable with
        member _.Dispose() =
            for pass in passes.All do
                pass.Dispose()

            for matrix in
                [
                    observation
                    observationAction
                    nextObservation
                    nextObservationAction
                    action
                    reward
                    notDone
                    nextAction
                    noise
                    least
                    target
                ] do
                matrix.Dispose()

            loss.Dispose()

            batch.Dispose()

/// A term of the losses beside TD3's own.
type IGradientTerm =
    inherit IDisposable
    /// Adds the term's gradient to the group's Gradients. Called before every Adam step of the group.
    abstract Add: group: NetworkGroup -> unit

/// Something that may take a network's gradient for itself.
type IGradientClaim =
    /// Whether it did so at gradient step t: the optimiser then leaves the network as it is. The gradient of the training batch is in the
    /// network's block, the activations are in the pass. Called once per network and update of it, the critics first.
    abstract Claims: network: NetworkGroup * pass: IPass * t: int64 -> bool

/// The TD3 update (algorithm.md 2.12), over any engine.
[<Sealed>]
type Td3(networks: Td3Networks, settings: Td3Settings, terms: IGradientTerm list) =
    let engine = networks.Engine
    let actor, critics = networks.Actor, networks.Critics
    let maxAction = networks.Task.MaxAction

    let adam rate = {
        LearningRate = float32 rate
        Beta1 = settings.AdamBeta1
        Beta2 = settings.AdamBeta2
        Epsilon = float32 settings.AdamEpsilon
    }

    let criticAdam, actorAdam =
        adam settings.CriticLearningRate, adam settings.ActorLearningRate

    let optimise (group: NetworkGroup) options =
        for term in terms do
            term.Add group

        engine.Adam(group.Online, options)

    let noiseDeviation = float32 settings.TargetNoise * maxAction
    let noiseClip = float32 settings.TargetNoiseClip * maxAction
    let discount, tau = float32 settings.Discount, float32 settings.Polyak

    /// Action components that the current task does not have stay exactly 0.
    let clearSpare (noise: float32[]) =
        let live, actions = actor.LiveOutputs, networks.Task.Shape.ActionSize

        if live < actions then
            for row in 0 .. noise.Length / actions - 1 do
                Array.fill noise (row * actions + live) (actions - live) 0.0f

    /// On the host, where the noise is drawn, so that a device has one thing less to do.
    let clipNoise (noise: float32[]) =
        for i in 0 .. noise.Length - 1 do
            noise[i] <- MathF.Max(-noiseClip, MathF.Min(noiseClip, noise[i]))

    /// Leaves dL_Q/dw of all critic weights in the critics' Gradients, and L_Q in the workspace's Loss.
    let criticBackward (w: Td3Workspace) (noise: Stream) =
        // a' = clip(pi'(s') + clip(eps, -c, c), -a_max, a_max),  eps ~ N(0, sigma^2)
        noise.FillNormal(Span w.NoiseHost, noiseDeviation)
        clearSpare w.NoiseHost
        clipNoise w.NoiseHost
        w.Noise.Write(ReadOnlySpan w.NoiseHost)
        w.ActorTarget.Forward()
        engine.Copy(w.ActorTarget.Output 0, w.NextAction)
        engine.Add(w.NextAction, 1.0f, w.Noise)
        engine.Clamp(w.NextAction, maxAction)
        // y = r + gamma (1 - terminated) min_i Q'_i(s', a')
        w.CriticsTarget.Forward()
        TemporalDifference.target engine w.NextValues w.Reward w.NotDone discount w.Least w.Target
        // L_Q = sum_i mean (Q_i(s, a) - y)^2
        w.Critics.Forward()
        TemporalDifference.squaredError engine w.Values w.Target w.ValueGradients w.Loss
        w.Critics.Backward()

    /// Leaves dL_pi/dw of all actor weights in the actor's Gradients. Overwrites the batch's actions.
    let actorBackward (w: Td3Workspace) =
        w.Actor.Forward()
        engine.Copy(w.Actor.Output 0, w.Action)
        w.FirstCritic.Forward()
        engine.Fill(w.FirstCritic.OutputGradient 0, -1.0f / float32 w.Rows)
        w.FirstCritic.Backward()
        engine.Copy(w.FirstCritic.InputGradient, w.Actor.OutputGradient 0)
        w.Actor.Backward()

    /// L_pi = -mean Q_1(s, pi(s)) of the last actorBackward.
    let actorLoss (w: Td3Workspace) = -engine.Mean(w.FirstCritic.Output 0)

    /// Leaves dL_Q/dw of all critic weights in the critics' Gradients and returns L_Q.
    member _.CriticGradient(w: Td3Workspace, noise: Stream) : float =
        criticBackward w noise
        w.Loss.Value

    /// Leaves dL_pi/dw of all actor weights in the actor's Gradients and returns L_pi. Overwrites the batch's actions.
    member _.ActorGradient(w: Td3Workspace) : float =
        actorBackward w
        actorLoss w

    /// What is added to TD3's own losses.
    member _.Terms = terms

    /// Whether gradient step t also updates the actor and the targets.
    member _.IsActorDue(t: int64) = t % int64 settings.PolicyDelay = 0L

    /// One gradient step t on the gathered batch. Returns L_Q; raises NonFiniteException, after which the networks are spoilt. The losses
    /// are read last, so that a device never stands still in between.
    member this.Update(w: Td3Workspace, t: int64, noise: Stream, claim: IGradientClaim | null) : float =
        let isClaimed group pass =
            match claim with
            | null -> false
            | claim -> claim.Claims(group, pass, t)

        criticBackward w noise

        if not (isClaimed critics w.Critics) then
            optimise critics criticAdam

        if this.IsActorDue t then
            actorBackward w

            if not (isClaimed actor w.Actor) then
                optimise actor actorAdam

            // theta' = tau theta + (1 - tau) theta'
            critics.Polyak tau
            actor.Polyak tau

        let loss = w.Loss.Value

        if not (Double.IsFinite loss) then
            raise (NonFiniteException("The critics' loss", t))

        if this.IsActorDue t && not (Double.IsFinite(actorLoss w)) then
            raise (NonFiniteException("The actor's loss", t))

        loss
