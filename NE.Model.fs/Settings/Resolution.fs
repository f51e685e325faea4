namespace NE.Model

open System
open NE.Model.KeyKinds

/// A derived value with the rule that gave it, to be printed.
type Derivation = {
    Key: string
    Value: string
    Rule: string
}

/// Values that follow from others: from the length of the run (spec 1.6), the method, the cycle, the machine.
[<RequireQualifiedAccess>]
module internal Resolution =

    /// Steps of a full-length run of the paper, to whose ratios shorter runs are scaled (spec 1.6).
    let paperSteps = 3_000_000L

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

    /// Computes every `Auto` from the length of the run (spec 1.6) and, for the engine, from the machine: `hasCuda` is asked only when
    /// that decides. Given values stay. Resolving twice changes nothing.
    let resolveOn (hasCuda: Func<bool>) (settings: Settings) : Settings * Derivation list =
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
                | "auto" -> hasCuda.Invoke()
                | _ -> true

            let show =
                function
                | EngineKind.Torch -> "torch"
                | EngineKind.Simd -> "simd"

            derive "compute.engine" "torch on CUDA, else simd" show settings.Compute.Engine (fun () ->
                if onCuda () then EngineKind.Torch else EngineKind.Simd)

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

        let short = total < paperSteps

        let buffer =
            whole
                "td3.bufferSize"
                (if short then
                     "min(1,000,000, steps/3), at least 10 batches"
                 else
                     "1,000,000")
                settings.Td3.BufferSize
                (fun () ->
                    if short then
                        max (10L * int64 settings.Td3.BatchSize) (min 1_000_000L (total / 3L))
                    else
                        1_000_000L)

        let start =
            whole "td3.startSteps" "min(25,000, steps/40)" settings.Td3.StartSteps (fun () -> min 25_000L (total / 40L))

        let endStep =
            whole "ne.endStep" "gradient steps of the run" settings.Ne.EndStep (fun () ->
                max 1L (gradientSteps settings.Td3 total start.Value phases warmUp.Value))

        let interval =
            whole "ne.growInterval" "steps/300" settings.Ne.GrowInterval (fun () -> max 1L (total / 300L))

        let window =
            whole "ne.reviewWindow" "growInterval, at least 40" settings.Ne.ReviewWindow (fun () -> max 40L interval.Value)

        let firstReview =
            whole "ne.reviewFirstStep" "0.1 of endStep" settings.Ne.ReviewFirstStep (fun () -> endStep.Value / 10L)

        let periodRule = "200,000, in shorter runs steps/3 but at least 100,000"

        let period () =
            min 200_000L (max 100_000L (total / 3L))

        let reset =
            if phases > 0L then
                whole "reset.every" "0: in a cycle at its switches alone" settings.Reset.Every (fun () -> 0L)
            else
                whole "reset.every" periodRule settings.Reset.Every period

        let shrink =
            whole "shrinkAndPerturb.every" periodRule settings.ShrinkAndPerturb.Every period

        let redo =
            whole "redo.every" "steps/15" settings.ReDo.Every (fun () -> max 1L (total / 15L))

        let injection =
            whole "injection.step" "steps/3" settings.Injection.Step (fun () -> max 1L (total / 3L))

        let evaluation =
            whole "evaluation.every" "5,000, or steps/60 below 300k steps" settings.Evaluation.Every (fun () ->
                if total < 300_000L then max 1L (total / 60L) else 5_000L)

        {
            settings with
                Run.Steps = total
                Cycle.Steps = phaseLength
                Cycle.WarmUp = warmUp
                Ne.StartDensity = density
                Compute.Engine = engine
                Network.LayerNorm = layerNorm
                Network.Activation = activation
                Td3.BufferSize = buffer
                Td3.StartSteps = start
                Ne.EndStep = endStep
                Ne.GrowInterval = interval
                Ne.ReviewWindow = window
                Ne.ReviewFirstStep = firstReview
                Reset.Every = reset
                ReDo.Every = redo
                Injection.Step = injection
                ShrinkAndPerturb.Every = shrink
                Evaluation.Every = evaluation
        },
        List.ofSeq derivations
