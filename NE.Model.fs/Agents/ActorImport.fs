namespace NE.Model.Agents

open System
open System.Collections.Generic
open NE.Model.Networks
open NE.Model.Topology

/// Values from elsewhere for one of a policy's tensors.
type GivenTensor = { Shape: int[]; Values: float32[] }

/// Values from elsewhere for the networks of a fresh policy: those of a PortablePolicy's tensors, by their names.
[<RequireQualifiedAccess>]
module ActorImport =
    /// Tensors with such names belong to a policy but not to its networks: what brings actions to an environment's bounds.
    [<Literal>]
    let ActionPrefix = "action."

    let private shown (shape: int seq) =
        let sizes = String.Join(" x ", shape)
        $"[{sizes}]"

    /// The group that a network of a policy is a copy of.
    let private groupOf (groups: NetworkGroup list) (network: PortableNetwork) =
        let name =
            match network.Name with
            | "trunk" -> "actor trunk"
            | "log_deviation" -> "actor"
            | other -> other

        groups |> List.find (fun group -> group.Name = name)

    let private listed (names: string list) =
        let first = names |> List.truncate 4 |> String.concat ", "

        if names.Length > 4 then
            $"{first} and {names.Length - 4} more"
        else
            first

    /// What keeps the tensors from being those of the policy.
    let private problems (policy: PortablePolicy) (given: IReadOnlyDictionary<string, GivenTensor>) : string list =
        let expected = policy.Networks |> List.collect _.Tensors
        let names = expected |> List.map _.Name |> Set.ofList

        let unknown =
            given.Keys
            |> Seq.filter (fun name ->
                not (names.Contains name)
                && not (name.StartsWith(ActionPrefix, StringComparison.Ordinal)))
            |> Seq.sort
            |> List.ofSeq

        let missing =
            expected |> List.filter (fun tensor -> not (given.ContainsKey tensor.Name))

        [
            if not missing.IsEmpty then
                let described =
                    missing |> List.map (fun tensor -> $"{tensor.Name} {shown tensor.Shape}")

                $"It lacks {listed described}."

            if not unknown.IsEmpty then
                let described =
                    unknown |> List.map (fun name -> $"{name} {shown given[name].Shape}")

                $"The actor of this run has no {listed described}."

            for tensor in expected do
                match given.TryGetValue tensor.Name with
                | true, found when List.ofArray found.Shape <> tensor.Shape ->
                    $"{tensor.Name} is {shown found.Shape}; the actor of this run has {shown tensor.Shape}."
                | true, found ->
                    match found.Values |> Array.tryFindIndex (Single.IsFinite >> not) with
                    | Some at -> $"Element {at} of {tensor.Name} is {found.Values[at]}; finite numbers were expected."
                    | None -> ()
                | false, _ -> ()
        ]

    /// Raises ArgumentException unless the file's actor reads observations as this run's does. `normalises`: this run's.
    let requireSameInput (normalises: bool) (given: IReadOnlyDictionary<string, GivenTensor>) : unit =
        let isBehindNormaliser =
            given.Keys
            |> Seq.exists _.StartsWith(ObservationNormaliser.Prefix, StringComparison.Ordinal)

        if isBehindNormaliser then
            raise (
                ArgumentException
                    "It reads observations normalised by the moments of its own run, which a new run does not have: an actor that normalises can be played and exported, but nothing can begin with it."
            )

        if normalises then
            raise (
                ArgumentException
                    "It reads observations as they are, and this run would normalise them; learn with normalise.observations=off."
            )

    /// Puts the tensors into the online and target networks of a learner that has taken no step. `actor`: the group that acts. Raises ArgumentException,
    /// and changes nothing, for an actor that is sparse, and for tensors with other names, other shapes, or values that it cannot have.
    let adopt
        (groups: NetworkGroup list)
        (actor: NetworkGroup)
        (policy: PortablePolicy)
        (given: IReadOnlyDictionary<string, GivenTensor>)
        : unit =
        let refuse text = raise (ArgumentException text)

        if
            actor.Masks
            |> Seq.concat
            |> Seq.exists (fun mask -> mask.ActiveCount < mask.Size)
        then
            refuse (
                $"The actor of this run begins with {100.0 * actor.Density:F0} %% of its weights, drawn by its method, so it cannot begin with those of a file. "
                + "Let it begin dense: ne.networks=critic grows the critics alone, ne.startDensity=1 only prunes, and --method none learns without a topology."
            )

        match problems policy given with
        | [] -> ()
        | found -> refuse (String.Join(" ", found))

        let changed =
            policy.Networks
            |> List.groupBy (fun network -> (groupOf groups network).Name)
            |> List.map (fun (_, networks) ->
                let group = groupOf groups networks.Head
                let values = group.ReadOnline Field.Weights

                for tensor in networks |> List.collect _.Tensors do
                    given[tensor.Name].Values
                    |> Array.iteri (fun i value -> values[tensor.Places[i]] <- value)

                let clipped = Array.copy values
                group.Clip clipped

                if clipped <> values then
                    refuse
                        $"Parameters of the {group.Name} are beyond the bounds of network.weightClip; learn without clipping (network.weightClip=0)."

                struct (group, values))

        for struct (group, values) in changed do
            group.WriteOnline(Field.Weights, values)
            group.WriteTarget values
