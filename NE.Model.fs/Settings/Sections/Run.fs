namespace NE.Model

open System
open NE.Model.KeyKinds
open NE.Model.Keys

/// What is run, for how long.
type RunSettings = {
    Environment: string
    Learner: LearnerKind
    Method: Method
    Seed: int64
    /// Environment steps of the whole run, all environments together.
    Steps: int64
}

[<RequireQualifiedAccess>]
module internal RunSettings =

    let private key name =
        Keys.key<CyclePhases, RunSettings, _> name

    let private defaultSteps = 1_000_000L

    /// Otherwise the length follows from that of the phases, if there are any.
    let isLengthGiven (run: RunSettings) = run.Steps <> defaultSteps

    let private lengthOfPhases (phases: CyclePhases) run =
        if phases.Count = 0L || isLengthGiven run then
            None
        elif phases.Episodes > 0L then
            Some("at most: phases x cycle.episodes x 1,000", phases.Count * phases.Episodes * RunLength.longestEpisode)
        else
            Some("phases x cycle.steps", phases.Count * phases.Steps)

    let private environments = {
        Words = "an id of `ne env list`, cycle:ID,ID,..., PATH.yaml, plugin:PATH.dll[#Type] or external:COMMAND"
        Show = id
        Parse =
            fun (value: string) ->
                if String.IsNullOrWhiteSpace value then
                    Error "empty"
                else
                    Ok(value.Trim())
    }

    let private methods = {
        Words = Method.words
        Show = Method.show
        Parse = Method.parse
    }

    /// No technique is called td3 with the learner of that name only.
    let private methodOf (run: RunSettings) =
        match run.Learner, run.Method.Techniques with
        | LearnerKind.Td3, _ -> Method.show run.Method
        | _, [] -> Method.none
        | _ -> Method.show run.Method

    let section =
        Section.create [
            key "run.environment" Paper environments "HalfCheetah-v4" _.Environment (fun v s -> { s with Environment = v })
            |> isFixed
            |> says "The task."

            key "run.learner" Paper (choice LearnerKind.names) LearnerKind.Td3 _.Learner (fun v s -> { s with Learner = v })
            |> isFixed
            |> inOldRuns LearnerKind.Td3
            |> refusedIf
                (fun phases run -> phases.Count > 0L && run.Learner.SeesPixels)
                "a cycle of tasks is learned from numbers; take td3 or sac, or one task"
            |> says "The algorithm of reinforcement learning: TD3 or SAC on numbers, DrQ or DrQ-v2 on pictures."

            {
                (key "run.method" Paper methods Method.Ne _.Method (fun v s -> { s with Method = v })
                 |> isFixed
                 |> refusedIf
                     (fun phases run -> phases.Count > 0L && run.Method.Has Technique.PlasticityInjection)
                     "plasticity-injection does not go with a cycle: its frozen bodies would keep the head of one task in the outputs of all"
                 |> says "What keeps the learner plastic, joined by '+', such as ne or redo+layer-norm; none or td3: the plain learner.") with
                    Get = methodOf
            }

            key "run.seed" Paper (wholeNumber Int64.MinValue Int64.MaxValue) 0L _.Seed (fun v s -> { s with Seed = v })
            |> isFixed
            |> says "Seed of every random stream; evaluation uses seed + 100."

            key "run.steps" Ours (steps 1L) defaultSteps _.Steps (fun v s -> { s with Steps = v })
            |> inUnit "environment steps"
            |> becomes lengthOfPhases
            |> check (fun phases run ->
                let whole = phases.Count * phases.Steps

                if phases.Count > 0L && phases.Episodes = 0L && run.Steps <> whole then
                    let length = showCount phases.Steps

                    Some
                        $"a cycle of {phases.Tasks} tasks x {phases.Cycles} cycles x {length} steps takes {whole}; give that, or another cycle.steps"
                else
                    None)
            |> says "Length of the run, all environments together; of a cycle: tasks x cycles x cycle.steps."
        ]
