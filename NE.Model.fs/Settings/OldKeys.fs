namespace NE.Model

open NE.Model.KeyKinds

/// A key of older versions. Their stored configurations name it, so it is still read.
type internal OldKey = {
    /// section.name
    Name: string
    /// The key that it is, or is a part of, now; none: it is gone.
    Now: string option
    Set: string -> Settings -> Result<Settings, string>
}

[<RequireQualifiedAccess>]
module internal OldKeys =

    let private partOfRules (rule: NeRule) : OldKey = {
        Name = $"ne.{rule.Name}"
        Now = Some "ne.rules"
        Set =
            fun text settings ->
                let rules =
                    match settings.Ne.Rules with
                    | Is rules -> rules
                    | Auto -> NeRules.ours

                rule.Set text rules
                |> Result.map (fun rules -> { settings with Ne.Rules = Is rules })
    }

    /// A key that is gone, and the one value with which its runs go on.
    let private gone name value instead : OldKey = {
        Name = name
        Now = None
        Set =
            fun text settings ->
                match parseReal text with
                | Ok given when given = value -> Ok settings
                | _ -> Error $"is no key any more, and only {showReal value} can be read; {instead}"
    }

    /// A key of the section td3 that all learners have now.
    let private ofEveryLearner (key: SectionKey<LearnerFacts, LearnerSettings>) : OldKey = {
        Name = key.Name.Replace("learner.", "td3.")
        Now = Some key.Name
        Set =
            fun text settings ->
                key.Set text settings.Learner
                |> Result.map (fun learner -> { settings with Learner = learner })
    }

    /// Those that td3 had when it was the only learner; keys that the section learner got later have no old name.
    let private sharedByLearners =
        [
            "actorLearningRate"
            "criticLearningRate"
            "adamBeta1"
            "adamBeta2"
            "adamEpsilon"
            "discount"
            "batchSize"
            "bufferSize"
            "startSteps"
            "updatesPerStep"
            "primingUpdates"
            "polyak"
            "optimizerReset"
            "adamAge"
        ]
        |> List.map (fun name ->
            LearnerSettings.section.Keys
            |> List.find (fun key -> key.Name = $"learner.{name}")
            |> ofEveryLearner)

    /// Every one of them.
    let all: OldKey list = [
        yield! NeRules.rules |> List.map partOfRules
        yield! sharedByLearners
        gone "ne.decayWeight" 1.0 "ne.growRate and ne.finalDensity say how much grows"
    ]

    /// Finds one by its exact name.
    let tryFind (name: string) : OldKey option =
        all |> List.tryFind (fun old -> old.Name = name)
