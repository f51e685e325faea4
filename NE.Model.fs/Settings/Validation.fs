namespace NE.Model

open System
open NE.Model.KeyKinds
open NE.Model.Topology
open NE.Model.Replay

/// Problems between values that are fine one by one.
[<RequireQualifiedAccess>]
module internal Validation =

    let private problem key found text : SettingsError = {
        Key = key
        Found = found
        Problem = text
    }

    /// Techniques whose time never comes, so that the run would be another method's. Expects a run whose length is counted in steps.
    let private validatePeriods (settings: Settings) : SettingsError list =
        let steps, start = settings.Run.Steps, settings.Td3.StartSteps.Value
        let phases = Resolution.phases settings
        let updates = Resolution.gradientStepsOf settings

        // Environment steps that are complete before the last gradient step.
        let complete =
            start
            + ReplayRatio.completeBefore settings.Td3.UpdatesPerStep (updates - settings.Td3.PrimingUpdates)

        let periodic technique key (every: int64) nothing = [
            if settings.Run.Method.Has technique then
                if every = 0L then
                    problem key "0" $"only a cycle of tasks has switches: nothing would be {nothing}; give a period"
                else
                    let first = (start / every + 1L) * every
                    let last = min complete (Resolution.lastInTime steps every)

                    if first > last then
                        problem
                            key
                            (showInteger every)
                            $"it would first act at step {first}, but nothing is done after step {max 0L last}: nothing would be {nothing}; give a shorter period"
        ]

        [
            // The switches of a cycle reset as well.
            if phases = 0L then
                yield! periodic Technique.Reset "reset.every" settings.Reset.Every.Value "reset"

            yield! periodic Technique.ShrinkAndPerturb "shrinkAndPerturb.every" settings.ShrinkAndPerturb.Every.Value "shrunk and perturbed"

            if settings.Run.Method.Has Technique.ReDo && settings.ReDo.Every.Value > updates then
                problem
                    "redo.every"
                    (showInteger settings.ReDo.Every.Value)
                    $"above the {updates} gradient steps of the run: nothing would be drawn anew; give a shorter period"
        ]

    /// Problems of a cycle's phases. Expects a resolved configuration.
    let private validateCycle (settings: Settings) : SettingsError list =
        let cycle, phases = settings.Cycle, Resolution.phases settings
        let length, warmUp = cycle.Steps.Value, cycle.WarmUp.Value
        let start = settings.Td3.StartSteps.Value
        // 100,000, as people read it.
        let shown (count: int64) = count.ToString("N0", invariant)

        [
            if phases = 0L then
                let given = [
                    "cycle.cycles", string cycle.Cycles, cycle.Cycles <> SettingsDefaults.defaults.Cycle.Cycles
                    "cycle.steps", showInteger length, length > 0L
                    "cycle.episodes", showInteger cycle.Episodes, cycle.Episodes > 0L
                ]

                for name, value, isGiven in given do
                    if isGiven then
                        problem name value "run.environment is not a cycle of tasks; give it as cycle:TASK,TASK,..."
            else
                if cycle.Episodes > 0L && length > 0L then
                    problem
                        "cycle.episodes"
                        (showInteger cycle.Episodes)
                        $"a phase has a length in steps already (cycle.steps = {length}); give one of the two"

                if cycle.Episodes = 0L && settings.Run.Steps <> phases * length then
                    let tasks = phases / int64 cycle.Cycles

                    problem
                        "run.steps"
                        (showInteger settings.Run.Steps)
                        $"a cycle of {tasks} tasks x {cycle.Cycles} cycles x {shown length} steps takes {phases * length}; give that, or another cycle.steps"

                if length > 0L && start >= length then
                    problem
                        "td3.startSteps"
                        (showInteger start)
                        $"not below cycle.steps = {length}: nothing would be learned in the first phase"

                if length > 0L && warmUp >= length then
                    problem
                        "cycle.warmUp"
                        (showInteger warmUp)
                        $"not below cycle.steps = {length}: nothing would be learned after the first phase"

                if
                    length > 0L
                    && int64 settings.Schedule.Environments * int64 settings.Schedule.RoundSteps > length
                then
                    problem
                        "schedule.roundSteps"
                        (string settings.Schedule.RoundSteps)
                        $"one round of all environments is longer than a phase (cycle.steps = {length})"

                if settings.Run.Method.Has Technique.PlasticityInjection then
                    problem
                        "run.method"
                        (Method.show settings.Run.Method)
                        "plasticity-injection does not go with a cycle: its frozen bodies would keep the head of one task in the outputs of all"

                if settings.Run.Method.Has Technique.Ne && settings.Ne.DenseEnds = DenseEnds.Forced then
                    problem
                        "ne.denseEnds"
                        "forced"
                        "in a cycle the first layer belongs to the body that grows, and the heads are dense anyway; leave it at auto"
        ]

    /// A replay ratio so small that a phase, of a known length, owes no gradient step.
    let private validateRatio (settings: Settings) : SettingsError list =
        let ratio, start = settings.Td3.UpdatesPerStep, settings.Td3.StartSteps.Value

        let learned =
            match settings.Cycle.Steps.Value with
            | 0L -> settings.Run.Steps - start
            | length -> length - max start settings.Cycle.WarmUp.Value

        [
            // Otherwise what is wrong is said elsewhere.
            if learned > 0L && ReplayRatio.updatesOf ratio learned = 0L then
                problem
                    "td3.updatesPerStep"
                    (showDecimal ratio)
                    $"the {learned} steps that are learned from would owe no gradient step: nothing would be learned; give more"
        ]

    /// Problems between values that are fine one by one. Expects a resolved configuration.
    let validate (settings: Settings) : SettingsError list =
        validateCycle settings
        @ validateRatio settings
        @ [
            let round =
                int64 settings.Schedule.Environments * int64 settings.Schedule.RoundSteps

            if
                settings.Compute.Engine = Is EngineKind.Simd
                && settings.Compute.Device.StartsWith("cuda", StringComparison.Ordinal)
            then
                problem "compute.engine" "simd" $"computes on the CPU; for compute.device = {settings.Compute.Device} it must be torch"

            if settings.Network.Activation = Activation.Crelu then
                let odd key (widths: int list) =
                    match widths |> List.tryFind (fun width -> width % 2 = 1) with
                    | None -> []
                    | Some width -> [
                        problem
                            key
                            (widths |> List.map string |> String.concat ",")
                            $"{width} is odd, and network.activation = crelu makes two features of every unit; give even widths"
                      ]

                yield! odd "network.hidden" settings.Network.Hidden

                match settings.Network.CriticHidden with
                | Auto -> ()
                | Is widths -> yield! odd "network.criticHidden" widths

                // As with the technique crelu.
                match Method.compose (Technique.CRelu :: settings.Run.Method.Techniques) with
                | Ok _ -> ()
                | Error why -> problem "network.activation" "crelu" $"{why}; use relu, or another run.method"

            if
                settings.Run.Method.Has Technique.LayerNorm
                && settings.Network.LayerNorm = LayerNorm.CriticLast
            then
                problem
                    "network.layerNorm"
                    "critic-last"
                    "run.method has layer-norm, which is one on every hidden layer; leave one of the two out"

            if
                settings.Run.Method.Has Technique.Ne
                && settings.Run.Method.Has Technique.SampleWeightDecay
                && settings.Ne.Review <> ReviewMode.Off
            then
                problem
                    "ne.review"
                    ((NeKeys.keys |> List.find (fun key -> key.Name = "ne.review")).Get settings)
                    "swd draws new transitions more often, a review the oldest ones: a batch cannot be both; use off, or leave swd out"

            if settings.Td3.BufferSize.Value < int64 settings.Td3.BatchSize then
                problem
                    "td3.bufferSize"
                    (showInteger settings.Td3.BufferSize.Value)
                    $"smaller than one batch (td3.batchSize = {settings.Td3.BatchSize})"

            if settings.Ne.FinalDensity < settings.Ne.StartDensity.Value then
                problem
                    "ne.finalDensity"
                    (showReal settings.Ne.FinalDensity)
                    $"below ne.startDensity = {showReal settings.Ne.StartDensity.Value}; networks only grow"

            if
                settings.Ne.GrowUnit = GrowUnit.Neuron
                && settings.Ne.Criterion <> GrowCriterion.Random
                && not (settings.Run.Method.Has Technique.NaiveGrowth)
            then
                problem "ne.growUnit" "neuron" "is a unit of random growth; it needs ne.criterion = random"

            if settings.Ne.GrowGrad = GrowGrad.Full && settings.Ne.GrowInit <> GrowInit.Random then
                problem "ne.growGrad" "full" "lets grown weights keep the random values of its pass; it needs ne.growInit = random"

            if settings.Ne.EventBatch = EventBatch.Training then
                if settings.Ne.GrowGrad = GrowGrad.Full then
                    problem "ne.growGrad" "full" "takes a pass of its own; it needs ne.eventBatch = fresh"

                if settings.Ne.GrowAccum > 1 then
                    problem
                        "ne.growAccum"
                        (string settings.Ne.GrowAccum)
                        "averages over fresh batches; with ne.eventBatch = training it must be 1"

            if
                settings.Ne.HalfBatchBelow > 0.0
                && settings.Run.Method.Has Technique.ContinualBackprop
            then
                problem
                    "ne.halfBatchBelow"
                    (showReal settings.Ne.HalfBatchBelow)
                    "continual-backprop judges units by the training batch, which must then be of one size; leave it at 0"

            if settings.Ne.HalfBatchBelow > 0.0 && settings.Td3.BatchSize < 2 then
                problem "ne.halfBatchBelow" (showReal settings.Ne.HalfBatchBelow) "a batch of one transition cannot be halved"

            if settings.Td3.StartSteps.Value >= settings.Run.Steps then
                problem
                    "td3.startSteps"
                    (showInteger settings.Td3.StartSteps.Value)
                    $"not below run.steps = {settings.Run.Steps}: nothing would be learned"

            if
                settings.Run.Method.Has Technique.PlasticityInjection
                && settings.Injection.Step.Value >= settings.Run.Steps
            then
                problem
                    "injection.step"
                    (showInteger settings.Injection.Step.Value)
                    $"not below run.steps = {settings.Run.Steps}: nothing would be injected"

            if
                settings.Td3.StartSteps.Value < settings.Run.Steps
                && settings.Cycle.Episodes = 0L
            then
                yield! validatePeriods settings

            if round > settings.Run.Steps then
                problem
                    "schedule.roundSteps"
                    (string settings.Schedule.RoundSteps)
                    $"one round of all environments ({round} steps) is longer than the run ({settings.Run.Steps})"
        ]
