namespace NE.Model

open NE.Model.KeyKinds

/// A key of older versions. Their stored configurations name it, so it is still read.
type internal OldKey = {
    /// section.name
    Name: string
    /// The key that it is a part of now; none: it is gone.
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
                rule.Set text settings.Ne.Rules
                |> Result.map (fun rules -> { settings with Ne.Rules = rules })
    }

    /// Every one of them.
    let all: OldKey list = NeRules.rules |> List.map partOfRules

    /// Finds one by its exact name.
    let tryFind (name: string) : OldKey option =
        all |> List.tryFind (fun old -> old.Name = name)
