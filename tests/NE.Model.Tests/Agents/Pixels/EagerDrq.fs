/// DrQ and DrQ-v2 as their equations have them (docs/algorithm.md 2.13 and 2.14; Kostrikov et al. 2020, Yarats et al. 2021), slowly and in
/// double precision: what the learners from pictures are compared with.
module NE.Model.Tests.Agents.Pixels.EagerDrq

open System
open NE.Model
open NE.Model.Agents
open NE.Model.Networks
open NE.Model.Networks.Torch
open NE.Model.Replay
open NE.Model.Tests.Agents.Pixels.EagerGroups
open TorchSharp

/// A transition of n steps.
type EagerTransition = {
    /// What was seen before the action: uint8 [channels x height x width], the oldest frame first.
    Seen: byte[]
    Action: float32[]
    /// sum over i < n of gamma^i r_i.
    Return: float
    /// gamma^n, or 0 where the task ended.
    Bootstrap: float
    /// What was seen n steps later.
    Next: byte[]
}

/// The transition that ends with a row of a memory in which the rows of an episode lie one after the other.
let transition (settings: Settings) (actionSize: int) (memory: HeldRows) (row: int64) : EagerTransition =
    let pixels, discount = settings.Pixels, settings.Learner.Discount
    let steps = pixels.ReturnSteps
    let source: ITransitionSource = memory
    let layout = PixelRows(pixels.Shape, actionSize)
    let position = (layout.ReadLink(source.Row row)).Position
    let first = row - int64 position

    /// The frames up to a row's, of which the first one stands for those before it.
    let stack (at: int64) =
        Array.concat [
            for age in pixels.FrameStack - 1 .. -1 .. 0 -> (layout.ReadFrame(source.Row(max first (at - int64 age)))).ToArray()
        ]

    /// The row with the action and the reward of a step, that of the frame which it led to.
    let rowOf step = row - int64 (steps - 1 - step)

    {
        Seen = stack (row - int64 steps)
        Action = (layout.ReadAction(source.Row(rowOf 0))).ToArray()
        Return =
            List.sum [
                for i in 0 .. steps - 1 -> Math.Pow(discount, float i) * float (layout.ReadReward(source.Row(rowOf i)))
            ]
        Bootstrap = Math.Pow(discount, float steps) * float (layout.ReadNotDone(source.Row row))
        Next = stack row
    }

/// The random shift: 4 more pixels on every side, equal to the nearest of the edge, and of these a window of the old size. Bytes become
/// [-0.5, 0.5].
let private shift (shape: PixelShape) (picture: byte[]) (down: int) (right: int) : float[] = [|
    for channel in 0 .. shape.Channels - 1 do
        for y in 0 .. shape.Height - 1 do
            for x in 0 .. shape.Width - 1 do
                let line = Math.Clamp(y + down - 4, 0, shape.Height - 1)
                let column = Math.Clamp(x + right - 4, 0, shape.Width - 1)
                let value = picture[(channel * shape.Height + line) * shape.Width + column]
                float value / 255.0 - 0.5
|]

/// log sigma, from what the actor of drq puts out for it.
let logSigma (form: LogDeviation) (output: torch.Tensor) : torch.Tensor =
    match form with
    // To [-20, 2] (Haarnoja et al. 2018).
    | LogDeviation.Clamped -> output.clamp (held -20.0f, held 2.0f)
    // Into [-10, 2]: -10 + 6 (tanh x + 1) (Kostrikov et al. 2020).
    | LogDeviation.Tanh -> (torch.tanh output * held 6.0f).sub(held 4.0f)

/// What a gradient step came to.
type EagerStep = {
    /// y of every row.
    Targets: float[]
    /// L_Q.
    CriticLoss: float
    /// L_pi.
    ActorLoss: float
}

/// A number beside tensors of double precision.
let private number (value: float) = torch.tensor ([| value |])

