/// The whole configuration of a run: every key with its default, unit, sentence and provenance, in one table.
///
/// A key has one home: its place in its section's file (Sections/), where its default, its rule and its checks are. Records hold typed values for
/// the code; the table reads, writes, validates and documents them for people.
namespace NE.Model

[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Settings =

    let private every change =
        Table.sections
        |> List.fold (fun settings section -> change section settings) (Section.blank<Settings>())

    /// TD3 at the size of the paper's Table 1, NE with the constants of docs/algorithm.md, which has where each comes from, and where the paper says
    /// otherwise: Variants.paper.
    let defaults: Settings = every _.WithDefaults

    /// Where reading a stored configuration starts: a key that an old run does not name has the value that all runs had then.
    let ofOldRuns: Settings = every _.WithOldValues

    /// Steps of a full-length run of the paper.
    let paperSteps = 3_000_000L

    /// Every key, in the order in which it is shown.
    let keys: Key list = Table.sections |> List.collect _.Keys

    /// Finds a key by its exact name; null when there is none.
    let tryFind (name: string) : Key | null =
        match keys |> List.tryFind (fun key -> key.Name = name) with
        | Some key -> key
        | None -> null

    /// The key that a name of an older version belongs to now, the name itself if it is none; null for a key that is gone.
    let presentName (name: string) : string | null =
        match OldKeys.tryFind name with
        | None -> name
        | Some { Now = Some key } -> key
        | Some { Now = None } -> null

    /// The key that is nearest to an unknown name, or what the nearest old name is called now.
    let private suggest (name: string) : string option =
        Seq.append (keys |> Seq.map _.Name) (OldKeys.all |> Seq.map _.Name)
        |> Nearest.suggest name
        |> Option.bind (presentName >> Option.ofObj)

    /// Sets keys from text, in order; names of older versions are read as well. Returns every problem: unknown keys (with the nearest known one) and bad values.
    let apply (pairs: struct (string * string) seq) (settings: Settings) : Result<Settings, SettingsError list> =
        let mutable current = settings
        let errors = ResizeArray<SettingsError>()

        let set name value =
            match tryFind name with
            | null ->
                match OldKeys.tryFind name, suggest name with
                | Some old, _ -> old.Set value current
                | None, Some near -> Error $"unknown key; did you mean '{near}'?"
                | None, None -> Error "unknown key; `ne config schema` lists them all"
            | key -> key.Set value current

        for struct (name, value) in pairs do
            match set name value with
            | Ok changed -> current <- changed
            | Error problem ->
                errors.Add {
                    Key = name
                    Found = value
                    Problem = problem
                }

        if errors.Count = 0 then
            Ok current
        else
            Error(List.ofSeq errors)

    /// Keys with values, of which some may be an older version's, as this version has them. What is now a part of one key becomes that key.
    /// An old value that is not read any more stays as it is.
    let present (pairs: struct (string * string) seq) : struct (string * string) list =
        let pairs = List.ofSeq pairs

        let parts =
            pairs
            |> List.choose (fun struct (name, _) -> OldKeys.tryFind name |> Option.bind _.Now)
            |> List.distinct

        let folder (settings, kept) (struct (name, _) as pair) =
            if not (List.contains name parts) && Option.isNone (OldKeys.tryFind name) then
                settings, pair :: kept
            else
                match apply [ pair ] settings with
                | Ok settings -> settings, kept
                | Error _ -> settings, pair :: kept

        let settings, kept = List.fold folder (defaults, []) pairs

        List.rev kept
        @ [
            for key in keys do
                if List.contains key.Name parts then
                    struct (key.Name, key.Get settings)
        ]

    /// Every key with its value, in the order of the table.
    let values (settings: Settings) : struct (string * string) list =
        keys |> List.map (fun key -> struct (key.Name, key.Get settings))

    /// Keys whose values differ: (name, old, new).
    let difference (before: Settings) (after: Settings) : struct (string * string * string) list =
        keys
        |> List.choose (fun key ->
            let old, updated = key.Get before, key.Get after

            if old = updated then
                None
            else
                Some(struct (key.Name, old, updated)))

    /// Whether a key's value can make a difference to a run of these settings: those of techniques that the method lacks cannot, nor those of
    /// another learner or engine, nor those of a cycle in a run of one task.
    let concerns (settings: Settings) (name: string) : bool =
        let sectionOf (name: string) = name.Split '.' |> Array.head

        let hasIt (section: Table.PlacedSection) =
            section.Keys |> List.exists (fun key -> sectionOf key.Name = sectionOf name)

        match sectionOf name, Table.sections |> List.tryFind hasIt with
        | "cycle", _ -> TaskCycle.isCycle settings.Run.Environment
        | _ when name = "reset.temperature" && not settings.Run.Learner.HasTemperature -> false
        | _ when name = "compute.convolutions" ->
            settings.Run.Learner.SeesPixels
            && settings.Compute.Engine <> Is EngineKind.Torch
        | _, Some { Techniques = _ :: _ as techniques } -> List.exists settings.Run.Method.Has techniques
        | _, Some { Learners = _ :: _ as learners } -> List.contains settings.Run.Learner learners
        | _ -> true

    /// The agent in short, for names and titles: td3, ne or redo+layer-norm, and sac, sac+ne or sac+redo+layer-norm.
    let agent (settings: Settings) : string =
        match settings.Run.Learner, settings.Run.Method.Techniques with
        | LearnerKind.Td3, _ -> Method.show settings.Run.Method
        | learner, [] -> LearnerKind.nameOf learner
        | learner, _ -> $"{LearnerKind.nameOf learner}+{Method.show settings.Run.Method}"

    /// Computes every `Auto` from the length of the run and, for the engine and its threads, from the machine. Given values stay.
    /// Resolving twice changes nothing.
    let resolveOn (machine: Machine) (settings: Settings) : Settings * Derivation list =
        let folder (settings, derivations) (section: Table.PlacedSection) =
            let settings, more = section.Resolve machine settings
            settings, derivations @ more

        List.fold folder (settings, []) Table.resolutionOrder

    /// The same on a machine of one core without CUDA.
    let resolve (settings: Settings) : Settings * Derivation list = resolveOn Machine.Plain settings

    /// Gradient steps of a whole run, those of the priming included; of a cycle that is counted in episodes at most so many. Expects a resolved
    /// configuration.
    let gradientSteps (settings: Settings) : int64 = Table.gradientSteps settings

    /// The pictures that the learner sees; null where it sees numbers.
    let pictures (settings: Settings) : PictureForm | null =
        if settings.Run.Learner.SeesPixels then
            {
                Shape = settings.Pixels.Shape
                ActionRepeat = settings.Pixels.ActionRepeat
            }
        else
            null

    /// Problems between values that are fine one by one. Expects a resolved configuration.
    let validate (settings: Settings) : SettingsError list =
        Table.sections |> List.collect (fun section -> section.Problems settings)
