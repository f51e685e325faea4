namespace NE.Model.Agents.Plasticity

open NE.Model
open NE.Model.Agents
open NE.Model.Replay

/// Sample weight decay (arXiv 2604.01913): a transition of age a is drawn with a weight of max(minWeight, 1 - a/T), so batches lean towards new
/// experience. The opposite of NE's review, and the natural hypothesis against it. Everything else, such as topology events and measurements,
/// goes on drawing uniformly.
[<Sealed>]
type SampleWeightDecay(settings: SampleWeightDecaySettings) =
    inherit Intervention()

    let source = Decayed(settings.Horizon.Value, settings.MinWeight)
    let mutable rows = 0L
    let mutable ages = 0.0

    override _.ChooseSource(_, _) = source

    override _.Sampled(sampled, window) =
        let mutable sum = 0L

        for row in sampled do
            sum <- sum + (window.Head - 1L - row)

        rows <- rows + int64 sampled.Length
        ages <- ages + float sum

    /// Mean age of all transitions that were drawn for training, in transitions; 0 is the newest.
    override _.Metrics(_, _) = [| struct ("swd_sample_age", (if rows = 0L then 0.0 else ages / float rows)) |]

    override _.State = {
        Random = []
        Counters = [
            Codec.int64 (fun () -> rows) (fun stored -> rows <- stored)
            Codec.float (fun () -> ages) (fun stored -> ages <- stored)
        ]
    }
