namespace NE.Model

open System.Runtime.CompilerServices

/// A section of the configuration: its keys, in the order in which they are shown and resolved.
type internal Section<'Facts, 'S> = {
    Keys: SectionKey<'Facts, 'S> list
    /// The techniques that the keys are about; none: the keys concern every run.
    Techniques: Technique list
    /// The learners that the keys are about; none: the keys concern every run.
    Learners: LearnerKind list
}

[<RequireQualifiedAccess>]
module internal Section =

    /// A section that concerns every run.
    let create keys : Section<'Facts, 'S> = {
        Keys = keys
        Techniques = []
        Learners = []
    }

    /// A section that concerns runs whose method has one of these techniques.
    let ofTechniques techniques keys : Section<'Facts, 'S> = {
        create keys with
            Techniques = techniques
    }

    /// A section that concerns runs of one of these learners.
    let ofLearners learners keys : Section<'Facts, 'S> = { create keys with Learners = learners }

    /// A record of which every field is still to be set. A test says that every field of a section has a key.
    let blank<'S> () =
        RuntimeHelpers.GetUninitializedObject typeof<'S> :?> 'S

    let defaults (section: Section<'Facts, 'S>) : 'S =
        section.Keys |> List.fold (fun record key -> key.WithDefault record) (blank ())

    /// Where reading a stored configuration starts.
    let ofOldRuns (section: Section<'Facts, 'S>) : 'S =
        section.Keys |> List.fold (fun record key -> key.WithOldValue record) (blank ())

    /// Computes what follows from other values, key by key.
    let resolve (section: Section<'Facts, 'S>) facts (record: 'S) : 'S * Derivation list =
        let folder (record, derivations) (key: SectionKey<'Facts, 'S>) =
            let record, derivation = key.Resolve facts record
            record, derivations @ Option.toList derivation

        List.fold folder (record, []) section.Keys

    let problems (section: Section<'Facts, 'S>) facts (record: 'S) : SettingsError list =
        section.Keys |> List.collect (fun key -> key.Problems facts record)
