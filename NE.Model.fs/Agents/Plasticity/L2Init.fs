namespace NE.Model.Agents.Plasticity

open System
open NE.Model
open NE.Model.Agents
open NE.Model.Networks

/// L2 Init, regenerative regularisation (Kumar et al. 2023, "Maintaining plasticity in continual learning via regenerative
/// regularization"): every loss gets weight * |theta - theta_0|^2, theta_0 being the parameters at the start. They follow from the seed, so
/// nothing is stored.
[<Sealed>]
type L2Init(trainee: Trainee, settings: L2InitSettings) =
    let engine = trainee.Engine

    let anchorOf (group: NetworkGroup) =
        let anchor = engine.CreateBlock(group.Layout, false)
        anchor.Write(Field.Weights, ReadOnlySpan(group.ReadOnline Field.Weights))
        anchor

    let anchors = [|
        for group in trainee.Groups -> struct (group.Networks, anchorOf group.Networks)
    |]
    // The gradient of weight * |d|^2 is 2 * weight * d.
    let rate = float32 (2.0 * settings.Weight)

    interface IGradientTerm with
        member _.Add group =
            let online = group.Online

            for struct (networks, anchor) in anchors do
                if obj.ReferenceEquals(networks, group) then
                    engine.AddDifference(online.Flat Field.Gradients, rate, online.Flat Field.Weights, anchor.Flat Field.Weights)

        member _.Dispose() =
            for struct (_, anchor) in anchors do
                anchor.Dispose()