/// A learner. `groups`: the actor, the critics, the encoder, the actor's trunk and the critics' trunk that another one begins with.
/// `logSigma`: from what the actor of drq puts out for it.
[<Sealed>]
type EagerDrq(groups: NetworkGroup list, settings: Settings, task: AgentTask, logSigma: torch.Tensor -> torch.Tensor) =
    let learner, pixels = settings.Learner, settings.Pixels
    let isDrq = settings.Run.Learner = LearnerKind.Drq
    // K and M: a row of a batch is a copy of a transition, copy after copy of all of them.
    let copies = pixels.Shifts.Value
    let maxAction = float task.MaxAction

    let group i = EagerGroup(List.item i groups, learner)

    let actor, critics, encoder, actorTrunk, criticTrunk =
        group 0, group 1, group 2, group 3, group 4

    // The entropy is no part of DrQ-v2: its alpha is 0.
    let logAlpha = [|
        if isDrq then
            log settings.Sac.Temperature.Value
        else
            Double.NegativeInfinity
    |]

    let temperatureAdam = EagerAdam(learner, 1)

    /// sigma of DrQ-v2's noise before gradient step t, where every step of the agent after the random ones has one: linear in the steps
    /// that are complete, then constant.
    let deviation (t: int64) =
        let noise = settings.DrqV2
        let complete = float (learner.StartSteps.Value + t - 1L)

        noise.FirstNoise
        + min 1.0 (complete / float noise.NoiseSteps)
          * (noise.LastNoise - noise.FirstNoise)

    let copied (values: 'T[]) =
        Array.concat (List.replicate copies values)

    /// [rows x channels x height x width], every copy with a shift of its own.
    let shifted (pictures: byte[][]) (draws: Draws) : torch.Tensor =
        let shape = pixels.Shape

        let rows =
            copied pictures
            |> Array.map (fun picture ->
                let down = int (draws.NextInt 9L)
                let right = int (draws.NextInt 9L)
                shift shape picture down right)

        torch.tensor(Array.concat rows).reshape(int64 rows.Length, int64 shape.Channels, int64 shape.Height, int64 shape.Width)

    /// h, by pixels, the channels of a pixel side by side: the order of the trunks' weights.
    let encode (networks: EagerBlock) (pictures: torch.Tensor) =
        let images = networks.Forward(0, pictures)
        images.permute(0L, 2L, 3L, 1L).reshape(images.shape[0], -1L)

    /// z.
    let see (trunk: EagerBlock) (features: torch.Tensor) = torch.tanh (trunk.Forward(0, features))

    /// min_i Q_i(z, a).
    let least (networks: EagerBlock) (z: torch.Tensor) (action: torch.Tensor) =
        let x = torch.cat ([| z; action |], 1L)
        torch.minimum (networks.Forward(0, x), networks.Forward(1, x))

    /// An action of each row, and log pi of it, from the actor's outputs and standard normals.
    let act (outputs: torch.Tensor) (normals: float[]) (t: int64) : struct (torch.Tensor * torch.Tensor) =
        let rows, components = outputs.shape[0], int64 task.ActionSize

        let perComponent (values: float[]) =
            torch.tensor(values).reshape(rows, components)

        if isDrq then
            // a = a_max tanh(u),  u = m + sigma eps
            let pairs = outputs.reshape (rows, components, 2L)
            let mean, logDeviation = pairs.select (2L, 0L), logSigma (pairs.select (2L, 1L))
            let epsilon = perComponent normals
            let u = mean.Plus(logDeviation.exp () * epsilon)
            // log N(u; m, sigma) - 2 (log 2 - u - softplus(-2 u)), summed over the components
            let density =
                epsilon * epsilon * number -0.5
                - logDeviation
                - number (0.5 * log (2.0 * Math.PI))

            let correction =
                number (log 2.0) - u - torch.nn.functional.softplus (u * number -2.0)

            let logPi = (density - correction * number 2.0).sum(1L, keepdim = true)
            struct (torch.tanh u * number maxAction, logPi)
        else
            // a = clip(pi + clip(eps, -c, c)); noise and bounds let the gradient through
            let sigma, bound = deviation t * maxAction, settings.DrqV2.NoiseClip * maxAction

            let noise =
                normals |> Array.map (fun normal -> Math.Clamp(sigma * normal, -bound, bound))

            let mean = torch.tanh outputs * number maxAction

            let limit = task.MaxAction
            let action = mean.Plus(perComponent noise).clamp(held -limit, held limit)

            struct (mean.Plus((action - mean).detach()), number 0.0)

    /// y = sum_{i<n} gamma^i r_i + gamma^n mean over the copies of (min_i Q'_i(z'_Q, a') - alpha log pi(a'|z'_pi)), of every row.
    /// z'_Q is what the target trunk makes of what the target encoder of DrQ sees, or the encoder itself of DrQ-v2.
    let targetsOf (transitions: EagerTransition[]) (next: torch.Tensor) (normals: float[]) (t: int64) : float[] =
        use _ = torch.no_grad ()
        let h = encode (encoder.Held()) next
        let outputs = (actor.Held()).Forward(0, see (actorTrunk.Held()) h)
        let struct (action, logPi) = act outputs normals t
        let ofCritics = if isDrq then encode (encoder.HeldTargets()) next else h

        let value =
            least (critics.HeldTargets()) (see (criticTrunk.HeldTargets()) ofCritics) action

        let soft =
            (value - number (exp logAlpha[0]) * logPi).contiguous().data<float>().ToArray()

        transitions
        |> Array.mapi (fun i transition ->
            let mean =
                Seq.init copies (fun copy -> soft[copy * transitions.Length + i]) |> Seq.average

            transition.Return + transition.Bootstrap * mean)
        |> copied

    /// The actor, the critics, the encoder, the actor's trunk and the critics' trunk.
    member _.Groups = [ actor; critics; encoder; actorTrunk; criticTrunk ]

    /// alpha.
    member _.Temperature = exp logAlpha[0]

    /// Gradient step t. Shifts: of every row of s, then of s'. Noise: the normals of a', then of a.
    member _.Update(transitions: EagerTransition[], t: int64, shifts: Draws, noise: Draws) : EagerStep =
        use _ = torch.NewDisposeScope()
        let rows = copies * transitions.Length

        let criticRate, actorRate =
            learner.CriticLearningRate.Value, learner.ActorLearningRate.Value

        let normals () =
            let values = Array.zeroCreate<float32>(rows * task.ActionSize)
            noise.FillNormal(Span values, 1.0f)
            Array.map float values

        let seen = shifted (transitions |> Array.map _.Seen) shifts
        let next = shifted (transitions |> Array.map _.Next) shifts
        let y = targetsOf transitions next (normals ()) t

        // L_Q = sum_i mean (Q_i(z_Q, a) - y)^2, of which the encoder, the critics' trunk and the critics learn.
        let pixels, trunk, networks =
            encoder.Learning(), criticTrunk.Learning(), critics.Learning()

        let h = encode pixels seen

        let taken =
            let values =
                transitions |> Array.map (fun transition -> Array.map float transition.Action)

            torch.tensor(Array.concat (copied values)).reshape(int64 rows, int64 task.ActionSize)

        let x = torch.cat ([| see trunk h; taken |], 1L)
        let target = torch.tensor(y).reshape(int64 rows, 1L)

        let meanSquare i =
            let error = networks.Forward(i, x) - target
            (error * error).mean()

        let criticLoss = (meanSquare 0).Plus(meanSquare 1)
        criticLoss.backward ()
        encoder.Step(pixels, criticRate)
        criticTrunk.Step(trunk, criticRate)
        critics.Step(networks, criticRate)

        // L_pi = mean (alpha log pi(a|z_pi) - min_i Q_i(z_Q, a)), of which the actor and its trunk learn. h is what it was before the
        // encoder's step, and nothing learns through it; the critics and their trunk are those of after theirs.
        let h = h.detach ()
        let trunk, networks = actorTrunk.Learning(), actor.Learning()
        let struct (action, logPi) = act (networks.Forward(0, see trunk h)) (normals ()) t
        let value = least (critics.Held()) (see (criticTrunk.Held()) h) action
        let actorLoss = (number (exp logAlpha[0]) * logPi - value).mean()
        actorLoss.backward ()
        actorTrunk.Step(trunk, actorRate)
        actor.Step(networks, actorRate)

        if isDrq then
            // L_alpha = -log alpha (mean log pi(a|z_pi) + H),  H = -components
            let mean = logPi.mean().item<float>()
            temperatureAdam.Step(logAlpha, [| float task.ActionSize - mean |], settings.Sac.TemperatureLearningRate.Value)

        for followed in
            [
                critics
                criticTrunk
                if isDrq then
                    encoder
            ] do
            followed.Polyak learner.Polyak.Value

        {
            Targets = y
            CriticLoss = criticLoss.item<float>()
            ActorLoss = actorLoss.item<float>()
        }
