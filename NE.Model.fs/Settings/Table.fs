namespace NE.Model

/// The whole configuration.
type Settings = {
    Run: RunSettings
    Cycle: CycleSettings
    Schedule: ScheduleSettings
    Compute: ComputeSettings
    Network: NetworkSettings
    Learner: LearnerSettings
    Td3: Td3Settings
    Sac: SacSettings
    Pixels: PixelSettings
    DrqV2: DrqV2Settings
    Normalise: NormaliseSettings
    Ne: NeSettings
    Reset: ResetSettings
    ReDo: ReDoSettings
    Injection: InjectionSettings
    ShrinkAndPerturb: ShrinkAndPerturbSettings
    L2Init: L2InitSettings
    ContinualBackprop: ContinualBackpropSettings
    SampleWeightDecay: SampleWeightDecaySettings
    Checkpoint: CheckpointSettings
    Evaluation: EvaluationSettings
    Log: LogSettings
    Video: VideoSettings
    External: ExternalSettings
}

/// One row of the table of keys.
type Key = {
    /// section.name
    Name: string
    Unit: string
    /// One sentence.
    Sentence: string
    /// What values are allowed, in words.
    Allowed: string
    Provenance: Provenance
    Get: Settings -> string
    Set: string -> Settings -> Result<Settings, string>
    /// Whether a resumed run, of these settings, may change the key.
    MayChange: Settings -> bool
}

/// The sections at their places in the whole.
module internal Table =

    /// A section as a part of the whole.
    type PlacedSection = {
        Keys: Key list
        Techniques: Technique list
        Learners: LearnerKind list
        WithDefaults: Settings -> Settings
        WithOldValues: Settings -> Settings
        Resolve: Machine -> Settings -> Settings * Derivation list
        Problems: Settings -> SettingsError list
    }

    let private keyOf (get: Settings -> 'S) (set: 'S -> Settings -> Settings) (key: SectionKey<'Facts, 'S>) : Key = {
        Name = key.Name
        Unit = key.Unit
        Sentence = key.Sentence
        Allowed = key.Allowed
        Provenance = key.Provenance
        Get = get >> key.Get
        Set = fun text settings -> key.Set text (get settings) |> Result.map (fun section -> set section settings)
        MayChange = get >> key.MayChange
    }

    let private place (section: Section<'Facts, 'S>) (facts: Machine -> Settings -> 'Facts) get set : PlacedSection = {
        Keys = section.Keys |> List.map (keyOf get set)
        Techniques = section.Techniques
        Learners = section.Learners
        WithDefaults = set (Section.defaults section)
        WithOldValues = set (Section.ofOldRuns section)
        Resolve =
            fun machine settings ->
                let resolved, derivations =
                    Section.resolve section (facts machine settings) (get settings)

                set resolved settings, derivations
        // No check asks for the machine.
        Problems = fun settings -> Section.problems section (facts Machine.Plain settings) (get settings)
    }

    let private lengthOf (settings: Settings) : RunLength = {
        Steps = settings.Run.Steps
        Phases = CycleSettings.phases settings.Run settings.Cycle
    }

    /// Gradient steps of a whole run, of resolved settings.
    let gradientSteps (settings: Settings) =
        LearnerSettings.gradientSteps (lengthOf settings) settings.Learner

    let private factsOf (settings: Settings) : RunFacts = {
        Learner = settings.Run.Learner
        Method = settings.Run.Method
        Length = lengthOf settings
        StartSteps = settings.Learner.StartSteps.Value
        BatchSize = settings.Learner.BatchSize
        BufferSize = settings.Learner.BufferSize.Value
        UpdatesPerStep = settings.Learner.UpdatesPerStep.Value
        GradientSteps = gradientSteps settings
        CompleteSteps = LearnerSettings.completeSteps (lengthOf settings) settings.Learner
    }

    /// A section whose rules may know of all that makes the run's length.
    let private placed section get set =
        place section (fun _ settings -> factsOf settings) get set

    let private run =
        place RunSettings.section (fun _ settings -> CycleSettings.phases settings.Run settings.Cycle) _.Run (fun v s -> { s with Run = v })

    let private cycle =
        place CycleSettings.section (fun _ settings -> settings.Run) _.Cycle (fun v s -> { s with Cycle = v })

    let private compute =
        place ComputeSettings.section (fun machine _ -> machine) _.Compute (fun v s -> { s with Compute = v })

    let private network =
        place
            NetworkSettings.section
            (fun _ settings -> {
                Learner = settings.Run.Learner
                Method = settings.Run.Method
            })
            _.Network
            (fun v s -> { s with Network = v })

    let private learner =
        place
            LearnerSettings.section
            (fun _ settings -> {
                Learner = settings.Run.Learner
                Length = lengthOf settings
            })
            _.Learner
            (fun v s -> { s with Learner = v })

    let private td3 =
        place Td3Settings.section (fun _ _ -> ()) _.Td3 (fun v s -> { s with Td3 = v })

    let private sac =
        place SacSettings.section (fun _ settings -> settings.Run.Learner) _.Sac (fun v s -> { s with Sac = v })

    let private pixels =
        place
            PixelSettings.section
            (fun _ settings -> {
                Learner = settings.Run.Learner
                StartSteps = settings.Learner.StartSteps.Value
                BufferSize = settings.Learner.BufferSize.Value
                Environments = settings.Schedule.Environments
            })
            _.Pixels
            (fun v s -> { s with Pixels = v })

    let private drqV2 =
        place DrqV2Settings.section (fun _ settings -> settings.Pixels) _.DrqV2 (fun v s -> { s with DrqV2 = v })

    let private normalise =
        place
            NormaliseSettings.section
            (fun _ settings -> {
                Learner = settings.Run.Learner
                Length = lengthOf settings
            })
            _.Normalise
            (fun v s -> { s with Normalise = v })

    let private schedule =
        placed ScheduleSettings.section _.Schedule (fun v s -> { s with Schedule = v })

    let private others = [
        placed NeSettings.section _.Ne (fun v s -> { s with Ne = v })
        placed ResetSettings.section _.Reset (fun v s -> { s with Reset = v })
        placed ReDoSettings.section _.ReDo (fun v s -> { s with ReDo = v })
        placed InjectionSettings.section _.Injection (fun v s -> { s with Injection = v })
        placed ShrinkAndPerturbSettings.section _.ShrinkAndPerturb (fun v s -> { s with ShrinkAndPerturb = v })
        placed L2InitSettings.section _.L2Init (fun v s -> { s with L2Init = v })
        placed ContinualBackpropSettings.section _.ContinualBackprop (fun v s -> { s with ContinualBackprop = v })
        placed SampleWeightDecaySettings.section _.SampleWeightDecay (fun v s -> { s with SampleWeightDecay = v })
        placed CheckpointSettings.section _.Checkpoint (fun v s -> { s with Checkpoint = v })
        placed EvaluationSettings.section _.Evaluation (fun v s -> { s with Evaluation = v })
        placed LogSettings.section _.Log (fun v s -> { s with Log = v })
        placed VideoSettings.section _.Video (fun v s -> { s with Video = v })
        placed ExternalSettings.section _.External (fun v s -> { s with External = v })
    ]

    /// Every section, in the order in which they are shown.
    let sections = [
        run
        cycle
        schedule
        compute
        network
        learner
        td3
        sac
        pixels
        drqV2
        normalise
        yield! others
    ]

    /// Every section, each after those that its facts are taken from.
    let resolutionOrder = [
        cycle
        run
        learner
        schedule
        compute
        network
        td3
        sac
        pixels
        drqV2
        normalise
        yield! others
    ]
