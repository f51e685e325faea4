namespace NE.Model.Agents

open Microsoft.FSharp.NativeInterop
open NE.Model.Networks

/// Which of a group's hidden neurons put out nothing at all, over one or more batches: the dormant ones at tau = 0 (docs/algorithm.md 2.2). Most
/// neurons answer within a few rows and are then left alone, so this costs far less than whole statistics.
[<Sealed>]
type Silence(group: NetworkGroup) =
    let layout = group.Layout
    let widths = layout.Widths.ToArray()
    let hidden = layout.HiddenLayers
    let look = HostRows()

    // The silent neurons of every stack and hidden layer, stack by stack.
    let silent =
        Array.init (layout.Stacks * hidden) (fun i -> Array.init widths[i % hidden + 1] id)

    let isSilent (h: ElementwiseKernels.Strided) count neuron =
        let mutable row = 0

        while row < count && not (NativePtr.get (h.Row row) neuron > 0.0f) do
            row <- row + 1

        row = count

    /// Looks at the first `count` rows of the pass's last Forward.
    member _.Add(pass: IPass, count: int) =
        for i in 0 .. silent.Length - 1 do
            if silent[i].Length > 0 then
                look.Look(pass.Hidden(i / hidden, i % hidden), fun h -> silent[i] <- silent[i] |> Array.filter (isSilent h count))

    /// Whether every neuron has answered: nothing that is added can change that.
    member _.IsOver = silent |> Array.forall Array.isEmpty

    /// D_h at tau = 0: per stack and hidden layer, which neurons are silent.
    member _.Dormant: bool[][][] =
        silent
        |> Array.mapi (fun i neurons ->
            let flags = Array.create widths[i % hidden + 1] false

            for neuron in neurons do
                flags[neuron] <- true

            flags)
        |> Array.chunkBySize (max 1 hidden)
