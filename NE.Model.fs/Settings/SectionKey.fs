namespace NE.Model

/// Where a default comes from (docs/algorithm.md, provenance tags).
type Provenance =
    /// The paper's surviving text.
    | Paper
    /// The paper says that a value exists; the number is lost.
    | PaperUnstated
    /// What the official code really executes.
    | OfficialCode
    /// Default of a cited work.
    | Cited of work: string
    /// Our choice; no source.
    | Ours

    /// The short form that docs/algorithm.md has, e.g. P or CW:TD3.
    member this.Label =
        match this with
        | Paper -> "P"
        | PaperUnstated -> "P?"
        | OfficialCode -> "OC"
        | Cited work -> $"CW:{work}"
        | Ours -> "US"

/// A derived value with the rule that gave it, to be printed.
type Derivation = {
    Key: string
    Value: string
    Rule: string
}

/// One problem of a configuration, ready to be printed.
type SettingsError = {
    Key: string
    /// What was given.
    Found: string
    /// What is allowed, or what is wrong.
    Problem: string
}

/// All that is known of one key of the section 'S. Its rules see the section, whose earlier keys are resolved, and the 'Facts that the section
/// needs of the rest of the configuration.
type internal SectionKey<'Facts, 'S> = {
    /// section.name
    Name: string
    Unit: string
    /// One sentence.
    Sentence: string
    /// What values are allowed, in words.
    Allowed: string
    Provenance: Provenance
    Get: 'S -> string
    Set: string -> 'S -> Result<'S, string>
    /// The section with the key's default.
    WithDefault: 'S -> 'S
    /// The section with the value that all runs had when there was no such key.
    WithOldValue: 'S -> 'S
    /// Whether a resumed run, of this section, may change the key.
    MayChange: 'S -> bool
    /// The section with the value that follows from others, and the rule; the section as it is where the value stays.
    Resolve: 'Facts -> 'S -> 'S * Derivation option
    /// What is wrong with the value beside other ones. Expects a resolved section.
    Problems: 'Facts -> 'S -> SettingsError list
}

/// A key on the way to be described, while the type of its value is still known.
type internal Draft<'Facts, 'S, 'T> = {
    Name: string
    Provenance: Provenance
    Kind: Kind<'T>
    Default: 'T
    Get: 'S -> 'T
    Set: 'T -> 'S -> 'S
    Unit: string
    OldValue: 'T
    MayChange: 'S -> bool
    /// The rule in words, and the value that it gives; none: the value stays.
    Rule: 'Facts -> 'S -> (string * 'T) option
    Checks: ('Facts -> 'S -> string option) list
}

/// The words in which a key is described: `key NAME PROVENANCE KIND DEFAULT get set`, what else there is to say, and last `says SENTENCE`.
module internal Keys =

    /// The default, its origin, and where the section holds the value.
    let key<'Facts, 'S, 'T> name provenance (kind: Kind<'T>) default' get set : Draft<'Facts, 'S, 'T> = {
        Name = name
        Provenance = provenance
        Kind = kind
        Default = default'
        Get = get
        Set = set
        Unit = ""
        OldValue = default'
        MayChange = fun _ -> true
        Rule = fun _ _ -> None
        Checks = []
    }

    let inUnit unit' (draft: Draft<'Facts, 'S, 'T>) = { draft with Unit = unit' }

    /// Part of what the run is: a resumed run must keep it.
    let isFixed (draft: Draft<'Facts, 'S, 'T>) = {
        draft with
            MayChange = fun _ -> false
    }

    /// Part of what the run is for some values of the section.
    let mayChangeIf condition (draft: Draft<'Facts, 'S, 'T>) = { draft with MayChange = condition }

    /// A stored configuration that does not name the key has this value.
    let inOldRuns value (draft: Draft<'Facts, 'S, 'T>) = { draft with OldValue = value }

    /// The value follows from others where the rule gives one. For a value that it gave it gives none.
    let becomes rule (draft: Draft<'Facts, 'S, 'T>) = { draft with Rule = rule }

    /// What `auto` becomes, with the rule in words.
    let autoBy (compute: 'Facts -> 'S -> string * 'T) (draft: Draft<'Facts, 'S, Derived<'T>>) =
        let rule facts section =
            match draft.Get section with
            | Is _ -> None
            | Auto ->
                let words, value = compute facts section
                Some(words, Is value)

        becomes rule draft

    /// The same where the words are always these.
    let auto words (compute: 'Facts -> 'S -> 'T) (draft: Draft<'Facts, 'S, Derived<'T>>) =
        autoBy (fun facts section -> words, compute facts section) draft

    /// What is wrong with the value beside others, of resolved settings; none: nothing. A contradiction stands at the key that its message begins
    /// with.
    let check problem (draft: Draft<'Facts, 'S, 'T>) = {
        draft with
            Checks = draft.Checks @ [ problem ]
    }

    /// The same where what is wrong can be said without a value.
    let refusedIf isWrong problem draft =
        check (fun facts section -> if isWrong facts section then Some problem else None) draft

    let private resolve (draft: Draft<'Facts, 'S, 'T>) facts section =
        match draft.Rule facts section with
        | None -> section, None
        | Some(rule, value) ->
            draft.Set value section,
            Some {
                Key = draft.Name
                Value = draft.Kind.Show value
                Rule = rule
            }

    let private problems (draft: Draft<'Facts, 'S, 'T>) facts section = [
        for check in draft.Checks do
            match check facts section with
            | None -> ()
            | Some problem -> {
                Key = draft.Name
                Found = draft.Kind.Show(draft.Get section)
                Problem = problem
              }
    ]

    /// The sentence that ends a description.
    let says sentence (draft: Draft<'Facts, 'S, 'T>) : SectionKey<'Facts, 'S> = {
        Name = draft.Name
        Unit = draft.Unit
        Sentence = sentence
        Allowed = draft.Kind.Words
        Provenance = draft.Provenance
        Get = draft.Get >> draft.Kind.Show
        Set =
            fun text section ->
                draft.Kind.Parse text
                |> Result.map (fun value -> draft.Set value section)
                |> Result.mapError (fun problem -> $"{problem}; allowed: {draft.Kind.Words}")
        WithDefault = draft.Set draft.Default
        WithOldValue = draft.Set draft.OldValue
        MayChange = draft.MayChange
        Resolve = resolve draft
        Problems = problems draft
    }
