namespace NE.Model.Agents

open System

/// The working memories of an algorithm: of training batches, of the probe, and of halved batches.
[<Sealed>]
type Workspaces<'W when 'W :> ActorCriticWorkspace and 'W: equality>
    (batchSize: int, perception: IPerception, create: IActorCriticInputs -> 'W) =
    let training = create (perception.CreateInputs(batchSize, true))

    let probe =
        if perception.CanShare && batchSize = Trainee.ProbeRows then
            training
        else
            create (perception.CreateInputs(Trainee.ProbeRows, false))

    // Made when first asked for.
    let mutable half: 'W option = None
    let mutable current = training

    /// Of the trainee's Probe: at times the same as that of the training.
    member _.Probe = probe
    /// Of the present gradient step.
    member _.Current = current

    /// Makes that of whole or of halved batches the current one.
    member _.Choose(isHalved: bool) : 'W =
        current <-
            match half with
            | _ when not isHalved -> training
            | Some made -> made
            | None ->
                let made = create (perception.CreateInputs(batchSize / 2, true))
                half <- Some made
                made

        current

    /// Every one that there is, once.
    member _.All = List.distinct [ training; probe; yield! Option.toList half ]

    interface IDisposable with
        member this.Dispose() =
            for workspace in this.All do
                (workspace :> IDisposable).Dispose()
