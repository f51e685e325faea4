namespace NE.Model.Agents

open System
open NE.Model.Networks
open NE.Model
open NE.Model.Replay
open NE.Model.Topology

/// Measures one network group. Made when the group has its initial values, from which it takes distances.
[<Sealed>]
type private GroupMeasurement(group: NetworkGroup, spectrum: Spectrum) =
    let layout = group.Layout
    // Recomputed, like everything a fresh agent is, when a run is resumed.
    let initial = group.ReadOnline Field.Weights

    let weights, gradients, mask =
        Array.copy initial, Array.copy initial, Array.copy initial

    let mutable features: float32[] = [||]

    let rank (pass: IPass) stack layer =
        let matrix = pass.Hidden(stack, layer)
        let count = matrix.Rows * matrix.Columns

        if features.Length < count then
            features <- Array.zeroCreate count

        matrix.Read(Span(features, 0, count))

        spectrum.SingularValues(matrix.Rows, matrix.Columns, ReadOnlySpan(features, 0, count))
        |> FeatureRank.ofSingularValues

    /// Squared norms of a slot: of the gradient of what exists, of the values, and of their difference from the initial ones.
    let squares (slot: LayerSlot) =
        let mutable gradient = 0.0
        let mutable weight = 0.0
        let mutable distance = 0.0

        let add first count =
            for i in first .. first + count - 1 do
                let g, w = float (gradients[i] * mask[i]), float weights[i]
                let moved = w - float initial[i]
                gradient <- gradient + g * g
                weight <- weight + w * w
                distance <- distance + moved * moved

        add slot.Weights slot.WeightCount

        for parameter in slot.PerNeuron do
            add parameter.First slot.Outputs

        struct (gradient, weight, distance)

    /// Every layer, stack by stack, after a pass and its gradient over the batch; and the ratios of the whole group.
    member _.Take(pass: IPass, rows: int) : struct (LayerMeasurement[] * struct (string * float)[]) =
        group.Online.Read(Field.Weights, Span weights)
        group.Online.Read(Field.Gradients, Span gradients)
        group.Online.Read(Field.Mask, Span mask)
        let activity = Activity group
        activity.Add(pass, rows)
        let hidden = activity.Layers

        let layers = [|
            for slot in layout.Slots do
                let struct (gradient, weight, distance) = squares slot
                let masks = group.Masks[slot.Stack]

                {
                    Network = group.Name
                    Stack = slot.Stack
                    Layer = slot.Layer
                    Width = slot.Features
                    Hidden =
                        if slot.Layer < layout.HiddenLayers then
                            Some {
                                Ratios = Ratios.measure [| hidden[slot.Stack * layout.HiddenLayers + slot.Layer] |]
                                Rank = Some(rank pass slot.Stack slot.Layer)
                            }
                        else
                            None
                    GradientNorm = sqrt gradient
                    WeightNorm = sqrt weight
                    Distance = sqrt distance
                    Active = int64 masks[slot.Layer].ActiveCount
                    Size = int64 masks[slot.Layer].Size
                }
        |]

        struct (layers, Ratios.measure hidden)

/// Measures a trainee's networks on a batch of its probe. Changes no state of them; its random draws are of the gradient step alone.
[<Sealed>]
type AgentMeasurement(trainee: Trainee, seed: int64) =
    let spectrum = Spectrum()

    let measured =
        trainee.UpdateOrder
        |> List.map (fun group -> group, GroupMeasurement(group.Networks, spectrum))

    let encoders = trainee.Encoders |> List.map EncoderMeasurement

    /// Metrics of a whole network that joined after the ratios: their columns come last.
    let summary (group: NetworkGroup) (layers: LayerMeasurement[]) =
        let norm (choose: LayerMeasurement -> float) =
            layers |> Array.sumBy (fun layer -> choose layer ** 2.0) |> sqrt

        // The features: what the output layers see, on average over the stacks.
        let features =
            layers
            |> Array.filter (fun layer -> layer.Layer = group.Layout.HiddenLayers - 1)
            |> Array.choose (_.Hidden >> Option.bind _.Rank)

        let rank (choose: FeatureRank -> float) =
            if features.Length = 0 then
                nan
            else
                features |> Array.averageBy choose

        [|
            struct ($"{group.Name}_effective_rank", rank _.Effective)
            struct ($"{group.Name}_stable_rank", rank _.Stable)
            struct ($"{group.Name}_srank", rank _.Truncated)
            struct ($"{group.Name}_gradient_norm", norm _.GradientNorm)
            struct ($"{group.Name}_weight_norm", norm _.WeightNorm)
            struct ($"{group.Name}_distance", norm _.Distance)
            struct ($"{group.Name}_active", layers |> Array.sumBy (fun layer -> float layer.Active))
        |]

    /// Everything that is logged, on rows of the window.
    /// `step`: gradient steps taken. `reported`: what the techniques report, asked when the batch has passed through the networks.
    member _.Take(source: ITransitionSource, window: Window, step: int64, reported: unit -> struct (string * float)[]) : Measurement =
        let draws = Draws.At(seed, Purpose.Metrics, 0L, 0L, step)
        trainee.Probe.GatherUniform(source, window, draws)

        let taken = [
            for group, measurement in measured do
                let loss = group.Gradient draws

                let struct (layers, ratios) = measurement.Take(group.Probe(), trainee.Probe.Rows)

                {|
                    Group = group.Networks
                    Loss = loss
                    Layers = layers
                    Ratios = ratios
                |}
        ]

        let shown =
            trainee.Groups
            |> List.map (fun group -> taken |> List.find (fun each -> obj.ReferenceEquals(each.Group, group.Networks)))

        let report = trainee.Report()

        let seen =
            List.map2
                (fun (encoder: TraineeEncoder) (measurement: EncoderMeasurement) ->
                    let struct (layers, ratios) = measurement.Take()
                    encoder.Networks.Name, layers, ratios)
                trainee.Encoders
                encoders

        {
            Metrics = [|
                for each in taken do
                    struct ($"{each.Group.Name}_loss", each.Loss)

                yield! report.First

                for each in shown do
                    for struct (name, ratio) in each.Ratios do
                        struct ($"{each.Group.Name}_{name}", ratio)

                    struct ($"{each.Group.Name}_density", each.Group.Density)

                yield! reported ()
                yield! report.Later

                for each in shown do
                    yield! summary each.Group each.Layers

                for network, _, ratios in seen do
                    for struct (name, ratio) in ratios do
                        struct ($"{network}_{name}", ratio)
            |]
            Layers = Array.concat [ yield! shown |> List.map _.Layers; for _, layers, _ in seen -> layers ]
        }
