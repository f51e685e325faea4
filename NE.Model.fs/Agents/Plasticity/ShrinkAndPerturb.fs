namespace NE.Model.Agents.Plasticity

open NE.Model
open NE.Model.Agents
open NE.Model.Networks
open NE.Model.Random

/// Shrink and perturb (Ash and Adams 2020, "On warm-starting neural network training"): now and then every online parameter becomes
/// shrink * old + noise * fresh. What the topology lacks stays away; the optimiser goes on, the targets follow by Polyak.
[<Sealed>]
type ShrinkAndPerturb(networks: Td3Networks, settings: Settings) =
    inherit Intervention()

    let options = settings.ShrinkAndPerturb
    let clock = EnvironmentClock settings
    let shrink, noise = float32 options.Shrink, float32 options.Noise
    let mutable draws = stream settings.Run.Seed Purpose.ShrinkAndPerturb
    let mutable count = 0L

    let perturb (group: NetworkGroup) =
        let layout = group.Layout
        let weights = group.ReadOnline Field.Weights
        let fresh = layout.Initialise draws
        let exists = group.ReadOnline Field.Mask

        for i in 0 .. weights.Length - 1 do
            weights[i] <- exists[i] * (shrink * weights[i] + noise * fresh[i])

        group.Clip weights
        group.WriteOnline(Field.Weights, weights)

    override _.BeforeUpdate t =
        if clock.IsDue(options.Every.Value, t) then
            perturb networks.Actor
            perturb networks.Critics
            count <- count + 1L

    override _.Metrics(_, _) = [| struct ("perturbations", float count) |]

    override _.Save(random, counters) =
        StateBytes.writeStream random draws
        counters.Write count

    override _.Restore(random, counters) =
        draws <- StateBytes.readStream random
        count <- counters.ReadInt64()
