namespace NE.Model

open System
open NE.Model.KeyKinds
open NE.Model.Replay

/// A derived value with the rule that gave it, to be printed.
type Derivation = {
    Key: string
    Value: string
    Rule: string
}

/// What a configuration asks of the machine that it is resolved on.
type Machine = {
    /// Whether there is a CUDA device; asked only when that decides.
    HasCuda: Func<bool>
    /// Cores that the learner may use.
    Cores: int
} with

    /// One core, no CUDA.
    static member Plain = {
        HasCuda = Func<bool>(fun () -> false)
        Cores = 1
    }

/// Values that follow from others: from the length of the run, the method, the cycle, the machine.
[<RequireQualifiedAccess>]
module internal Resolution =

    /// Steps of a full-length run of the paper.
    let paperSteps = 3_000_000L

    /// Threads that the simd engine was measured to gain from (docs/performance.md).
    let private mostThreads = 2

    /// Gradient steps between two looks of ReDo (its author's setting).
    let private redoPeriod = 1_000L

    /// Random steps of runs that have this many steps, and of shorter ones.
    let private startSteps (length: int64) =
        if length >= 250_000L then
            25_000L
        else
            min 10_000L (length / 5L)

    /// Environment steps of a cycle's phase when neither run.steps nor a length of the phase is given.
    let private phaseSteps = 100_000L

    /// Steps of an episode that an upper bound of a run counted in episodes assumes: the time limit of Gymnasium's tasks.
    let private longestEpisode = 1_000L

    /// The last step of a run at which something is done to whole networks every so many steps: what is set anew within half a period of the
    /// end has no time to learn again.
    let lastInTime (steps: int64) (every: int64) = steps - every / 2L

    /// Phases of a cycle; 0 for another environment.
    let phases (settings: Settings) =
        int64 (TaskCycle.tasks settings.Run.Environment).Length
        * int64 settings.Cycle.Cycles

    /// Gradient steps of a run of so many environment steps, those of the priming included. None is owed for the steps at its start, nor for
    /// the warm-ups of the later phases of a cycle.
    let gradientSteps (td3: Td3Settings) (steps: int64) (start: int64) (phases: int64) (warmUp: int64) =
        let warmUps = (max 1L phases - 1L) * warmUp

        ReplayRatio.updatesOf td3.UpdatesPerStep (steps - warmUps - start)
        + td3.PrimingUpdates

    /// The same of resolved settings.
    let gradientStepsOf (settings: Settings) =
        gradientSteps settings.Td3 settings.Run.Steps settings.Td3.StartSteps.Value (phases settings) settings.Cycle.WarmUp.Value

    /// Whether the default stands: then the length follows from that of the phases.
    let private isLengthGiven (settings: Settings) =
        settings.Run.Steps <> SettingsDefaults.defaults.Run.Steps

    /// Computes every `Auto` from the length of the run and, for the engine and its threads, from the machine. Given values stay.
    /// Resolving twice changes nothing.
    let resolveOn (machine: Machine) (settings: Settings) : Settings * Derivation list =
        let derivations = ResizeArray<Derivation>()

        let derive name rule (show: 'T -> string) (value: Derived<'T>) (compute: unit -> 'T) =
            match value with
            | Is given -> Is given
            | Auto ->
                let computed = compute ()

                derivations.Add {
                    Key = name
                    Value = show computed
                    Rule = rule
                }

                Is computed

        let engine =
            let onCuda () =
                match settings.Compute.Device with
                | "cpu" -> false
                | "auto" -> machine.HasCuda.Invoke()
                | _ -> true

            let show =
                function
                | EngineKind.Torch -> "torch"
                | EngineKind.Simd -> "simd"

            derive "compute.engine" "torch on CUDA, else simd" show settings.Compute.Engine (fun () ->
                if onCuda () then EngineKind.Torch else EngineKind.Simd)

        let threads =
            derive "compute.threads" "simd: the cores, at most 2; torch: 1" string settings.Compute.Threads (fun () ->
                match engine.Value with
                | EngineKind.Simd -> machine.Cores |> min mostThreads |> max 1
                | EngineKind.Torch -> 1)

        /// What a technique makes of a key that was not given.
        let implied technique name isDefault shown value given =
            if settings.Run.Method.Has technique && isDefault then
                derivations.Add {
                    Key = name
                    Value = shown
                    Rule = $"run.method has {Method.nameOf technique}"
                }

                value
            else
                given

        let layerNorm =
            let given = settings.Network.LayerNorm
            implied Technique.LayerNorm "network.layerNorm" (given = LayerNorm.Off) "all" LayerNorm.All given

        let activation =
            let given = settings.Network.Activation
            implied Technique.CRelu "network.activation" (given = Activation.Relu) "crelu" Activation.Crelu given

        let whole name rule value compute =
            derive name rule showInteger value compute

        let phases = phases settings

        let phaseLength =
            match settings.Cycle.Steps with
            | Is given when given > 0L || phases = 0L || settings.Cycle.Episodes > 0L -> Is given
            | _ when phases = 0L -> whole "cycle.steps" "no cycle" Auto (fun () -> 0L)
            | _ when settings.Cycle.Episodes > 0L -> whole "cycle.steps" "phases are counted in episodes" Auto (fun () -> 0L)
            | _ when isLengthGiven settings -> whole "cycle.steps" "run.steps / phases" Auto (fun () -> settings.Run.Steps / phases)
            | _ -> whole "cycle.steps" "100,000 where run.steps is not given" Auto (fun () -> phaseSteps)

        let total =
            if phases = 0L || isLengthGiven settings then
                settings.Run.Steps
            elif settings.Cycle.Episodes > 0L then
                (whole "run.steps" "at most: phases x cycle.episodes x 1,000" Auto (fun () ->
                    phases * settings.Cycle.Episodes * longestEpisode))
                    .Value
            else
                (whole "run.steps" "phases x cycle.steps" Auto (fun () -> phases * phaseLength.Value)).Value

        let warmUp =
            whole "cycle.warmUp" "5,000, at most cycle.steps/20" settings.Cycle.WarmUp (fun () ->
                if phaseLength.Value > 0L then
                    min 5_000L (phaseLength.Value / 20L)
                else
                    5_000L)

        let density =
            derive "ne.startDensity" "0.25, in a cycle 0.15" showReal settings.Ne.StartDensity (fun () ->
                if phases > 0L then 0.15 else 0.25)

        let buffer =
            whole "td3.bufferSize" "1,000,000" settings.Td3.BufferSize (fun () -> 1_000_000L)

        let start =
            // Of a cycle it is the first phase that begins with them.
            let length = if phaseLength.Value > 0L then phaseLength.Value else total

            let rule =
                if length >= 250_000L then
                    "25,000"
                else
                    "10,000 below 250,000 steps, at most a fifth"

            whole "td3.startSteps" rule settings.Td3.StartSteps (fun () -> startSteps length)

        let updates = gradientSteps settings.Td3 total start.Value phases warmUp.Value

        let endStep =
            whole "ne.endStep" "gradient steps of the run" settings.Ne.EndStep (fun () -> max 1L updates)

        let interval =
            whole "ne.growInterval" "steps/300" settings.Ne.GrowInterval (fun () -> max 1L (total / 300L))

        let window =
            whole "ne.reviewWindow" "0.05 of endStep, at least 40" settings.Ne.ReviewWindow (fun () -> max 40L (endStep.Value / 20L))

        let firstReview =
            whole "ne.reviewFirstStep" "0.1 of endStep" settings.Ne.ReviewFirstStep (fun () -> endStep.Value / 10L)

        let periodRule = "200,000, at most steps/5"
        let period () = max 1L (min 200_000L (total / 5L))

        let reset =
            if phases > 0L then
                whole "reset.every" "0: in a cycle at its switches alone" settings.Reset.Every (fun () -> 0L)
            else
                whole "reset.every" periodRule settings.Reset.Every period

        let shrink =
            whole "shrinkAndPerturb.every" periodRule settings.ShrinkAndPerturb.Every period

        let redo =
            whole "redo.every" "1,000, at most a fifth of the gradient steps" settings.ReDo.Every (fun () ->
                max 1L (min redoPeriod (updates / 5L)))

        let injection =
            whole "injection.step" "steps/3" settings.Injection.Step (fun () -> max 1L (total / 3L))

        let horizon =
            whole "swd.horizon" "steps, at most td3.bufferSize" settings.SampleWeightDecay.Horizon (fun () -> min total buffer.Value)

        let evaluation =
            let rule = "1,000 x evaluation.episodes"

            whole "evaluation.every" rule settings.Evaluation.Every (fun () ->
                min total (int64 settings.Evaluation.Episodes * longestEpisode))

        /// With sample weight decay the age of a transition counts in one way alone.
        let review =
            if settings.Run.Method.Has Technique.Ne then
                let given = settings.Ne.Review
                implied Technique.SampleWeightDecay "ne.review" (given = ReviewMode.Slope) "off" ReviewMode.Off given
            else
                settings.Ne.Review

        {
            settings with
                Run.Steps = total
                Cycle.Steps = phaseLength
                Cycle.WarmUp = warmUp
                Ne.StartDensity = density
                Compute.Engine = engine
                Compute.Threads = threads
                Network.LayerNorm = layerNorm
                Network.Activation = activation
                Td3.BufferSize = buffer
                Td3.StartSteps = start
                Ne.EndStep = endStep
                Ne.GrowInterval = interval
                Ne.Review = review
                Ne.ReviewWindow = window
                Ne.ReviewFirstStep = firstReview
                Reset.Every = reset
                ReDo.Every = redo
                Injection.Step = injection
                ShrinkAndPerturb.Every = shrink
                SampleWeightDecay.Horizon = horizon
                Evaluation.Every = evaluation
        },
        List.ofSeq derivations
