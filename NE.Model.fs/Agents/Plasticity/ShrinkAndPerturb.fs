namespace NE.Model.Agents.Plasticity

open NE.Model
open NE.Model.Agents
open NE.Model.Networks

/// Shrink and perturb (Ash and Adams 2020, "On warm-starting neural network training"): now and then every online parameter becomes
/// shrink * old + noise * fresh. What the topology lacks stays away; the optimiser goes on, the targets follow by Polyak.
[<Sealed>]
type ShrinkAndPerturb(trainee: Trainee, settings: ShrinkAndPerturbSettings, seed: int64) =
    inherit Intervention()

    let shrink, noise = float32 settings.Shrink, float32 settings.Noise
    let mutable draws = Draws.Of(seed, Purpose.ShrinkAndPerturb)
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
        if trainee.Clock.IsDue(settings.Every.Value, t) then
            for group in trainee.Groups do
                perturb group.Networks

            count <- count + 1L

    override _.Metrics(_, _) = [| struct ("perturbations", float count) |]

    override _.State = {
        Random = [ Codec.draws (fun () -> draws) (fun stored -> draws <- stored) ]
        Counters = [ Codec.int64 (fun () -> count) (fun stored -> count <- stored) ]
    }
