namespace NE.Model.Agents

#nowarn "9"

open System
open NE.Model.Networks
open NE.Model.Networks.ElementwiseKernels
open NE.Model.Topology

/// Measures a network of convolutions. A channel counts as a neuron, and its units at all pixels of all pictures as what it puts out. Made when
/// the network has its initial values, from which it takes distances.
[<Sealed>]
type internal EncoderMeasurement(encoder: TraineeEncoder) =
    let group, pass = encoder.Networks, encoder.Probe
    let layout = group.Layout
    // Recomputed, like everything a fresh agent is, when a run is resumed.
    let initial = group.ReadOnline Field.Weights
    let host = HostRows()

    /// What the channels of a layer did in the pass's last Forward.
    let channels (slot: LayerSlot) : HiddenLayer =
        let count = slot.Outputs
        let pixels = slot.Features / count
        let means, positives = Array.zeroCreate<float> count, Array.zeroCreate<int64> count

        let lowest, highest =
            Array.create count Single.PositiveInfinity, Array.zeroCreate<float32> count
        // Of one picture: float32 counts and adds up no further than that without loss.
        let sums, above = Array.zeroCreate<float32> count, Array.zeroCreate<float32> count

        let matrix =
            if slot.Layer < layout.HiddenLayers then
                pass.Hidden(0, slot.Layer)
            else
                pass.Output 0

        let look (pictures: Strided) =
            use sum = fixed sums
            use positive = fixed above
            use low = fixed lowest
            use high = fixed highest

            for picture in 0 .. pictures.Rows - 1 do
                Array.Clear sums
                Array.Clear above

                // The channels of a pixel lie side by side.
                let values = {
                    Memory = pictures.Row picture
                    Rows = pixels
                    Columns = count
                    Stride = count
                }

                accumulateActivity values sum positive low high

                for channel in 0 .. count - 1 do
                    means[channel] <- means[channel] + float sums[channel]
                    positives[channel] <- positives[channel] + int64 above[channel]

        host.Look(matrix, look)
        let units = matrix.Rows * pixels

        {
            Statistics = {
                MeanAbs = means |> Array.map (fun sum -> float32 (sum / float units))
                PositiveCount = positives
                Deviation = Array.map2 (fun high low -> high - low) highest lowest
                Rows = units
            }
            FanIn = group.FanIn[0].[slot.Layer]
        }

    /// Every layer of the batch that the pass saw last, and the ratios of all of them.
    member _.Take() : struct (LayerMeasurement[] * struct (string * float)[]) =
        let weights = group.ReadOnline Field.Weights
        let slots = Array.ofSeq layout.Slots
        let measured = slots |> Array.map channels

        let norm (slot: LayerSlot) (value: int -> float) =
            let parts =
                (slot.Weights, slot.WeightCount)
                :: [ for parameter in slot.PerNeuron -> parameter.First, slot.Outputs ]

            parts
            |> List.sumBy (fun (first, count) -> Seq.init count (fun i -> value (first + i) ** 2.0) |> Seq.sum)
            |> sqrt

        let layers =
            Array.map2
                (fun (slot: LayerSlot) channels -> {
                    Network = group.Name
                    Stack = slot.Stack
                    Layer = slot.Layer
                    Width = slot.Outputs
                    Hidden =
                        Some {
                            Ratios = Ratios.measure [| channels |]
                            Rank = None
                        }
                    GradientNorm = nan
                    WeightNorm = norm slot (fun i -> float weights[i])
                    Distance = norm slot (fun i -> float weights[i] - float initial[i])
                    Active = int64 slot.WeightCount
                    Size = int64 slot.WeightCount
                })
                slots
                measured

        struct (layers, Ratios.measure measured)
