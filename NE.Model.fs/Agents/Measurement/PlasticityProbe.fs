namespace NE.Model.Agents

open System
open NE.Model
open NE.Model.Networks
open NE.Model.Replay

/// How plastic a network is, measured directly.
type ProbeResult = {
    /// "actor" or "critic".
    Network: string
    /// Share of a fresh target that copies of the network learn: 1 - the remaining mean squared error over that at the start; the mean of the
    /// repeats.
    Learned: float
    /// The same of freshly drawn networks of the same form and topology.
    LearnedFresh: float
    /// Learned / LearnedFresh: 1 where the network learns as fast as a fresh one, 0 where it does not learn at all. NaN when none was taken.
    Ratio: float
    /// Deviation that the ratio of one more fresh network would have: what 1 is certain to.
    Error: float
} with

    /// Name and value of its columns in metrics.csv.
    member this.Metrics: struct (string * float)[] = [|
        struct ($"{this.Network}_probe", this.Ratio)
        struct ($"{this.Network}_probe_error", this.Error)
        struct ($"{this.Network}_probe_learned", this.Learned)
        struct ($"{this.Network}_probe_learned_fresh", this.LearnedFresh)
    |]

/// The plasticity probe: how fast copies of the networks fit a target that they have never seen (after Lyle et al. 2023, "Understanding plasticity
/// in neural networks", whose probes are random functions of the inputs), beside fresh networks that fit theirs. The target of a
/// network is its present output + a * sigma * g(x): sigma the deviation of its output over the rows, g a fixed random function of high
/// frequency with mean 0 and deviation 1. An actor is probed before its tanh. Adam has the learning rates of the run and begins anew.
///
/// Everything happens in networks of its own, and all draws are keyed by the gradient step: a probe changes nothing.
[<Sealed>]
type PlasticityProbe(trainee: Trainee, seed: int64) =

    let engine = trainee.Engine

    let outputsOf (pass: IPass) =
        Array.init pass.Stacks (fun stack ->
            let output = pass.Output stack
            let values = Array.zeroCreate<float32>(output.Rows * output.Columns)
            output.Read(Span values)
            values)

    let createPass (student: NetworkGroup) (input: IMatrix) =
        student.CreatePass(false, student.Layout.Stacks, input, Linear, ParameterGradient)

    let currentOutputs (student: NetworkGroup) input =
        use pass = createPass student input
        pass.Forward()
        outputsOf pass

    /// Trains the student on output + amplitude * g, per stack and live output, and returns the share that it learned.
    let learn (student: NetworkGroup) (input: IMatrix) (g: float[][]) (amplitudes: float[][]) (options: AdamOptions) =
        use pass = createPass student input
        pass.Forward()
        let columns, live = student.Layout.Outputs, student.LiveOutputs

        let targets =
            outputsOf pass
            |> Array.mapi (fun stack values ->
                values
                |> Array.mapi (fun i value ->
                    float value
                    + PlasticityProbe.Amplitude * (amplitudes[stack])[i % columns] * (g[stack])[i]))

        let unit stack i =
            PlasticityProbe.Amplitude * (amplitudes[stack])[i % columns]

        let gradient = Array.zeroCreate<float32>(input.Rows * columns)

        /// The mean squared error relative to that at the start; leaves its gradient in the pass.
        let error () =
            let mutable sum = 0.0

            outputsOf pass
            |> Array.iteri (fun stack values ->
                for i in 0 .. values.Length - 1 do
                    if i % columns < live then
                        let miss = (float values[i] - (targets[stack])[i]) / unit stack i
                        sum <- sum + miss * miss
                        gradient[i] <- float32 (2.0 * miss / (unit stack i * float input.Rows))
                    else
                        gradient[i] <- 0.0f

                (pass.OutputGradient stack).Write(ReadOnlySpan gradient))

            sum / float (pass.Stacks * live * input.Rows)

        for _ in 1 .. PlasticityProbe.Steps do
            error () |> ignore
            pass.Backward()
            engine.Adam(student.Online, options)
            pass.Forward()

        1.0 - error ()

    /// What a copy of the group and a fresh one learn of one random function.
    let once (index: int) (group: NetworkGroup) (input: IMatrix) options (repeat: int) =
        let values = Array.zeroCreate<float32>(input.Rows * input.Columns)
        input.Read(Span values)
        let name = int64 index
        // The functions and the fresh networks are the same at every step, so that a curve over the run compares like with like.
        let functions = Draws.At(seed, Purpose.Probe, (1L + name), (int64 repeat), 0L)

        let g =
            Array.init group.Layout.Stacks (fun _ ->
                RandomFunction.draw PlasticityProbe.Frequency functions values input.Columns group.Layout.Outputs)

        use stored = group.Duplicate()

        use fresh =
            group.Fresh(Draws.At(seed, Purpose.Probe, (3L + name), (int64 repeat), 0L))

        let deviation student =
            currentOutputs student input
            |> Array.map (RandomFunction.deviations group.Layout.Outputs)

        let own, others = deviation stored, deviation fresh

        let floor = others |> Array.map (Array.map (max 1e-6))

        // A network whose output hardly varies any more is asked for what a fresh one is. A plain maximum would ask more of the network than of
        // the fresh one, on average.
        let amplitudes =
            Array.map2 (Array.map2 (fun (own: float) fresh -> if own < 0.1 * fresh then fresh else own)) own floor

        struct (learn stored input g amplitudes options, learn fresh input g floor options)

    let ofGroup (source: ITransitionSource) (window: Window) (step: int64) (index: int) (group: TraineeGroup) =
        let shares =
            Array.init PlasticityProbe.Repeats (fun repeat ->
                trainee.Probe.GatherUniform(source, window, Draws.At(seed, Purpose.Probe, 0L, (int64 repeat), step))
                once index group.Networks group.Input group.Adam repeat)

        let learned = shares |> Array.averageBy (fun struct (stored, _) -> stored)
        let fresh = shares |> Array.averageBy (fun struct (_, fresh) -> fresh)
        let ratio = learned / fresh
        let count = float shares.Length

        let residuals =
            shares
            |> Array.sumBy (fun struct (stored, fresh) -> (stored - ratio * fresh) ** 2.0)

        {
            Network = group.Networks.Name
            Learned = learned
            LearnedFresh = fresh
            Ratio = ratio
            // The network is one draw, the fresh ones are `count`: s sqrt(1 + 1/n).
            Error = sqrt (residuals / (count - 1.0) * (1.0 + 1.0 / count)) / abs fresh
        }

    /// Rows of replay memory that a network is fitted on.
    static member Rows = Trainee.ProbeRows
    /// Adam steps.
    static member Steps = 100
    /// Random functions, each with rows and fresh networks of its own.
    static member Repeats = 4
    /// a: deviation of the change that is asked for, in deviations of the output.
    static member Amplitude = 1.0
    /// Deviation of the angle of g, in radians.
    static member Frequency = 3.0

    /// The result of every group, on rows of the window. `step`: gradient steps taken.
    member _.Take(source: ITransitionSource, window: Window, step: int64) : ProbeResult[] =
        trainee.Groups |> List.mapi (ofGroup source window step) |> Array.ofList

    /// In place of results where no probe was taken.
    member _.NotTaken: ProbeResult[] = [|
        for group in trainee.Groups do
            {
                Network = group.Networks.Name
                Learned = nan
                LearnedFresh = nan
                Ratio = nan
                Error = nan
            }
    |]
