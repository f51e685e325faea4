namespace NE.Model.Agents

open System
open NE.Model.Networks

/// A term of the losses beside the algorithm's own.
type IGradientTerm =
    inherit IDisposable
    /// Adds the term's gradient to the group's Gradients. Called before every Adam step of the group.
    abstract Add: group: NetworkGroup -> unit

/// Something that may take the gradient of groups for itself.
type IGradientClaim =
    /// The groups whose gradient it may take.
    abstract Groups: NetworkGroup list
    /// Whether it did so at gradient step t: the optimiser then leaves the group as it is. The gradient of the training batch is in the
    /// group's block, the activations are in its Training pass. Called once per update of one of its groups.
    abstract Claims: group: TraineeGroup * t: int64 -> bool

/// From the gradient of a group to its Adam step, with what techniques do in between.
/// Claims have the names of their techniques. Raises ArgumentException when two of them may take one gradient.
[<Sealed>]
type Optimiser(engine: IEngine, terms: IGradientTerm list, claims: (string * IGradientClaim) list) =
    let claimed = [|
        for name, claim in claims do
            for group in claim.Groups -> struct (group, name, claim)
    |]

    do
        for i in 0 .. claimed.Length - 1 do
            for j in i + 1 .. claimed.Length - 1 do
                let struct (group, first, _), struct (other, second, _) = claimed[i], claimed[j]

                if obj.ReferenceEquals(group, other) then
                    invalidArg
                        (nameof claims)
                        $"{first} and {second} both take the gradient of the {group.Name} for themselves; only one can."

    let isClaimed (group: TraineeGroup) t =
        let mutable taken = false

        for struct (networks, _, claim) in claimed do
            if obj.ReferenceEquals(networks, group.Networks) then
                taken <- claim.Claims(group, t)

        taken

    /// The step of a group at gradient step t, whose gradient is in its block.
    member _.Step(group: TraineeGroup, t: int64) : unit =
        if not (isClaimed group t) then
            for term in terms do
                term.Add group.Networks

            engine.Adam(group.Networks.Online, group.Adam)
